namespace SignupGuard.Core.Signals;

/// <summary>Whether a group of signals could be used. Missing is a value: nothing substitutes 0 or false for it.</summary>
public enum SignalState : byte
{
    Missing = 0,
    Present = 1,

    /// <summary>Present, from reference data past its age limit.</summary>
    Stale = 2,
    TimedOut = 3,
    Failed = 4,
}

/// <summary>One group of signals as its collector left it. <see cref="Value"/> is set exactly when present or stale.</summary>
/// <param name="Detail">A stable code when not present ("PRIVATE_ADDRESS", "NO_DATABASE"), without personal data.</param>
public readonly record struct Signal<T>(SignalState State, T? Value, string? Detail)
    where T : class
{
    public static Signal<T> Missing(string detail) => new(SignalState.Missing, null, detail);

    public static Signal<T> Present(T value) => new(SignalState.Present, value, null);

    public static Signal<T> Stale(T value, string detail) => new(SignalState.Stale, value, detail);

    public static Signal<T> TimedOut(string detail) => new(SignalState.TimedOut, null, detail);

    public static Signal<T> Failed(string detail) => new(SignalState.Failed, null, detail);
}

/// <summary>All signals of one signup, as collected before linkage. What a stored decision keeps and a backtest replays.</summary>
public sealed record SignupSignals
{
    public required Signal<EmailSignals> Email { get; init; }

    public required Signal<PhoneSignals> Phone { get; init; }

    public required Signal<IpSignals> Ip { get; init; }

    public required Signal<DeviceSignals> Device { get; init; }

    public required Signal<PaymentSignals> Payment { get; init; }
}

/// <summary>What an e-mail address tells.</summary>
public sealed record EmailSignals
{
    /// <summary>Lower case, tag stripped, dots removed where the provider ignores them, provider domains folded. Personal data.</summary>
    public required string Canonical { get; init; }

    /// <summary>Local part as canonicalised. Personal data.</summary>
    public required string Local { get; init; }

    /// <summary>Domain in ASCII (punycode), lower case.</summary>
    public required string Domain { get; init; }

    /// <summary>Registrable domain (public suffix plus one label); null when the domain is itself a public suffix or no list is at hand.</summary>
    public string? RegistrableDomain { get; init; }

    public string? TopLevelDomain { get; init; }

    /// <summary>Null when the list is not at hand.</summary>
    public bool? Free { get; init; }

    public bool? Disposable { get; init; }

    /// <summary>A privacy relay (hide-my-email, duck.com, simplelogin): its own kind, not disposable.</summary>
    public bool? Relay { get; init; }

    /// <summary>Had a tag (user+tag@).</summary>
    public required bool Tagged { get; init; }

    /// <summary>Runs of letters folded to 'a', runs of digits to '9', other characters kept: "anna.b1984" is "a.a9".</summary>
    public required string Skeleton { get; init; }

    public required int Length { get; init; }

    public required int Digits { get; init; }

    /// <summary>Digits over length of the local part, 0 to 1.</summary>
    public required double DigitRatio { get; init; }

    /// <summary>Shannon entropy of the local part's characters, bits.</summary>
    public required double Entropy { get; init; }

    /// <summary>info@, admin@, noreply@ …</summary>
    public required bool Role { get; init; }

    /// <summary>The domain has non-ASCII labels.</summary>
    public required bool Internationalised { get; init; }

    /// <summary>Labels of one domain mix scripts (Latin with Cyrillic …).</summary>
    public required bool MixedScript { get; init; }

    public required bool Verified { get; init; }

    /// <summary>Whether the local part holds given or family name as entered; null without a name.</summary>
    public bool? MatchesName { get; init; }
}

/// <summary>What a phone number tells, by its numbering plan.</summary>
public sealed record PhoneSignals
{
    /// <summary>Personal data.</summary>
    public required string E164 { get; init; }

    public required bool Valid { get; init; }

    /// <summary>ISO 3166-1 alpha-2; null for non-geographic numbers.</summary>
    public string? Region { get; init; }

    public required int CountryCode { get; init; }

    /// <summary>mobile, fixed, fixed_or_mobile, voip, toll_free, premium, other.</summary>
    public required string LineType { get; init; }

    /// <summary>E.164 without the last four digits.</summary>
    public required string Prefix { get; init; }

    public required bool Verified { get; init; }

    /// <summary>Against the IP's country; null when either is missing.</summary>
    public bool? MatchesIpCountry { get; init; }
}

/// <summary>What an IP address tells. The address itself is personal data and stays in <see cref="Address"/>.</summary>
public sealed record IpSignals
{
    /// <summary>Canonical text; IPv4-mapped is IPv4.</summary>
    public required string Address { get; init; }

    /// <summary>/24 or /48 as text ("203.0.113.0/24").</summary>
    public required string Net { get; init; }

    /// <summary>The address for IPv4, the /64 for IPv6: what one line or machine holds.</summary>
    public required string Line { get; init; }

    public required int Version { get; init; }

    public string? Country { get; init; }

    public string? Region { get; init; }

    public string? City { get; init; }

    /// <summary>IANA zone of the location, if the database has it.</summary>
    public string? TimeZone { get; init; }

    public long? Asn { get; init; }

    public string? AsnOrganisation { get; init; }

    /// <summary>residential, carrier, business, education, hosting, vpn, proxy, tor, relay; null when unknown.</summary>
    public string? NetworkClass { get; init; }

    public bool? Hosting { get; init; }

    public bool? Vpn { get; init; }

    public bool? Tor { get; init; }

    public bool? Proxy { get; init; }

    /// <summary>VPN, Tor or proxy by any source; null when no source knows.</summary>
    public bool? Anonymiser { get; init; }

    /// <summary>0 to 1.</summary>
    public double? ResidentialProxyConfidence { get; init; }

    /// <summary>Device time zone plausible for the IP's country; null when either is missing.</summary>
    public bool? TimeZoneMatches { get; init; }

    /// <summary>Declared country against the IP's; null when either is missing.</summary>
    public bool? DeclaredCountryMatches { get; init; }

    /// <summary>Addresses in the forwarded chain, the client's included.</summary>
    public required int ForwardedHops { get; init; }
}

/// <summary>What the device, its browser and the way the form was filled tell.</summary>
public sealed record DeviceSignals
{
    public string? Browser { get; init; }

    public int? BrowserMajor { get; init; }

    public string? Os { get; init; }

    public string? OsVersion { get; init; }

    /// <summary>desktop, mobile, tablet, bot, other; null when unknown.</summary>
    public string? Kind { get; init; }

    public bool? Bot { get; init; }

    public bool? Headless { get; init; }

    public bool? Automation { get; init; }

    public bool? Emulator { get; init; }

    public bool? Rooted { get; init; }

    /// <summary>First language of Accept-Language, lower-case primary tag ("pt").</summary>
    public string? Language { get; init; }

    /// <summary>That language is spoken in the IP's country; null when either is missing.</summary>
    public bool? LanguageMatchesCountry { get; init; }

    public string? TimeZone { get; init; }

    /// <summary>The reported offset is one the reported zone has at that instant; null when either is missing.</summary>
    public bool? OffsetMatchesZone { get; init; }

    /// <summary>Stable codes of combinations no real device shows ("HINT_PLATFORM_MISMATCH"). Empty: none found.</summary>
    public required IReadOnlyList<string> Impossible { get; init; }

    public bool? HoneypotFilled { get; init; }

    public double? FormSeconds { get; init; }

    public double? TypingIntervalMs { get; init; }

    public bool? Pasted { get; init; }

    public int? SessionAgeSeconds { get; init; }
}

/// <summary>What the payment instrument tells.</summary>
public sealed record PaymentSignals
{
    public string? Kind { get; init; }

    public string? Bin { get; init; }

    public string? Funding { get; init; }

    public bool? Virtual { get; init; }

    public string? Brand { get; init; }

    public string? Issuer { get; init; }

    public string? IssuerCountry { get; init; }

    public bool? IssuerMatchesIpCountry { get; init; }

    public bool? IssuerMatchesBillingCountry { get; init; }

    public bool? BillingMatchesIpCountry { get; init; }

    /// <summary>match, partial, mismatch, unavailable.</summary>
    public string? Avs { get; init; }

    public string? Cvv { get; init; }

    public string? ThreeDSecure { get; init; }

    public bool? Authorised { get; init; }

    public string? DeclineCode { get; init; }

    /// <summary>Whole months from the signup to expiry; negative when expired.</summary>
    public int? MonthsToExpiry { get; init; }

    /// <summary>Stable codes ("EXPIRED", "EXPIRY_TOO_FAR"). Empty: none found.</summary>
    public required IReadOnlyList<string> ExpiryOddities { get; init; }

    /// <summary>Holder's family name agrees with the subject's; null when either is missing.</summary>
    public bool? HolderMatchesName { get; init; }
}
