using SignupGuard.Simulation.Randomness;

namespace SignupGuard.Simulation.World;

/// <summary>What is ordinary in one country: who lives there, on which lines, with which machines, phones, mailboxes and cards.</summary>
internal sealed class Country
{
    /// <summary>ISO 3166-1 alpha-2.</summary>
    public required string Code { get; init; }

    /// <summary>Share of the product's customers, relative.</summary>
    public required double Weight { get; init; }

    /// <summary>The list of <c>names.txt</c> most people's names come from.</summary>
    public required string Culture { get; init; }

    /// <summary>Cultures of the minority whose names come from elsewhere.</summary>
    public required string[] OtherCultures { get; init; }

    /// <summary>Accept-Language headers.</summary>
    public required Weighted<string> Languages { get; init; }

    public required Weighted<string> Zones { get; init; }

    /// <summary>Share of fixed lines that reach us over IPv6.</summary>
    public required double Ipv6Fixed { get; init; }

    /// <summary>Share of mobile connections that reach us over IPv6.</summary>
    public required double Ipv6Mobile { get; init; }

    /// <summary>E.164 patterns of mobile numbers: # is any digit.</summary>
    public required string[] Mobiles { get; init; }

    public required Weighted<string> MailProviders { get; init; }

    /// <summary>Operating systems of the machines people sign up with.</summary>
    public required Weighted<MachineSystem> Systems { get; init; }

    public required (string City, string Region, string Postal)[] Cities { get; init; }

    public required string[] Streets { get; init; }

    /// <summary>Domain of companies.</summary>
    public required string[] CompanyDomains { get; init; }

    /// <summary>Domain of universities ("ac.uk").</summary>
    public required string AcademicDomain { get; init; }

    /// <summary>Number of issuers whose cards are seen; their popularity is long-tailed.</summary>
    public required int Issuers { get; init; }

    /// <summary>Share of cards that are prepaid.</summary>
    public required double Prepaid { get; init; }

    public string MainLanguage => Languages.Items[0];

    public string MainZone => Zones.Items[0];
}

internal enum MachineSystem : byte
{
    Windows,
    MacOs,
    Linux,
    Android,
    Ios,
}
