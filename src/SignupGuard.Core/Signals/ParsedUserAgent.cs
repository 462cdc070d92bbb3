namespace SignupGuard.Core.Signals;

/// <summary>Operating systems as far as the consistency checks tell them apart.</summary>
public enum OsGroup : byte
{
    Unknown = 0,
    Windows,
    MacOs,
    Ios,
    Android,
    Linux,
    ChromeOs,
}

/// <summary>A user agent taken apart; everything that depends on its text alone, so that it can be kept per text.</summary>
public sealed record ParsedUserAgent
{
    /// <summary>Family ("Chrome Mobile"); null when no pattern knows it.</summary>
    public string? Browser { get; init; }

    public int? BrowserMajor { get; init; }

    /// <summary>Family ("Mac OS X"); null when no pattern knows it.</summary>
    public string? Os { get; init; }

    public string? OsVersion { get; init; }

    public int? OsMajor { get; init; }

    public OsGroup Group { get; init; }

    /// <summary>Model or family of the device ("iPhone", "SM-G991B"); null when unknown.</summary>
    public string? Model { get; init; }

    /// <summary>desktop, mobile, tablet, bot, other; null when unknown.</summary>
    public string? Kind { get; init; }

    /// <summary>Calls itself a crawler, a script or a command-line tool.</summary>
    public bool Bot { get; init; }

    public bool Headless { get; init; }

    public bool Emulator { get; init; }

    /// <summary>What <see cref="UserAgentConsistency.InText"/> found.</summary>
    public IReadOnlyList<string> Impossible { get; init; } = [];

    /// <summary>Major version after "Chrome/"; null when it is no Chromium.</summary>
    public int? ChromiumMajor { get; init; }

    /// <summary>Mozilla's engine or Apple's: such browsers send no client hints.</summary>
    public bool SendsNoClientHints { get; init; }

    /// <summary>The group of a family or platform name ("Windows", "macOS", "Mac OS X", "iPadOS 17.1").</summary>
    public static OsGroup GroupOf(ReadOnlySpan<char> name)
    {
        name = name.Trim().Trim('"');
        if (Starts(name, "Windows")) return OsGroup.Windows;
        if (Starts(name, "mac")) return OsGroup.MacOs;
        if (Starts(name, "iOS") || Starts(name, "iPad") || Starts(name, "iPhone")) return OsGroup.Ios;
        if (Starts(name, "Android")) return OsGroup.Android;
        if (Starts(name, "Chrome OS") || Starts(name, "ChromeOS") || Starts(name, "Chromium OS")) return OsGroup.ChromeOs;
        return Starts(name, "Linux") || Starts(name, "Ubuntu") || Starts(name, "Fedora") || Starts(name, "Debian") || Starts(name, "Red Hat") || Starts(name, "SUSE") || Starts(name, "Arch") || Starts(name, "Mint") || Starts(name, "Gentoo")
            ? OsGroup.Linux
            : OsGroup.Unknown;
    }

    private static bool Starts(ReadOnlySpan<char> name, ReadOnlySpan<char> word) => name.StartsWith(word, StringComparison.OrdinalIgnoreCase);
}
