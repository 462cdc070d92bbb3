using System.Collections.Frozen;
using SignupGuard.Cel;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;

namespace SignupGuard.Core.Policies;

/// <summary>The fields rules may use: fixed ones of the signup and its signals, and <c>link.KIND.*</c> for every linkage rule of the policy.</summary>
public static class FactsEnvironment
{
    /// <summary>"fingerprint+bin" is <c>link.fingerprint_bin</c> in rules.</summary>
    public static string FieldName(KeyKind kind) => kind.ToString().Replace('+', '_');

    /// <param name="linkage">Only rules in use: their order gives <see cref="LinkageRule.Index"/>.</param>
    public static CelEnvironment<Facts> For(IReadOnlyList<LinkageRule> linkage)
    {
        var builder = CelEnvironment<Facts>.Create();
        Event(builder);
        Email(builder, linkage);
        Phone(builder);
        Ip(builder);
        Device(builder);
        Payment(builder);
        Cluster(builder);
        Lists(builder);
        foreach (var rule in linkage.Where(rule => rule.Mode != RuleMode.Off).DistinctBy(rule => rule.Kind)) Links(builder, rule);
        return builder.Build();
    }

    /// <summary>Read off a signup's links where nothing else knows it.</summary>
    private const string DomainAge = "email.domain_age_days";

    /// <summary>Whether the field is not of the signup itself, and may change while that does not: of its links, its network, the lists it is on.</summary>
    internal static bool ReadsLinks(string path) =>
        path == DomainAge || path.StartsWith("list.", StringComparison.Ordinal) || path.StartsWith("link.", StringComparison.Ordinal) || path.StartsWith("cluster.", StringComparison.Ordinal);

    /// <summary>Whether the rule may hold later though the signup is the same: it reads such a field, or calls a function.</summary>
    internal static bool ReadsLinks(CelProgram<Facts> program) => program.Reads.Any(path => ReadsLinks(path) || IsFunction(path));

    /// <summary>Of what a rule reads: whether this is a call rather than a field.</summary>
    internal static bool IsFunction(string path) => path.EndsWith("()", StringComparison.Ordinal);

    private static void Event(CelEnvironment<Facts>.Builder builder)
    {
        Text(builder, "event.channel", f => f.Signup.Event.Channel, "web, ios, android, api, partner, desktop, import.");
        Text(builder, "event.product", f => f.Signup.Event.Product, "Product signed up for.");
        Text(builder, "event.campaign", f => f.Signup.Event.Campaign, "Marketing campaign.");
        Text(builder, "event.referral_code", f => f.Signup.Event.ReferralCode, "Referral code.");
        Text(builder, "subject.account_type", f => f.Signup.Subject.AccountType, "personal, team, education, startup_programme, enterprise, nonprofit.");
        Text(builder, "subject.country", f => f.Signup.Subject.Country, "Declared country, ISO alpha-2.");
        Text(builder, "subject.organisation", f => f.Signup.Subject.Organisation, "Organisation named.");
        Text(builder, "subject.declared_use", f => f.Signup.Subject.DeclaredUse, "Use declared.");
        Whole(builder, "subject.age", f => f.Signup.Subject.Age, "Years.");
        Text(builder, "identity.provider", f => f.Signup.ExternalIdentity?.Provider, "Provider of an external sign-in.");
        Flag(builder, "identity.email_verified", f => f.Signup.ExternalIdentity?.EmailVerified, "Whether that provider verified the e-mail.");
        builder.Field("event.occurred_at", CelType.Timestamp, f => f.Standing?["event.occurred_at"] ?? CelValue.From(f.Signup.OccurredAt), "When the form was sent.");
        builder.Field("custom", CelType.Map(CelType.Dyn), f => f.Standing?["custom"] ?? CelValue.From(Custom(f.Signup.Custom)), "The caller's own values: custom.NAME.");
    }

    private static void Email(CelEnvironment<Facts>.Builder builder, IReadOnlyList<LinkageRule> linkage)
    {
        static EmailSignals? Of(Facts facts) => facts.Signals.Email.Value;
        Text(builder, "email.domain", f => Of(f)?.Domain, "Domain in ASCII, lower case.");
        Text(builder, "email.registrable_domain", f => Of(f)?.RegistrableDomain, "Public suffix plus one label.");
        Text(builder, "email.tld", f => Of(f)?.TopLevelDomain, "Top-level domain.");
        Text(builder, "email.local", f => Of(f)?.Local, "Canonical local part.");
        Text(builder, "email.skeleton", f => Of(f)?.Skeleton, "Letters folded to a, digits to 9.");
        Flag(builder, "email.free", f => Of(f)?.Free, "Free-mail provider.");
        Flag(builder, "email.disposable", f => Of(f)?.Disposable, "Disposable-address provider.");
        Flag(builder, "email.relay", f => Of(f)?.Relay, "Privacy relay.");
        Flag(builder, "email.tagged", f => Of(f)?.Tagged, "Had a +tag.");
        Flag(builder, "email.role", f => Of(f)?.Role, "info@, admin@ …");
        Flag(builder, "email.internationalised", f => Of(f)?.Internationalised, "Domain with non-ASCII labels.");
        Flag(builder, "email.mixed_script", f => Of(f)?.MixedScript, "Scripts mixed in one domain label.");
        Flag(builder, "email.verified", f => Of(f)?.Verified, "Control proven.");
        var domain = linkage.FirstOrDefault(rule => rule.Kind == KeyKind.Of(LinkAttribute.Domain) && rule.Mode != RuleMode.Off)?.Index;
        Linked(builder, DomainAge, CelType.Int, f => CelValue.From(DomainAgeDays(f, domain), DomainAge), "Days since the domain was registered, if the caller of this or an earlier signup looked it up.");
        Flag(builder, "email.matches_name", f => Of(f)?.MatchesName, "Local part holds the given or family name.");
        Whole(builder, "email.length", f => Of(f)?.Length, "Characters of the local part.");
        Whole(builder, "email.digits", f => Of(f)?.Digits, "Digits of the local part.");
        Number(builder, "email.digit_ratio", f => Of(f)?.DigitRatio, "Digits over length, 0 to 1.");
        Number(builder, "email.entropy", f => Of(f)?.Entropy, "Bits per character of the local part.");
    }

    private static long? DomainAgeDays(Facts facts, int? domain)
    {
        if (facts.DomainRegisteredMs is { } registered) return Math.Max(0, (facts.AtMs - registered) / KeyState.DayMs);
        if (domain is not { } index) return null;
        ref readonly var link = ref facts.Links[index];
        return link is { Present: true, RegisteredMs: not 0 } ? Math.Max(0, (facts.AtMs - link.RegisteredMs) / KeyState.DayMs) : null;
    }

    private static void Phone(CelEnvironment<Facts>.Builder builder)
    {
        static PhoneSignals? Of(Facts facts) => facts.Signals.Phone.Value;
        Flag(builder, "phone.valid", f => Of(f)?.Valid, "Valid in its numbering plan.");
        Text(builder, "phone.region", f => Of(f)?.Region, "ISO alpha-2.");
        Text(builder, "phone.line_type", f => Of(f)?.LineType, "mobile, fixed, fixed_or_mobile, voip, toll_free, premium, other.");
        Text(builder, "phone.prefix", f => Of(f)?.Prefix, "E.164 without the last four digits.");
        Flag(builder, "phone.verified", f => Of(f)?.Verified, "Control proven.");
        Flag(builder, "phone.matches_ip_country", f => Of(f)?.MatchesIpCountry, "Region is the IP's country.");
    }

    private static void Ip(CelEnvironment<Facts>.Builder builder)
    {
        static IpSignals? Of(Facts facts) => facts.Signals.Ip.Value;
        Text(builder, "ip.country", f => Of(f)?.Country, "ISO alpha-2.");
        Whole(builder, "ip.asn", f => Of(f)?.Asn, "Autonomous system number.");
        Text(builder, "ip.organisation", f => Of(f)?.AsnOrganisation, "Organisation of the autonomous system.");
        Text(builder, "ip.network_class", f => Of(f)?.NetworkClass, "residential, carrier, business, education, hosting, vpn, proxy, tor, relay.");
        Text(builder, "ip.net", f => Of(f)?.Net, "/24 or /48.");
        Flag(builder, "ip.hosting", f => Of(f)?.Hosting, "Hosting network.");
        Flag(builder, "ip.vpn", f => Of(f)?.Vpn, "Known VPN exit.");
        Flag(builder, "ip.tor", f => Of(f)?.Tor, "Tor exit.");
        Flag(builder, "ip.proxy", f => Of(f)?.Proxy, "Known proxy.");
        Flag(builder, "ip.anonymiser", f => Of(f)?.Anonymiser, "VPN, Tor or proxy by any source.");
        Number(builder, "ip.residential_proxy_confidence", f => Of(f)?.ResidentialProxyConfidence, "0 to 1.");
        Flag(builder, "ip.time_zone_matches", f => Of(f)?.TimeZoneMatches, "Device's time zone is used in the IP's country.");
        Flag(builder, "ip.declared_country_matches", f => Of(f)?.DeclaredCountryMatches, "Declared country is the IP's.");
        Whole(builder, "ip.version", f => Of(f)?.Version, "4 or 6.");
    }

    private static void Device(CelEnvironment<Facts>.Builder builder)
    {
        static DeviceSignals? Of(Facts facts) => facts.Signals.Device.Value;
        Text(builder, "device.browser", f => Of(f)?.Browser, "Browser family.");
        Whole(builder, "device.browser_major", f => Of(f)?.BrowserMajor, "Major version.");
        Text(builder, "device.os", f => Of(f)?.Os, "Operating system family.");
        Text(builder, "device.kind", f => Of(f)?.Kind, "desktop, mobile, tablet, bot, other.");
        Flag(builder, "device.bot", f => Of(f)?.Bot, "Declares itself a crawler or a tool.");
        Flag(builder, "device.headless", f => Of(f)?.Headless, "Headless browser marks.");
        Flag(builder, "device.automation", f => Of(f)?.Automation, "Automation seen by the page.");
        Flag(builder, "device.emulator", f => Of(f)?.Emulator, "Emulator.");
        Flag(builder, "device.rooted", f => Of(f)?.Rooted, "Rooted or jailbroken.");
        Text(builder, "device.language", f => Of(f)?.Language, "First accepted language.");
        Flag(builder, "device.language_matches_country", f => Of(f)?.LanguageMatchesCountry, "Language is spoken in the IP's country.");
        Flag(builder, "device.offset_matches_zone", f => Of(f)?.OffsetMatchesZone, "Reported offset is the reported zone's.");
        Whole(builder, "device.impossible_count", f => Of(f)?.Impossible.Count, "Combinations no real device shows.");
        Flag(builder, "device.honeypot_filled", f => Of(f)?.HoneypotFilled, "Hidden field filled.");
        Number(builder, "device.form_seconds", f => Of(f)?.FormSeconds, "Seconds to fill the form.");
        Number(builder, "device.typing_interval_ms", f => Of(f)?.TypingIntervalMs, "Median milliseconds between keys.");
        Flag(builder, "device.pasted", f => Of(f)?.Pasted, "Fields pasted.");
        Whole(builder, "device.session_age_seconds", f => Of(f)?.SessionAgeSeconds, "Seconds.");
    }

    private static void Payment(CelEnvironment<Facts>.Builder builder)
    {
        static PaymentSignals? Of(Facts facts) => facts.Signals.Payment.Value;
        Text(builder, "payment.kind", f => Of(f)?.Kind, "card, bank_account, wallet, other.");
        Text(builder, "payment.bin", f => Of(f)?.Bin, "First 6 to 8 digits.");
        Text(builder, "payment.funding", f => Of(f)?.Funding, "credit, debit, prepaid.");
        Flag(builder, "payment.virtual", f => Of(f)?.Virtual, "Virtual card.");
        Text(builder, "payment.issuer_country", f => Of(f)?.IssuerCountry, "ISO alpha-2.");
        Flag(builder, "payment.issuer_matches_ip_country", f => Of(f)?.IssuerMatchesIpCountry, "Issuer's country is the IP's.");
        Flag(builder, "payment.issuer_matches_billing_country", f => Of(f)?.IssuerMatchesBillingCountry, "Issuer's country is the billing country.");
        Flag(builder, "payment.billing_matches_ip_country", f => Of(f)?.BillingMatchesIpCountry, "Billing country is the IP's.");
        Text(builder, "payment.avs", f => Of(f)?.Avs, "match, partial, mismatch, unavailable.");
        Text(builder, "payment.cvv", f => Of(f)?.Cvv, "match, partial, mismatch, unavailable.");
        Text(builder, "payment.three_d_secure", f => Of(f)?.ThreeDSecure, "authenticated, attempted, failed, unavailable.");
        Flag(builder, "payment.authorised", f => Of(f)?.Authorised, "Authorised.");
        Text(builder, "payment.decline_code", f => Of(f)?.DeclineCode, "Decline code.");
        Whole(builder, "payment.months_to_expiry", f => Of(f)?.MonthsToExpiry, "Negative when expired.");
        Flag(builder, "payment.holder_matches_name", f => Of(f)?.HolderMatchesName, "Holder's family name is the subject's.");
    }

    private static void Cluster(CelEnvironment<Facts>.Builder builder)
    {
        Linked(builder, "cluster.size", CelType.Int, f => CelValue.From(f.Cluster?.Size, "cluster.size"), "Accounts in the network this signup belongs to.");
        Linked(builder, "cluster.denied_ratio", CelType.Double, f => CelValue.From(f.Cluster?.DeniedRatio, "cluster.denied_ratio"), "Share of them denied, 0 to 1.");
        Linked(builder, "cluster.confirmed_bad", CelType.Int, f => CelValue.From(f.Cluster?.ConfirmedBad, "cluster.confirmed_bad"), "Accounts of the network confirmed bad.");
        Linked(builder, "cluster.confirmed_bad_ratio", CelType.Double, f => CelValue.From(f.Cluster?.ConfirmedBadRatio, "cluster.confirmed_bad_ratio"), "Share of them confirmed bad, 0 to 1.");
        Linked(builder, "cluster.confirmed_good", CelType.Int, f => CelValue.From(f.Cluster?.ConfirmedGood, "cluster.confirmed_good"), "Accounts of the network cleared.");
        Linked(builder, "cluster.key_groups", CelType.Int, f => CelValue.From(f.Cluster?.KeyGroupCount, "cluster.key_groups"), "Independent groups of keys that hold the network together: identity, device, network, payment.");
        Linked(builder, "cluster.last_1h", CelType.Double, f => CelValue.From(f.Cluster?.LastHour, "cluster.last_1h"), "Accounts that joined the network in its newest hour.");
        Linked(builder, "cluster.age_hours", CelType.Double, f => CelValue.From(f.Cluster is { } c ? (c.LastSeenMs - c.FirstSeenMs) / (double)KeyState.HourMs : null, "cluster.age_hours"), "Hours between its first and its newest account.");
    }

    private static void Lists(CelEnvironment<Facts>.Builder builder)
    {
        Linked(builder, "list.names", CelType.List(CelType.String), f => f.Lists.Names, "Names of the lists the signup is on; empty when on none: 'vip' in list.names.");
        Linked(builder, "list.watch", CelType.List(CelType.String), f => f.Lists.Watch, "Of these the watch lists.");
    }

    private static void Links(CelEnvironment<Facts>.Builder builder, LinkageRule rule)
    {
        var (path, kind, at) = ($"link.{FieldName(rule.Kind)}", rule.Kind, rule.Index);
        Link(builder, $"{path}.accounts", CelType.Int, at, static (in Link link) => CelValue.From(link.Accounts), $"Distinct accounts on the {kind}, this one included.");
        Link(builder, $"{path}.last_10m", CelType.Double, at, static (in Link link) => CelValue.From(link.TenMinutes), $"Distinct accounts on the {kind} in the last 10 minutes, this one included.");
        Link(builder, $"{path}.last_1h", CelType.Double, at, static (in Link link) => CelValue.From(link.Hour), $"Distinct accounts on the {kind} in the last hour, this one included.");
        Link(builder, $"{path}.last_1d", CelType.Double, at, static (in Link link) => CelValue.From(link.Day), $"Distinct accounts on the {kind} in the last 24 hours, this one included.");
        Link(builder, $"{path}.others", CelType.Double, at, static (in Link link) => CelValue.From(link.Others), $"Decayed other accounts on the {kind} that no organisation explains.");
        Link(builder, $"{path}.surprise", CelType.Double, at, static (in Link link) => CelValue.From(link.Surprise), $"How far the {kind} is above chance, powers of ten.");
        Link(builder, $"{path}.confirmed_bad", CelType.Double, at, static (in Link link) => CelValue.From(link.Bad), $"Accounts on the {kind} confirmed bad.");
        Link(builder, $"{path}.confirmed_good", CelType.Double, at, static (in Link link) => CelValue.From(link.Good), $"Accounts on the {kind} cleared.");
        Link(builder, $"{path}.age_days", CelType.Double, at, static (in Link link) => CelValue.From(link.AgeMs / (double)KeyState.DayMs), $"Days since the {kind} was first seen; 0 for a new one.");
        if (rule.Spread is { } spread)
            Link(builder, $"{path}.spread", CelType.Int, at, static (in Link link) => CelValue.From(link.Spread), $"Different values of {KeyKind.Name(spread)} among its unexplained accounts, this one's included; counts to {KeyHistory.SpreadMax}.");
    }

    // Fields of the signup itself: of one that was not kept, the values that were.
    private static void Text(CelEnvironment<Facts>.Builder builder, string path, Func<Facts, string?> read, string description) =>
        builder.Field(path, CelType.String, facts => facts.Standing is { } standing ? standing[path] : CelValue.From(read(facts), path), description);

    private static void Flag(CelEnvironment<Facts>.Builder builder, string path, Func<Facts, bool?> read, string description) =>
        builder.Field(path, CelType.Bool, facts => facts.Standing is { } standing ? standing[path] : CelValue.From(read(facts), path), description);

    private static void Whole(CelEnvironment<Facts>.Builder builder, string path, Func<Facts, long?> read, string description) =>
        builder.Field(path, CelType.Int, facts => facts.Standing is { } standing ? standing[path] : CelValue.From(read(facts), path), description);

    private static void Number(CelEnvironment<Facts>.Builder builder, string path, Func<Facts, double?> read, string description) =>
        builder.Field(path, CelType.Double, facts => facts.Standing is { } standing ? standing[path] : CelValue.From(read(facts), path), description);

    /// <summary>A field that <see cref="ReadsLinks(string)"/>: always read anew.</summary>
    private static void Linked(CelEnvironment<Facts>.Builder builder, string path, CelType type, CelReader<Facts> read, string description) =>
        builder.Field(path, type, read, description);

    private delegate CelValue LinkReader(in Link link);

    private static void Link(CelEnvironment<Facts>.Builder builder, string path, CelType type, int at, LinkReader read, string description) =>
        Linked(
            builder,
            path,
            type,
            facts =>
            {
                ref readonly var link = ref facts.Links[at];
                return link.Present ? read(link) : CelValue.Missing(path);
            },
            description);

    private static IReadOnlyDictionary<string, CelValue> Custom(IReadOnlyDictionary<string, object> values) =>
        values.Count == 0
            ? FrozenDictionary<string, CelValue>.Empty
            : values.ToDictionary(
                pair => pair.Key,
                pair => pair.Value switch
                {
                    string text => CelValue.From(text),
                    bool flag => CelValue.From(flag),
                    double number => CelValue.From(number),
                    _ => CelValue.Error("unsupported custom value"),
                });
}
