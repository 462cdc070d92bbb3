using SignupGuard.Core.Clusters;

namespace SignupGuard.Core.Linkage;

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
/// A mutable struct of 40 bytes: keys seen once, as most are, are whole in it, so that millions of them cost no object each. Pass it by reference.
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

    /// <summary>Bits of <see cref="_seen"/> under the time.</summary>
    private const int FlagBits = 8;

    [Flags]
    private enum Flags : byte
    {
        None = 0,

        /// <summary>There is one account, and it is in this struct.</summary>
        One = 1,
        Counted = 2,
        Anomalous = 4,

        /// <summary>The one account is counted to its organisation.</summary>
        Organised = 8,

        /// <summary>The one account has a value of the rule's spread attribute.</summary>
        Spread = 16,
        Promoted = 32,
        Exempt = 64,
        Changed = 128,
    }

    /// <summary>Everything but time and flags, once there is more to know than the one account.</summary>
    internal KeyHistory? History;

    private long _ordinal;

    /// <summary>When last seen, in milliseconds, above the flags.</summary>
    private long _seen;

    private int _account;
    private int _organisation;
    private int _spread;

    /// <summary>Half-life of the rule that counted last: tells when the key can be forgotten. 0 while never counted in this process.</summary>
    public float HalfLifeDays { get; private set; }

    /// <summary>Distinct accounts ever.</summary>
    public readonly int Accounts => History?.Accounts ?? (Has(Flags.One) ? 1 : 0);

    /// <summary>Accounts that count as evidence, decayed by the rule's half-life.</summary>
    public readonly double Count => History?.Count ?? (Has(Flags.Counted) ? 1 : 0);

    /// <summary>Of these, the anomalous ones.</summary>
    public readonly double Anomalous => History?.Anomalous ?? (Has(Flags.Counted) && Has(Flags.Anomalous) ? 1 : 0);

    public readonly long FirstSeenMs => History?.FirstSeenMs ?? LastSeenMs;

    public readonly long LastSeenMs => _seen >> FlagBits;

    /// <summary>The cluster this key ties together; 0 while none.</summary>
    public long Cluster
    {
        readonly get => History?.Cluster ?? 0;
        set
        {
            if (value != Cluster) Open().Cluster = value;
        }
    }

    /// <summary>Set once the key is convincing enough to tie accounts together.</summary>
    public bool Promoted
    {
        readonly get => Has(Flags.Promoted);
        set => Set(Flags.Promoted, value);
    }

    /// <summary>Set while somebody decided that the key is no evidence: it goes on counting, but ties nobody and says nothing.</summary>
    public bool Exempt
    {
        readonly get => Has(Flags.Exempt);
        set => Set(Flags.Exempt, value);
    }

    /// <summary>Kept by <see cref="KeyTable"/>.</summary>
    internal bool Changed
    {
        readonly get => Has(Flags.Changed);
        set => Set(Flags.Changed, value);
    }

    public readonly int MemberCount => History?.MemberCount ?? (Has(Flags.One) ? 1 : 0);

    /// <param name="index">0 is the oldest remembered.</param>
    public readonly KeyMember MemberAt(int index) =>
        History is { } history ? history.MemberAt(index) : new KeyMember(_ordinal, LastSeenMs, _account, _organisation, Has(Flags.Counted), Has(Flags.Anomalous));

    /// <summary>Accounts confirmed bad or good by outcome or review; not decayed.</summary>
    public readonly double Bad => History?.Details?.Bad ?? 0;

    public readonly double Good => History?.Details?.Good ?? 0;

    /// <summary>Different values of the rule's spread attribute among unexplained accounts, up to <see cref="KeyHistory.SpreadMax"/>.</summary>
    public readonly int Spread => History?.SpreadCount ?? (Has(Flags.Spread) ? 1 : 0);

    /// <summary>Of a domain's key: when the domain was registered, as any signup's caller found; null while none did.</summary>
    public readonly long? RegisteredMs => History?.Details?.RegisteredMs;

    /// <summary>Of a key whose one account is in this struct: its value of the spread attribute, and whether it is counted to its organisation.</summary>
    internal readonly (int? Spread, bool Organised) One => (Has(Flags.Spread) ? _spread : null, Has(Flags.Organised));

    public readonly bool Holds(int account) => History is { } history ? history.Holds(account) : Has(Flags.One) && _account == account;

    internal readonly bool SpreadHolds(int value) =>
        History is { } history ? history.Details is { } details && details.SpreadValues.Contains(value) : Has(Flags.Spread) && _spread == value;

    /// <summary>2^(−age/half-life); 1 for a signup older than the last one seen.</summary>
    public static double Decay(long fromMs, long toMs, double halfLifeDays) =>
        toMs <= fromMs ? 1 : double.Exp2((fromMs - toMs) / (halfLifeDays * DayMs));

    /// <summary>
    /// All that linking asks of the remembered accounts, in one pass: whether one account is among them, and the distinct accounts of the windows
    /// that end at a time: exact up to <see cref="MembersMax"/> accounts, estimates above.
    /// </summary>
    internal readonly KeySurvey Survey(int account, long atMs)
    {
        if (History is { } history) return history.Survey(account, atMs);
        if (!Has(Flags.One)) return default;
        var age = atMs - LastSeenMs;
        return new KeySurvey
        {
            Holds = _account == account,
            OwnCounted = Has(Flags.Counted),
            OwnAtMs = LastSeenMs,
            TenMinutes = age < TenMinutesMs ? 1 : 0,
            Hour = age < HourMs ? 1 : 0,
            Day = age < DayMs ? 1 : 0,
        };
    }

    /// <summary>Accounts that count as evidence later than one time and not later than another, and how many of them are anomalous; at most <see cref="MembersMax"/>.</summary>
    internal readonly (int Counted, int Anomalous) CountedWithin(long fromMs, long toMs, int exceptOrganisation)
    {
        if (History is { } history) return history.CountedWithin(fromMs, toMs, exceptOrganisation);
        return !Has(Flags.Counted) || LastSeenMs <= fromMs || LastSeenMs > toMs || (exceptOrganisation != 0 && _organisation == exceptOrganisation)
            ? default
            : (1, Has(Flags.Anomalous) ? 1 : 0);
    }

    /// <summary>Of the remembered accounts that count as evidence, the share of one organisation; 0 for none.</summary>
    internal readonly double OrganisationShare(int organisation, int exceptAccount)
    {
        if (organisation == 0) return 0;
        if (History is { } history) return history.OrganisationShare(organisation, exceptAccount);
        return Has(Flags.Counted) && _account != exceptAccount && _organisation == organisation ? 1 : 0;
    }

    /// <summary>Counts one account, unless it is remembered. Late signups are added decayed to the newest time seen.</summary>
    /// <param name="spread">32 bits of the spread attribute's hash; null when the rule has none or the signup lacks it.</param>
    /// <returns>False when the account was already on the key.</returns>
    public bool Add(in KeyEvent added, LinkageRule rule, int organisationAccounts, int? spread)
    {
        if (Holds(added.Member.Account)) return false;
        AddNew(added, rule, organisationAccounts, spread, Accounts == 0 ? 1 : Decay(LastSeenMs, added.AtMs, rule.HalfLifeDays));
        return true;
    }

    /// <summary>The same for an account known not to be remembered.</summary>
    /// <param name="decay">From the time last seen to the event's.</param>
    internal void AddNew(in KeyEvent added, LinkageRule rule, int organisationAccounts, int? spread, double decay)
    {
        var member = added.Member;
        if (added.Explained) spread = null;
        var organised = added.Explained && rule.Class == LinkClass.Soft;
        var registeredMs = rule.Kind == DomainKind ? added.DomainRegisteredMs : null;
        HalfLifeDays = (float)rule.HalfLifeDays;
        if (History is null && !Has(Flags.One))
        {
            First(member with { Counted = !added.Explained || (organised && organisationAccounts > 0) }, spread, organised);
            if (registeredMs is { } first) Open().Detailed.RegisteredMs = first;
            return;
        }
        var history = Open();
        var counted = !added.Explained || (organised && history.Detailed.CountOrganisation(member.Organisation) <= organisationAccounts);
        if (history.Accounts == 0)
        {
            history.FirstSeenMs = member.AtMs;
            See(member.AtMs);
            decay = 1;
        }
        var weight = counted ? Decay(member.AtMs, LastSeenMs, rule.HalfLifeDays) : 0;
        history.Count = (history.Count * decay) + weight;
        history.Anomalous = (history.Anomalous * decay) + (member.Anomalous ? weight : 0);
        history.FirstSeenMs = Math.Min(history.FirstSeenMs, member.AtMs);
        See(Math.Max(LastSeenMs, member.AtMs));
        if (registeredMs is { } registered) history.Detailed.RegisteredMs = registered;
        if (spread is { } value) history.Detailed.AddSpread(value);
        history.Remember(member with { Counted = counted });
        if (history.Accounts < int.MaxValue) history.Accounts++;
    }

    /// <summary>Makes this the state of a key with one account.</summary>
    internal void First(in KeyMember member, int? spread, bool organised)
    {
        _ordinal = member.Ordinal;
        _account = member.Account;
        _organisation = member.Organisation;
        _spread = spread ?? 0;
        See(member.AtMs);
        Set(Flags.One, true);
        Set(Flags.Counted, member.Counted);
        Set(Flags.Anomalous, member.Anomalous);
        Set(Flags.Organised, organised);
        Set(Flags.Spread, spread is not null);
    }

    internal void See(long atMs) => _seen = (atMs << FlagBits) | (_seen & byte.MaxValue);

    /// <summary>The history, made from the one account where there is none yet.</summary>
    internal KeyHistory Open()
    {
        if (History is { } known) return known;
        var history = new KeyHistory(2)
        {
            Accounts = Accounts,
            Count = Count,
            Anomalous = Anomalous,
            FirstSeenMs = FirstSeenMs,
        };
        if (Has(Flags.One))
        {
            history.Remember(MemberAt(0));
            if (Has(Flags.Spread)) history.Detailed.AddSpread(_spread);
            if (Has(Flags.Organised)) history.Detailed.CountOrganisation(_organisation);
            _seen &= ~(long)(Flags.One | Flags.Counted | Flags.Anomalous | Flags.Organised | Flags.Spread);
        }
        return History = history;
    }

    /// <summary>Records that an account on the key turned out bad or good, or is taken back.</summary>
    public void Relabel(Label before, Label after)
    {
        var details = Open().Detailed;
        details.Bad = Math.Max(0, details.Bad + Is(after, Label.Bad) - Is(before, Label.Bad));
        details.Good = Math.Max(0, details.Good + Is(after, Label.Good) - Is(before, Label.Good));

        static int Is(Label label, Label wanted) => label == wanted ? 1 : 0;
    }

    /// <summary>Whether nothing would be lost by forgetting the key: its count has decayed away and nobody judged or tied it.</summary>
    public readonly bool Forgettable(long nowMs) => Forgettable(nowMs, HalfLifeDays);

    /// <summary>The same for a state that was read back, with the half-life of its kind's rule; 0 when that is not known: then never.</summary>
    public readonly bool Forgettable(long nowMs, double halfLifeDays) =>
        halfLifeDays > 0 && nowMs - LastSeenMs > DayMs && nowMs - LastSeenMs > ForgetAfterMs(halfLifeDays, Accounts)
        && !Promoted && !Exempt && Cluster == 0 && Bad == 0 && Good == 0;

    /// <summary>Milliseconds without an account after which the count of so many has decayed away; a day at least.</summary>
    public static double ForgetAfterMs(double halfLifeDays, int accounts) => DayMs * Math.Max(1, halfLifeDays * Math.Log2(Math.Max(1, accounts) / ForgetBelow));

    private readonly bool Has(Flags flag) => (_seen & (long)flag) != 0;

    private void Set(Flags flag, bool value) => _seen = value ? _seen | (long)flag : _seen & ~(long)flag;

    private static readonly KeyKind DomainKind = KeyKind.Of(LinkAttribute.Domain);

    /// <summary>A decayed count under which a key can no longer matter.</summary>
    private const double ForgetBelow = 0.02;
}

/// <summary>What the remembered accounts of a key say of one account and the time before it.</summary>
internal struct KeySurvey
{
    /// <summary>Whether the account is among them; <see cref="OwnCounted"/> and <see cref="OwnAtMs"/> are of it then.</summary>
    public bool Holds;
    public bool OwnCounted;
    public long OwnAtMs;

    /// <summary>Distinct accounts of the window.</summary>
    public double TenMinutes;
    public double Hour;
    public double Day;
}
