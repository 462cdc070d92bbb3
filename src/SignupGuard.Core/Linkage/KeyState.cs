using SignupGuard.Core.Clusters;

namespace SignupGuard.Core.Linkage;

/// <summary>
/// A sliding count over one window: the running bucket plus the share of the previous one still inside.
/// Buckets start at the first account counted, so counts are exact until a bucket is full, and an estimate (assuming an even spread of
/// the previous bucket) after. Never negative; a late event counts in the running bucket.
/// </summary>
public struct WindowCount
{
    public long StartMs { get; set; }

    public int Running { get; set; }

    public int Previous { get; set; }

    public void Add(long atMs, long lengthMs)
    {
        Advance(atMs, lengthMs);
        Running++;
    }

    public readonly double At(long atMs, long lengthMs)
    {
        var copy = this;
        copy.Advance(atMs, lengthMs);
        var passed = Math.Clamp((double)(atMs - copy.StartMs) / lengthMs, 0, 1);
        return copy.Running + (copy.Previous * (1 - passed));
    }

    private void Advance(long atMs, long lengthMs)
    {
        if (Running == 0 && Previous == 0)
        {
            StartMs = atMs;
            return;
        }
        var buckets = (atMs - StartMs) / lengthMs;
        if (atMs < StartMs || buckets == 0) return;
        Previous = buckets == 1 ? Running : 0;
        Running = 0;
        StartMs += buckets * lengthMs;
    }
}

/// <summary>One account on a key.</summary>
/// <param name="Ordinal">Of the signup that brought it, in the tenant's order.</param>
/// <param name="Account">32 bits of the account's keyed hash.</param>
/// <param name="Organisation">32 bits of the hash of the account's own e-mail domain; 0 without one.</param>
/// <param name="Counted">Whether it counts as evidence: not one of many of the same organisation.</param>
public readonly record struct KeyMember(long Ordinal, long AtMs, int Account, int Organisation, bool Counted, bool Anomalous);

/// <summary>
/// What a signup adds to its keys.
/// </summary>
/// <param name="Explained">An organisation explains it: it adds a bounded count to soft keys and none to hard ones.</param>
/// <param name="DomainRegisteredMs">When the e-mail's domain was registered, as the caller found; null when it did not look.</param>
public readonly record struct KeyEvent(KeyMember Member, bool Explained, long? DomainRegisteredMs = null)
{
    public long AtMs => Member.AtMs;
}

/// <summary>
/// What is known of one link key. Decayed counts are as of <see cref="LastSeenMs"/>; times are Unix milliseconds of the signups' own time.
/// A mutable struct, so that millions of keys seen once cost no object each: pass it by reference.
/// An account counts once per key as long as it is among the key's last <see cref="MembersMax"/> accounts.
/// </summary>
public struct KeyState
{
    /// <summary>
    /// Most recent accounts a key remembers: up to here distinctness and windows are exact, and a promotion finds all members.
    /// </summary>
    public const int MembersMax = 32;

    public const long TenMinutesMs = 10 * 60_000L;
    public const long HourMs = 60 * 60_000L;
    public const long DayMs = 24 * HourMs;

    /// <summary>Distinct accounts ever.</summary>
    public int Accounts { get; set; }

    /// <summary>Accounts that count as evidence, decayed by the rule's half-life.</summary>
    public double Count { get; set; }

    /// <summary>Of these, the anomalous ones.</summary>
    public double Anomalous { get; set; }

    public long FirstSeenMs { get; set; }
    public long LastSeenMs { get; set; }

    /// <summary>The cluster this key ties together; 0 while none.</summary>
    public long Cluster { get; set; }

    /// <summary>Set once the key is convincing enough to tie accounts together.</summary>
    public bool Promoted { get; set; }

    /// <summary>Set while somebody decided that the key is no evidence: it goes on counting, but ties nobody and says nothing.</summary>
    public bool Exempt { get; set; }

    /// <summary>Half-life of the rule that counted last: tells when the key can be forgotten. 0 while never counted in this process.</summary>
    public float HalfLifeDays { get; private set; }

    // A key seen once, as most are, keeps its only member here.
    internal KeyMember First;
    internal KeyHistory? History;

    public readonly int MemberCount => History?.MemberCount ?? (Accounts > 0 ? 1 : 0);

    /// <param name="index">0 is the oldest remembered.</param>
    public readonly KeyMember MemberAt(int index) => History is null ? First : History.MemberAt(index);

    /// <summary>Accounts confirmed bad or good by outcome or review; not decayed.</summary>
    public readonly double Bad => History?.Bad ?? 0;

    public readonly double Good => History?.Good ?? 0;

    /// <summary>Different values of the rule's spread attribute among unexplained accounts, up to <see cref="KeyHistory.SpreadMax"/>.</summary>
    public readonly int Spread => History?.SpreadCount ?? 0;

    /// <summary>Of a domain's key: when the domain was registered, as any signup's caller found; null while none did.</summary>
    public readonly long? RegisteredMs => History?.RegisteredMs;

    public readonly bool Holds(int account)
    {
        for (var i = MemberCount - 1; i >= 0; i--)
        {
            if (MemberAt(i).Account == account) return true;
        }
        return false;
    }

    /// <summary>2^(−age/half-life); 1 for a signup older than the last one seen.</summary>
    public static double Decay(long fromMs, long toMs, double halfLifeDays) =>
        toMs <= fromMs ? 1 : double.Exp2((fromMs - toMs) / (halfLifeDays * DayMs));

    public readonly double CountAt(long atMs, double halfLifeDays) => Count * Decay(LastSeenMs, atMs, halfLifeDays);

    public readonly double AnomalousAt(long atMs, double halfLifeDays) => Anomalous * Decay(LastSeenMs, atMs, halfLifeDays);

    /// <summary>Distinct accounts in the window that ends at <paramref name="atMs"/>; exact up to <see cref="MembersMax"/>, an estimate above.</summary>
    public readonly double Within(long atMs, long windowMs)
    {
        if (Accounts == 0) return 0;
        var exact = 0;
        var count = MemberCount;
        for (var i = count - 1; i >= 0; i--)
        {
            if (MemberAt(i).AtMs > atMs - windowMs) exact++;
        }
        return exact < count || History?.Windows is not { } windows ? exact : Math.Max(exact, windows.At(atMs, windowMs));
    }

    /// <summary>Accounts that count as evidence later than one time and not later than another, and how many of them are anomalous; at most <see cref="MembersMax"/>.</summary>
    public readonly (int Counted, int Anomalous) CountedWithin(long fromMs, long toMs, int exceptOrganisation)
    {
        var (counted, anomalous) = (0, 0);
        for (var i = MemberCount - 1; i >= 0; i--)
        {
            var member = MemberAt(i);
            if (!member.Counted || member.AtMs <= fromMs || member.AtMs > toMs || (exceptOrganisation != 0 && member.Organisation == exceptOrganisation)) continue;
            counted++;
            if (member.Anomalous) anomalous++;
        }
        return (counted, anomalous);
    }

    /// <summary>Of the remembered accounts that count as evidence, the share of one organisation; 0 for none.</summary>
    public readonly double OrganisationShare(int organisation, int exceptAccount)
    {
        if (organisation == 0) return 0;
        var (counted, same) = (0, 0);
        for (var i = MemberCount - 1; i >= 0; i--)
        {
            var member = MemberAt(i);
            if (!member.Counted || member.Account == exceptAccount) continue;
            counted++;
            if (member.Organisation == organisation) same++;
        }
        return counted == 0 ? 0 : (double)same / counted;
    }

    /// <summary>Counts one account, unless it is remembered. Late signups are added decayed to the newest time seen.</summary>
    /// <param name="spread">32 bits of the spread attribute's hash; null when the rule has none or the signup lacks it.</param>
    /// <returns>False when the account was already on the key.</returns>
    public bool Add(in KeyEvent added, LinkageRule rule, int organisationAccounts, int? spread)
    {
        var member = added.Member;
        if (Holds(member.Account)) return false;
        var atMs = added.AtMs;
        var counted = !added.Explained
            || (rule.Class == LinkClass.Soft && (History ??= new KeyHistory(this)).CountOrganisation(member.Organisation) <= organisationAccounts);
        if (Accounts == 0) FirstSeenMs = LastSeenMs = atMs;
        HalfLifeDays = (float)rule.HalfLifeDays;
        var decay = Decay(LastSeenMs, atMs, rule.HalfLifeDays);
        var weight = counted ? Decay(atMs, LastSeenMs, rule.HalfLifeDays) : 0;
        Count = (Count * decay) + weight;
        Anomalous = (Anomalous * decay) + (member.Anomalous ? weight : 0);
        FirstSeenMs = Math.Min(FirstSeenMs, atMs);
        LastSeenMs = Math.Max(LastSeenMs, atMs);
        if (added.DomainRegisteredMs is { } registered && rule.Kind == DomainKind) (History ??= new KeyHistory(this)).RegisteredMs = registered;
        if (spread is { } value && !added.Explained) (History ??= new KeyHistory(this)).AddSpread(value);
        member = member with { Counted = counted };
        if (Accounts == 0 && History is null) First = member;
        else (History ??= new KeyHistory(this)).Remember(member);
        if (Accounts < int.MaxValue) Accounts++;
        return true;
    }

    /// <summary>Records that an account on the key turned out bad or good, or is taken back.</summary>
    public void Relabel(Label before, Label after)
    {
        History ??= new KeyHistory(this);
        History.Bad = Math.Max(0, History.Bad + Is(after, Label.Bad) - Is(before, Label.Bad));
        History.Good = Math.Max(0, History.Good + Is(after, Label.Good) - Is(before, Label.Good));

        static int Is(Label label, Label wanted) => label == wanted ? 1 : 0;
    }

    /// <summary>Whether nothing would be lost by forgetting the key: its count has decayed away and nobody judged or tied it.</summary>
    public readonly bool Forgettable(long nowMs) => Forgettable(nowMs, HalfLifeDays);

    /// <summary>The same for a state that was read back, with the half-life of its kind's rule; 0 when that is not known: then never.</summary>
    public readonly bool Forgettable(long nowMs, double halfLifeDays) =>
        halfLifeDays > 0 && nowMs - LastSeenMs > ForgetAfterMs(halfLifeDays, Accounts) && !Promoted && !Exempt && Cluster == 0 && Bad == 0 && Good == 0;

    /// <summary>Milliseconds without an account after which the count of so many has decayed away; a day at least.</summary>
    public static double ForgetAfterMs(double halfLifeDays, int accounts) => DayMs * Math.Max(1, halfLifeDays * Math.Log2(Math.Max(1, accounts) / ForgetBelow));

    private static readonly KeyKind DomainKind = KeyKind.Of(LinkAttribute.Domain);

    /// <summary>A decayed count under which a key can no longer matter.</summary>
    private const double ForgetBelow = 0.02;
}

/// <summary>What a key with more than one account keeps besides its counts.</summary>
internal sealed class KeyHistory
{
    public const int SpreadMax = 8;
    public const int OrganisationsMax = 4;

    private KeyMember[] _members;
    private int _start;

    public KeyHistory(in KeyState state)
    {
        _members = new KeyMember[2];
        if (state.Accounts > 0) _members[MemberCount++] = state.First;
    }

    public KeyHistory(KeyMember[] members)
    {
        _members = members;
        MemberCount = members.Length;
    }

    public int MemberCount { get; private set; }

    /// <summary>Set once more accounts came than are remembered.</summary>
    public KeyWindows? Windows { get; set; }

    public double Bad { get; set; }

    public double Good { get; set; }

    public long? RegisteredMs { get; set; }

    public int[] SpreadValues { get; set; } = [];

    public int SpreadCount => SpreadValues.Length;

    /// <summary>Organisations lately seen and their accounts, latest last.</summary>
    public (int Organisation, int Accounts)[] Organisations { get; set; } = [];

    public KeyMember MemberAt(int index) => _members[(_start + index) % _members.Length];

    public void Remember(in KeyMember member)
    {
        if (MemberCount == _members.Length && _members.Length < KeyState.MembersMax)
        {
            var grown = new KeyMember[Math.Min(KeyState.MembersMax, Math.Max(2, _members.Length * 2))];
            for (var i = 0; i < MemberCount; i++) grown[i] = MemberAt(i);
            _members = grown;
            _start = 0;
        }
        if (MemberCount < _members.Length)
        {
            _members[(_start + MemberCount++) % _members.Length] = member;
        }
        else
        {
            if (Windows is null)
            {
                Windows = new KeyWindows();
                for (var i = 0; i < MemberCount; i++) Windows.Add(MemberAt(i).AtMs);
            }
            _members[_start] = member;
            _start = (_start + 1) % _members.Length;
        }
        Windows?.Add(member.AtMs);
    }

    /// <summary>Counts one more account of an organisation and says how many there are now.</summary>
    public int CountOrganisation(int organisation)
    {
        var known = Array.FindIndex(Organisations, item => item.Organisation == organisation);
        if (known >= 0) return ++Organisations[known].Accounts;
        // The organisation not seen for longest makes room; should it come again, a few of its accounts count again.
        Organisations = [.. Organisations.Skip(Math.Max(0, Organisations.Length + 1 - OrganisationsMax)), (organisation, 1)];
        return 1;
    }

    public void AddSpread(int value)
    {
        if (SpreadValues.Length < SpreadMax && !SpreadValues.Contains(value)) SpreadValues = [.. SpreadValues, value];
    }
}

/// <summary>The windows of a key with more accounts than it remembers.</summary>
internal sealed class KeyWindows
{
    private WindowCount _tenMinutes;
    private WindowCount _hour;
    private WindowCount _day;

    public ref WindowCount TenMinutes => ref _tenMinutes;

    public ref WindowCount Hour => ref _hour;

    public ref WindowCount Day => ref _day;

    public void Add(long atMs)
    {
        _tenMinutes.Add(atMs, KeyState.TenMinutesMs);
        _hour.Add(atMs, KeyState.HourMs);
        _day.Add(atMs, KeyState.DayMs);
    }

    public double At(long atMs, long windowMs) => windowMs switch
    {
        KeyState.TenMinutesMs => _tenMinutes.At(atMs, windowMs),
        KeyState.HourMs => _hour.At(atMs, windowMs),
        KeyState.DayMs => _day.At(atMs, windowMs),
        _ => throw new ArgumentOutOfRangeException(nameof(windowMs), windowMs, "No such window."),
    };
}
