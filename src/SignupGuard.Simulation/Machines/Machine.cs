using System.Collections.Concurrent;
using System.Globalization;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation.Machines;

/// <summary>
/// A machine people (or tools) sign up with. What it reports hangs together: user agent, hints, screen, languages, handshake.
/// Its fingerprint is a hash of what a page can see, so identical machines share it, and it changes when the browser moves on.
/// </summary>
internal sealed record Machine
{
    public required MachineSystem System { get; init; }

    public required Browser Browser { get; init; }

    /// <summary>How far behind the current browser version, milliseconds.</summary>
    public required long LagMs { get; init; }

    /// <summary>"15", "10.0.0": as hints and apps report it.</summary>
    public required string SystemVersion { get; init; }

    /// <summary>Phone model; null on desktops.</summary>
    public string? Model { get; init; }

    public required (int Width, int Height) Screen { get; init; }

    public required string Languages { get; init; }

    /// <summary>IANA name.</summary>
    public required string Zone { get; init; }

    /// <summary>Graphics, fonts, audio and the like: what tells machines of one model apart. Small numbers are common.</summary>
    public required ulong Variant { get; init; }

    /// <summary>Keychain id, attestation or device-bound cookie.</summary>
    public required string DeviceId { get; init; }

    /// <summary>A tool's fixed fingerprint, whatever it pretends to be.</summary>
    public string? FixedFingerprint { get; init; }

    /// <summary>The handshake of the library really used, where it is not the browser's.</summary>
    public string? Ja4Override { get; init; }

    /// <summary>The user agent a tool pretends, where it is not the browser's.</summary>
    public string? UserAgentOverride { get; init; }

    /// <summary>Sends no client hints although its browser would.</summary>
    public bool HintsMissing { get; init; }

    /// <summary>A tool's real engine, where it forgets to change the version in its hints.</summary>
    public int? EngineMajor { get; init; }

    public bool Automation { get; init; }

    public bool Emulator { get; init; }

    public bool Rooted { get; init; }

    /// <summary>Over HTTP/3, where the handshake looks different.</summary>
    public bool Quic { get; init; }

    public bool Mobile => System is MachineSystem.Android or MachineSystem.Ios;

    private static readonly ConcurrentDictionary<(MachineSystem, Browser, int, int, string?), string> UserAgents = new();
    private static readonly ConcurrentDictionary<(Browser, int, int), string> BrandLists = new();

    public int Major(long atMs) => BrowserVersions.Major(Browser, atMs - LagMs);

    public int Minor(long atMs) => BrowserVersions.Minor(Browser, atMs - LagMs);

    public string Fingerprint(long atMs)
    {
        if (FixedFingerprint is { } fingerprint) return fingerprint;
        var hash = RandomSource.Mix(Variant + ((ulong)System << 56) + ((ulong)Browser << 48) + (ulong)Major(atMs));
        hash = RandomSource.Mix(hash ^ ((ulong)Screen.Width << 20) ^ (ulong)Screen.Height);
        hash = RandomSource.Mix(hash ^ RandomSource.Hash(Languages));
        hash = RandomSource.Mix(hash ^ RandomSource.Hash(Zone));
        hash = RandomSource.Mix(hash ^ RandomSource.Hash(SystemVersion));
        // A page on an iPhone learns no more than the screen.
        if (Model is not null && System != MachineSystem.Ios) hash = RandomSource.Mix(hash ^ RandomSource.Hash(Model));
        return string.Create(CultureInfo.InvariantCulture, $"{hash:x16}{RandomSource.Mix(hash + 1):x16}");
    }

    public string UserAgent(long atMs)
    {
        if (UserAgentOverride is not null) return UserAgentOverride;
        var major = Major(atMs);
        var minor = Browser is Browser.Safari or Browser.App ? Minor(atMs) : 0;
        var model = Browser == Browser.App ? $"{SystemVersion}; {Model}" : System == MachineSystem.Ios ? SystemVersion : null;
        return UserAgents.GetOrAdd((System, Browser, major, minor, model), static key => Make(key));
    }

    /// <summary>The full-version-list hint of a Chromium browser.</summary>
    public string Brands(long atMs)
    {
        var major = Major(atMs);
        var chromium = EngineMajor ?? Chromium(Browser, major);
        return BrandLists.GetOrAdd((Browser, major, chromium), static key => string.Create(CultureInfo.InvariantCulture, $"{key.Item1 switch
        {
            Browser.Edge => $"\"Microsoft Edge\";v=\"{key.Item2}.0.0.0\"",
            Browser.Opera => $"\"Opera\";v=\"{key.Item2}.0.0.0\"",
            Browser.Samsung => $"\"Samsung Internet\";v=\"{key.Item2}.0.0.0\"",
            _ => $"\"Google Chrome\";v=\"{key.Item3}.0.{7000 + key.Item3 * 3}.{key.Item3 % 90 + 60}\"",
        }}, \"Chromium\";v=\"{key.Item3}.0.{7000 + key.Item3 * 3}.{key.Item3 % 90 + 60}\", \"Not_A Brand\";v=\"24.0.0.0\""));
    }

    public string Ja4(long atMs) => Ja4Override ?? Handshakes.Of(Browser, System, Quic, Chromium(Browser, Major(atMs)));

    /// <summary>"iOS 26.2", as the app reports it; null on the web.</summary>
    public string? Platform => Browser != Browser.App ? null : (System == MachineSystem.Ios ? "iOS " : "Android ") + SystemVersion;

    /// <summary>Whether the browser sends Sec-CH-UA headers.</summary>
    public bool SendsHints => !HintsMissing && Browser is Browser.Chrome or Browser.Edge or Browser.Opera or Browser.Samsung && System != MachineSystem.Ios;

    /// <summary>The Chromium a browser's version is built on.</summary>
    private static int Chromium(Browser browser, int major) => browser switch
    {
        Browser.Opera => major + 16,
        Browser.Samsung => major + 107,
        _ => major,
    };

    private static string Make((MachineSystem System, Browser Browser, int Major, int Minor, string? Detail) key)
    {
        var (system, browser, major, minor, detail) = key;
        if (browser == Browser.App)
            return string.Create(CultureInfo.InvariantCulture, $"Lumen/{major}.{minor}.0 ({(system == MachineSystem.Ios ? "iPhone; iOS" : "Android")} {detail})");
        if (system == MachineSystem.Ios)
        {
            // From 26 on, the system version in the user agent stays at 18.
            var shown = detail!.StartsWith("26", StringComparison.Ordinal) ? "18_7" : detail.Replace('.', '_');
            var name = browser switch
            {
                Browser.Chrome => $"CriOS/{major}.0.0.0 Mobile/15E148 Safari/604.1",
                Browser.Firefox => $"FxiOS/{major}.0 Mobile/15E148 Safari/605.1.15",
                _ => $"Version/{detail} Mobile/15E148 Safari/604.1",
            };
            return $"Mozilla/5.0 (iPhone; CPU iPhone OS {shown} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) {name}";
        }
        var platform = system switch
        {
            MachineSystem.Windows => "Windows NT 10.0; Win64; x64",
            MachineSystem.MacOs => "Macintosh; Intel Mac OS X 10_15_7",
            MachineSystem.Linux => "X11; Linux x86_64",
            _ => "Linux; Android 10; K",
        };
        var prefix = $"Mozilla/5.0 ({platform}) AppleWebKit/537.36 (KHTML, like Gecko)";
        switch (browser)
        {
            case Browser.Firefox:
                var gecko = system switch
                {
                    MachineSystem.MacOs => "Macintosh; Intel Mac OS X 10.15",
                    MachineSystem.Android => "Android 15; Mobile",
                    _ => platform,
                };
                return $"Mozilla/5.0 ({gecko}; rv:{major}.0) Gecko/{(system == MachineSystem.Android ? $"{major}.0" : "20100101")} Firefox/{major}.0";
            case Browser.Safari:
                return $"Mozilla/5.0 ({platform}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{major}.{minor} Safari/605.1.15";
            case Browser.Samsung:
                return $"{prefix} SamsungBrowser/{major}.0 Chrome/{Chromium(browser, major)}.0.0.0 Mobile Safari/537.36";
            default:
                var chrome = Chromium(browser, major);
                var suffix = browser switch
                {
                    Browser.Edge => system == MachineSystem.Android ? $" EdgA/{major}.0.0.0" : $" Edg/{major}.0.0.0",
                    Browser.Opera => $" OPR/{major}.0.0.0",
                    _ => "",
                };
                return $"{prefix} Chrome/{chrome}.0.0.0{(system == MachineSystem.Android ? " Mobile" : "")} Safari/537.36{suffix}";
        }
    }
}

/// <summary>TLS client fingerprints in the JA4 form, one per client stack.</summary>
internal static class Handshakes
{
    public const string Python = "t13d1812h1_85036bcba153_375ca2c5e164";
    public const string Go = "t13d1311h2_f57a49df2dcb_e7c285222651";
    public const string Node = "t13d5212h1_b262b3658495_8e6e362c5eac";

    /// <summary>Chromium before it changed; also what imitation libraries stopped at.</summary>
    public const string OldChromium = "t13d1516h2_8daaf6152771_02713d6af862";

    /// <summary>Connections that a virus scanner or a company's gateway opens in the browser's stead; one of them is built on an old Chromium.</summary>
    public static readonly IReadOnlyList<string> Inspected = ["t13d3112h1_e8f1e7e78f70_b26ce05bbdd6", "t13d1713h2_5b57614c22b0_748f4c70de1c", OldChromium, Go];

    public const string HeadlessChromium = "t13d1517h2_8daaf6152771_b1ff8ab2d16f";

    /// <summary>The first Chromium with today's handshake; many machines are behind.</summary>
    private const int NewHandshakeSince = 137;

    public static string Of(Browser browser, MachineSystem system, bool quic, int chromium) => (browser, system) switch
    {
        (Browser.App, MachineSystem.Ios) => "t13d2613h2_2802a3db6c62_845d286b0d67",
        (Browser.App, _) => "t13d1513h2_8daaf6152771_eca864cca44a",
        (Browser.Safari, MachineSystem.Ios) or (_, MachineSystem.Ios) => "t13d2013h2_a09f3c656075_7f0f34a4126d",
        (Browser.Safari, _) => "t13d2014h2_a09f3c656075_14788d8d241b",
        (Browser.Firefox, _) => quic ? "q13d0310h3_55b375c5d22e_60ba2d1f0ecb" : "t13d1717h2_5b57614c22b0_3cbfd9057e0d",
        _ when chromium < NewHandshakeSince => quic ? "q13d0311h3_55b375c5d22e_5a1f323f8f4b" : OldChromium,
        _ => quic ? "q13d0312h3_55b375c5d22e_06cda9e17597" : "t13d1516h2_8daaf6152771_d8a2da3f94cd",
    };
}
