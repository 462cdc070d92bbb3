using System.Net;

namespace SignupGuard.Core.Signups;

/// <summary>
/// One account registration, validated and bounded, as the caller sent it. Absent values are <c>null</c>, never "" or 0.
/// Made from the contract's message by one map in the service; bounds are those of <c>signup.proto</c>.
/// </summary>
public sealed record Signup
{
    /// <summary>The caller's id; unique within a tenant. 1 to 128 characters.</summary>
    public required string SignupId { get; init; }

    /// <summary>When the form was submitted. Counters count in this time, not in the service's.</summary>
    public required DateTimeOffset OccurredAt { get; init; }

    public SignupEvent Event { get; init; } = SignupEvent.None;

    public Subject Subject { get; init; } = Subject.None;

    public EmailInput? Email { get; init; }

    public PhoneInput? Phone { get; init; }

    public ExternalIdentity? ExternalIdentity { get; init; }

    public NetworkInput? Network { get; init; }

    public DeviceInput? Device { get; init; }

    public PaymentInput? Payment { get; init; }

    /// <summary>The caller's own values by name: string, double or bool.</summary>
    public IReadOnlyDictionary<string, object> Custom { get; init; } = System.Collections.Frozen.FrozenDictionary<string, object>.Empty;
}

/// <summary>Where in the product the registration happened. Enumerations are lower-case words of the contract ("web", "enforce").</summary>
public sealed record SignupEvent(string? Channel, string? Product, string? Campaign, string? ReferralCode, bool EvaluateOnly)
{
    public static readonly SignupEvent None = new(null, null, null, null, false);
}

/// <summary>Who says they sign up.</summary>
public sealed record Subject
{
    public static readonly Subject None = new();

    public string? AccountId { get; init; }

    public string? FullName { get; init; }

    public string? GivenName { get; init; }

    public string? FamilyName { get; init; }

    public string? Username { get; init; }

    /// <summary>Years.</summary>
    public int? Age { get; init; }

    public string? Language { get; init; }

    public string? Country { get; init; }

    public string? TimeZone { get; init; }

    public string? Organisation { get; init; }

    /// <summary>personal, team, education, startup_programme, enterprise, nonprofit.</summary>
    public string? AccountType { get; init; }

    public string? DeclaredUse { get; init; }
}

/// <param name="DomainRegisteredAt">When the domain was registered, by the caller's look-up (RDAP).</param>
public sealed record EmailInput(string Address, DateTimeOffset? VerifiedAt, DateTimeOffset? DomainRegisteredAt = null);

public sealed record PhoneInput(string Number, string? Region, DateTimeOffset? VerifiedAt, string? LineType);

public sealed record ExternalIdentity(string Provider, string Subject, bool? EmailVerified);

public sealed record NetworkInput
{
    public IPAddress? Ip { get; init; }

    public IReadOnlyList<IPAddress> ForwardedFor { get; init; } = [];

    public int? Port { get; init; }

    public string? Ja4 { get; init; }

    public string? Ja4h { get; init; }

    public EdgeIpIntelligence? Edge { get; init; }
}

/// <summary>IP facts from the caller's edge; used where no local database knows better.</summary>
public sealed record EdgeIpIntelligence(
    string? Country,
    long? Asn,
    string? AsnOrganisation,
    string? NetworkClass,
    bool? Anonymiser,
    double? ResidentialProxyConfidence);

public sealed record DeviceInput
{
    public string? DeviceId { get; init; }

    public string? Fingerprint { get; init; }

    public string? UserAgent { get; init; }

    public IReadOnlyDictionary<string, string> ClientHints { get; init; } = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;

    public string? AcceptLanguage { get; init; }

    public string? Platform { get; init; }

    public string? AppVersion { get; init; }

    public int? ScreenWidth { get; init; }

    public int? ScreenHeight { get; init; }

    public string? TimeZone { get; init; }

    /// <summary>Minutes, east positive.</summary>
    public int? UtcOffsetMinutes { get; init; }

    public bool? Automation { get; init; }

    public bool? Emulator { get; init; }

    public bool? Rooted { get; init; }

    public string? SessionId { get; init; }

    public int? SessionAgeSeconds { get; init; }

    public bool? HoneypotFilled { get; init; }

    public double? FormSeconds { get; init; }

    public double? TypingIntervalMs { get; init; }

    public bool? Pasted { get; init; }
}

public sealed record PaymentInput
{
    public string? InstrumentFingerprint { get; init; }

    public string? Kind { get; init; }

    public string? Bin { get; init; }

    public string? LastFour { get; init; }

    public int? ExpiryMonth { get; init; }

    public int? ExpiryYear { get; init; }

    /// <summary>credit, debit, prepaid.</summary>
    public string? Funding { get; init; }

    public string? Brand { get; init; }

    public string? Issuer { get; init; }

    public string? IssuerCountry { get; init; }

    public string? Wallet { get; init; }

    public bool? Virtual { get; init; }

    public string? HolderName { get; init; }

    public BillingAddress? BillingAddress { get; init; }

    /// <summary>match, partial, mismatch, unavailable.</summary>
    public string? AvsResult { get; init; }

    public string? CvvResult { get; init; }

    /// <summary>authenticated, attempted, failed, unavailable.</summary>
    public string? ThreeDSecure { get; init; }

    public bool? Authorised { get; init; }

    public string? DeclineCode { get; init; }
}

public sealed record BillingAddress(string? Line1, string? Line2, string? City, string? Region, string? PostalCode, string? Country);
