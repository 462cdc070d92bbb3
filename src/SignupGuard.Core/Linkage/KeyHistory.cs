using System.Numerics;
using System.Runtime.InteropServices;

namespace SignupGuard.Core.Linkage;

/// <summary>What a key with more than one account keeps. Times are in <see cref="KeyState"/>'s terms.</summary>
internal sealed class KeyHistory
{
    public const int SpreadMax = 8;
    public const int OrganisationsMax = 4;

    private const int FlagBits = 2;
    private const long CountedFlag = 1;
    private const long AnomalousFlag = 2;

    /// <summary>Words of 64 bits an account takes.</summary>
    private const int Words = 3;

    /// <summary>
    /// The remembered accounts, column by column, so that one column is walked without the others: the times above two flags, the ordinals, and in
    /// halves of a word the accounts and the organisations. One array, for most keys have two accounts.
    /// </summary>
    private long[] _columns;
    private int _start;

    public KeyHistory(int members) => _columns = new long[Words * Math.Clamp(members, 2, KeyState.MembersMax)];

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

    private int Capacity => _columns.Length / Words;

    private Span<long> Seen => _columns.AsSpan(0, Capacity);

    private Span<long> Ordinals => _columns.AsSpan(Capacity, Capacity);

    private Span<int> AccountsColumn => MemoryMarshal.Cast<long, int>(_columns.AsSpan(2 * Capacity))[..Capacity];

    private Span<int> OrganisationsColumn => MemoryMarshal.Cast<long, int>(_columns.AsSpan(2 * Capacity))[Capacity..];

    /// <param name="index">0 is the oldest remembered.</param>
    public KeyMember MemberAt(int index)
    {
        var at = _start + index < Capacity ? _start + index : _start + index - Capacity;
        var seen = Seen[at];
        return new KeyMember(Ordinals[at], seen >> FlagBits, AccountsColumn[at], OrganisationsColumn[at], (seen & CountedFlag) != 0, (seen & AnomalousFlag) != 0);
    }

    public bool Holds(int account) => AccountsColumn[..MemberCount].Contains(account);

    /// <summary>See <see cref="KeyState.Survey"/>.</summary>
    public KeySurvey Survey(int account, long atMs)
    {
        var survey = default(KeySurvey);
        var own = AccountsColumn[..MemberCount].IndexOf(account);
        if (own >= 0)
        {
            survey.Holds = true;
            survey.OwnCounted = (Seen[own] & CountedFlag) != 0;
            survey.OwnAtMs = Seen[own] >> FlagBits;
        }
        var (tenMinutes, hour, day) = Later(Seen[..MemberCount], Last(atMs - KeyState.TenMinutesMs), Last(atMs - KeyState.HourMs), Last(atMs - KeyState.DayMs));
        (survey.TenMinutes, survey.Hour, survey.Day) = (tenMinutes, hour, day);
        if (Details?.Windows is not { } windows) return survey;
        if (tenMinutes == MemberCount) survey.TenMinutes = Math.Max(tenMinutes, windows.TenMinutes.At(atMs, KeyState.TenMinutesMs));
        if (hour == MemberCount) survey.Hour = Math.Max(hour, windows.Hour.At(atMs, KeyState.HourMs));
        if (day == MemberCount) survey.Day = Math.Max(day, windows.Day.At(atMs, KeyState.DayMs));
        return survey;
    }

    /// <summary>See <see cref="KeyState.CountedWithin"/>.</summary>
    public (int Counted, int Anomalous) CountedWithin(long fromMs, long toMs, int exceptOrganisation)
    {
        var (counted, anomalous) = (0, 0);
        var organisations = OrganisationsColumn;
        var seen = Seen[..MemberCount];
        for (var i = 0; i < seen.Length; i++)
        {
            var atMs = seen[i] >> FlagBits;
            if ((seen[i] & CountedFlag) == 0 || atMs <= fromMs || atMs > toMs || (exceptOrganisation != 0 && organisations[i] == exceptOrganisation)) continue;
            counted++;
            if ((seen[i] & AnomalousFlag) != 0) anomalous++;
        }
        return (counted, anomalous);
    }

    /// <summary>See <see cref="KeyState.OrganisationShare"/>.</summary>
    public double OrganisationShare(int organisation, int exceptAccount)
    {
        var (counted, same) = (0, 0);
        var accounts = AccountsColumn;
        var organisations = OrganisationsColumn;
        var seen = Seen[..MemberCount];
        for (var i = 0; i < seen.Length; i++)
        {
            if ((seen[i] & CountedFlag) == 0 || accounts[i] == exceptAccount) continue;
            counted++;
            if (organisations[i] == organisation) same++;
        }
        return counted == 0 ? 0 : (double)same / counted;
    }

    public void Remember(in KeyMember member)
    {
        if (MemberCount == Capacity && Capacity < KeyState.MembersMax) Grow();
        if (MemberCount < Capacity)
        {
            Write(MemberCount++, member);
        }
        else
        {
            if (Details?.Windows is null)
            {
                var windows = Detailed.Windows = new KeyWindows();
                for (var i = 0; i < MemberCount; i++) windows.Add(MemberAt(i).AtMs);
            }
            Write(_start, member);
            _start = (_start + 1) % Capacity;
        }
        Details?.Windows?.Add(member.AtMs);
    }

    private void Write(int at, in KeyMember member)
    {
        Seen[at] = (member.AtMs << FlagBits) | (member.Counted ? CountedFlag : 0) | (member.Anomalous ? AnomalousFlag : 0);
        Ordinals[at] = member.Ordinal;
        AccountsColumn[at] = member.Account;
        OrganisationsColumn[at] = member.Organisation;
    }

    /// <summary>Nothing was overwritten yet, so the oldest stands first.</summary>
    private void Grow()
    {
        var seen = Seen;
        var ordinals = Ordinals;
        var accounts = AccountsColumn;
        var organisations = OrganisationsColumn;
        _columns = new long[Words * Math.Min(KeyState.MembersMax, Capacity * 2)];
        seen.CopyTo(Seen);
        ordinals.CopyTo(Ordinals);
        accounts.CopyTo(AccountsColumn);
        organisations.CopyTo(OrganisationsColumn);
    }

    /// <summary>The greatest word of the times' column that is not later than a time.</summary>
    private static long Last(long atMs) => (atMs << FlagBits) | CountedFlag | AnomalousFlag;

    /// <summary>How many words are greater than each of three.</summary>
    private static (int One, int Two, int Three) Later(ReadOnlySpan<long> words, long one, long two, long three)
    {
        var (first, second, third) = (0, 0, 0);
        var i = 0;
        if (words.Length >= Vector<long>.Count)
        {
            var (ones, twos, threes) = (Vector<long>.Zero, Vector<long>.Zero, Vector<long>.Zero);
            var (afterOne, afterTwo, afterThree) = (new Vector<long>(one), new Vector<long>(two), new Vector<long>(three));
            for (; i <= words.Length - Vector<long>.Count; i += Vector<long>.Count)
            {
                var some = new Vector<long>(words[i..]);
                // A comparison that holds gives -1.
                ones -= Vector.GreaterThan(some, afterOne);
                twos -= Vector.GreaterThan(some, afterTwo);
                threes -= Vector.GreaterThan(some, afterThree);
            }
            (first, second, third) = ((int)Vector.Sum(ones), (int)Vector.Sum(twos), (int)Vector.Sum(threes));
        }
        for (; i < words.Length; i++)
        {
            first += words[i] > one ? 1 : 0;
            second += words[i] > two ? 1 : 0;
            third += words[i] > three ? 1 : 0;
        }
        return (first, second, third);
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
