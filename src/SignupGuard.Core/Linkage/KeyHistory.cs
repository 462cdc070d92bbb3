namespace SignupGuard.Core.Linkage;

/// <summary>An account as a key remembers it: 24 bytes.</summary>
internal struct RememberedAccount
{
    private const int FlagBits = 2;
    private const long CountedFlag = 1;
    private const long AnomalousFlag = 2;

    public long Ordinal;

    /// <summary>The time in milliseconds above two flags.</summary>
    private readonly long _seen;

    public int Account;

    public int Organisation;

    public RememberedAccount(in KeyMember member)
    {
        Ordinal = member.Ordinal;
        Account = member.Account;
        Organisation = member.Organisation;
        _seen = (member.AtMs << FlagBits) | (member.Counted ? CountedFlag : 0) | (member.Anomalous ? AnomalousFlag : 0);
    }

    public readonly long AtMs => _seen >> FlagBits;

    public readonly bool Counted => (_seen & CountedFlag) != 0;

    public readonly bool Anomalous => (_seen & AnomalousFlag) != 0;

    public readonly KeyMember Member => new(Ordinal, AtMs, Account, Organisation, Counted, Anomalous);
}

/// <summary>What a key with more than one account keeps. Times are in <see cref="KeyState"/>'s terms.</summary>
internal sealed class KeyHistory
{
    public const int SpreadMax = 8;
    public const int OrganisationsMax = 4;

    private RememberedAccount[] _members;
    private int _start;

    public KeyHistory(int members) => _members = new RememberedAccount[Math.Clamp(members, 2, KeyState.MembersMax)];

    public int MemberCount { get; private set; }

    public int Accounts { get; set; }

    public double Count { get; set; }

    public double Anomalous { get; set; }

    public long FirstSeenMs { get; set; }

    public long Cluster { get; set; }

    /// <summary>What few keys have; null for none of it.</summary>
    public KeyDetails? Details { get; private set; }

    public KeyDetails Detailed => Details ??= new KeyDetails();

    public int SpreadCount => Details?.SpreadValues.Length ?? 0;

    /// <param name="index">0 is the oldest remembered.</param>
    public ref readonly RememberedAccount MemberAt(int index)
    {
        var at = _start + index;
        return ref _members[at < _members.Length ? at : at - _members.Length];
    }

    /// <summary>The remembered accounts, in no certain order.</summary>
    public ReadOnlySpan<RememberedAccount> Members => _members.AsSpan(0, MemberCount);

    public void Remember(in KeyMember member)
    {
        if (MemberCount == _members.Length && _members.Length < KeyState.MembersMax)
        {
            // Nothing was overwritten yet, so the oldest stands first.
            Array.Resize(ref _members, Math.Min(KeyState.MembersMax, _members.Length * 2));
        }
        if (MemberCount < _members.Length)
        {
            _members[MemberCount++] = new RememberedAccount(member);
        }
        else
        {
            if (Details?.Windows is null)
            {
                var windows = Detailed.Windows = new KeyWindows();
                for (var i = 0; i < MemberCount; i++) windows.Add(MemberAt(i).AtMs);
            }
            _members[_start] = new RememberedAccount(member);
            _start = (_start + 1) % _members.Length;
        }
        Details?.Windows?.Add(member.AtMs);
    }
}

/// <summary>What few keys have besides their accounts.</summary>
internal sealed class KeyDetails
{
    /// <summary>Set once more accounts came than are remembered.</summary>
    public KeyWindows? Windows { get; set; }

    public double Bad { get; set; }

    public double Good { get; set; }

    public long? RegisteredMs { get; set; }

    public int[] SpreadValues { get; set; } = [];

    /// <summary>Organisations lately seen and their accounts, latest last.</summary>
    public (int Organisation, int Accounts)[] Organisations { get; set; } = [];

    /// <summary>Counts one more account of an organisation and says how many there are now.</summary>
    public int CountOrganisation(int organisation)
    {
        foreach (ref var known in Organisations.AsSpan())
        {
            if (known.Organisation == organisation) return ++known.Accounts;
        }
        // The organisation not seen for longest makes room; should it come again, a few of its accounts count again.
        Organisations = [.. Organisations.AsSpan(Math.Max(0, Organisations.Length + 1 - KeyHistory.OrganisationsMax)), (organisation, 1)];
        return 1;
    }

    public void AddSpread(int value)
    {
        if (SpreadValues.Length < KeyHistory.SpreadMax && !SpreadValues.Contains(value)) SpreadValues = [.. SpreadValues, value];
    }
}
