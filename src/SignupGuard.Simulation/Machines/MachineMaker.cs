using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation.Machines;

/// <summary>Makes ordinary machines of a country.</summary>
internal static class MachineMaker
{
    private const long DayMs = 86_400_000;

    private static readonly Weighted<Browser> OnWindows = new((Browser.Chrome, 66), (Browser.Edge, 22), (Browser.Firefox, 8), (Browser.Opera, 4));
    private static readonly Weighted<Browser> OnMac = new((Browser.Chrome, 50), (Browser.Safari, 40), (Browser.Firefox, 8), (Browser.Edge, 2));
    private static readonly Weighted<Browser> OnLinux = new((Browser.Chrome, 56), (Browser.Firefox, 44));
    private static readonly Weighted<Browser> OnAndroid = new((Browser.Chrome, 81), (Browser.Samsung, 13), (Browser.Firefox, 3), (Browser.Edge, 3));
    private static readonly Weighted<Browser> OnIos = new((Browser.Safari, 86), (Browser.Chrome, 12), (Browser.Firefox, 2));

    private static readonly Weighted<(int, int)> WindowsScreens = new(
        ((1920, 1080), 36), ((1536, 864), 22), ((1366, 768), 9), ((2560, 1440), 12), ((1280, 720), 5), ((1920, 1200), 5), ((1440, 900), 3), ((1600, 900), 3),
        ((3840, 2160), 2), ((1707, 1067), 3));

    private static readonly Weighted<(int, int)> MacScreens = new(
        ((1440, 900), 26), ((1512, 982), 20), ((1470, 956), 18), ((1728, 1117), 14), ((1920, 1080), 9), ((2560, 1440), 9), ((1680, 1050), 4));

    private static readonly Weighted<(int, int)> LinuxScreens = new(((1920, 1080), 56), ((2560, 1440), 22), ((1366, 768), 9), ((3840, 2160), 6), ((1920, 1200), 7));

    private static readonly Weighted<string> WindowsVersions = new(("19.0.0", 38), ("15.0.0", 30), ("10.0.0", 32));
    private static readonly Weighted<string> MacVersions = new(("15.7.3", 36), ("26.2.0", 34), ("14.8.3", 16), ("13.7.8", 8), ("12.7.6", 6));
    private static readonly Weighted<string> LinuxVersions = new(("6.8.0", 46), ("6.14.0", 30), ("6.1.0", 24));
    private static readonly Weighted<string> AndroidVersions = new(("15", 34), ("14", 26), ("16", 12), ("13", 15), ("12", 8), ("11", 5));
    private static readonly Weighted<string> IosVersions = new(("26.2", 52), ("26.1", 10), ("18.7", 12), ("18.6", 14), ("17.6", 8), ("16.7", 4));

    /// <summary>Models with the screen they have, most common first.</summary>
    private static readonly (string Model, (int, int) Screen)[] AndroidModels =
    [
        ("SM-A155F", (384, 832)), ("SM-S921B", (360, 780)), ("Redmi Note 13", (393, 873)), ("SM-A546B", (360, 800)), ("Pixel 8", (412, 915)), ("SM-A057F", (360, 806)),
        ("moto g54 5G", (412, 915)), ("SM-S918B", (384, 824)), ("Redmi 13C", (360, 806)), ("CPH2591", (360, 804)), ("vivo V2322", (360, 804)), ("Pixel 9", (412, 923)),
        ("SM-S931B", (360, 780)), ("POCO X6 Pro", (407, 904)), ("Infinix X6531", (360, 800)), ("TECNO BG6", (360, 806)), ("SM-A346B", (360, 780)),
        ("Redmi Note 12", (393, 873)),
        ("Pixel 7a", (412, 915)), ("OnePlus CPH2581", (412, 919)), ("SM-G991B", (360, 800)), ("moto g84 5G", (412, 915)), ("SM-S928B", (412, 891)),
        ("Xiaomi 14T", (407, 904)),
        ("SM-A256B", (384, 832)), ("realme RMX3890", (360, 804)), ("HONOR X8b", (360, 792)), ("SM-A127F", (360, 800)), ("Pixel 6a", (412, 915)),
        ("Nokia G42 5G", (360, 806)),
    ];

    private static readonly (string Model, (int, int) Screen)[] IosModels =
    [
        ("iPhone15,4", (393, 852)), ("iPhone17,3", (393, 852)), ("iPhone14,5", (390, 844)), ("iPhone17,1", (402, 874)), ("iPhone18,3", (402, 874)),
        ("iPhone16,1", (393, 852)),
        ("iPhone13,2", (390, 844)), ("iPhone17,2", (440, 956)), ("iPhone12,1", (414, 896)), ("iPhone16,2", (430, 932)), ("iPhone14,7", (390, 844)),
        ("iPhone18,2", (440, 956)),
        ("iPhone15,3", (430, 932)), ("iPhone14,6", (375, 667)), ("iPhone14,3", (428, 926)),
    ];

    /// <summary>An ordinary machine.</summary>
    /// <param name="app">On a phone: whether the product's app is used rather than a browser.</param>
    public static Machine Make(RandomSource random, Country country, MachineSystem? system = null, bool app = false)
    {
        var os = system ?? country.Systems.Pick(random);
        var mobile = os is MachineSystem.Android or MachineSystem.Ios;
        var browser = app && mobile ? Browser.App : BrowsersOn(os).Pick(random);
        var (model, screen) = os switch
        {
            MachineSystem.Android => AndroidModels[random.Rank(AndroidModels.Length, 6)],
            MachineSystem.Ios => IosModels[random.Rank(IosModels.Length, 5)],
            _ => (null, Screens(os).Pick(random)),
        };
        return new Machine
        {
            System = os,
            Browser = browser,
            LagMs = Lag(random),
            SystemVersion = Versions(os).Pick(random),
            Model = model,
            Screen = screen,
            Languages = country.Languages.Pick(random),
            Zone = country.Zones.Pick(random),
            // Phones of one model are alike; desktops differ in graphics and fonts, some of them popular.
            Variant = os switch
            {
                MachineSystem.Ios => 0,
                MachineSystem.Android => (ulong)random.Rank(24, 2),
                _ => (ulong)(random.Rank(60, 2) * 1000 + random.Rank(400, 2)),
            },
            DeviceId = random.Hex(32),
            Quic = random.Chance(0.4),
            // Virus scanners open the connection themselves; a few people claim another browser than they have.
            Ja4Override = !mobile && random.Chance(0.025) ? Handshakes.Inspected[random.Rank(Handshakes.Inspected.Count, 1)] : null,
            EngineMajor = browser == Browser.Chrome && random.Chance(0.002) ? BrowserVersions.Oldest + random.Below(40) : null,
        };
    }

    /// <summary>One of two or three images a company or a computer room installs everywhere.</summary>
    public static Machine Image(RandomSource random, Country country) =>
        Make(random, country, random.Chance(0.78) ? MachineSystem.Windows : MachineSystem.MacOs) with
        {
            Zone = country.Zones.Pick(random),
            Quic = false,
        };

    public static Browser BrowserOn(RandomSource random, MachineSystem system) => BrowsersOn(system).Pick(random);

    /// <summary>Most machines update within two weeks, a few never.</summary>
    private static long Lag(RandomSource random) =>
        (long)((random.Chance(0.04) ? random.Between(60.0, 500) : random.Exponential(8)) * DayMs);

    private static Weighted<Browser> BrowsersOn(MachineSystem system) => system switch
    {
        MachineSystem.Windows => OnWindows,
        MachineSystem.MacOs => OnMac,
        MachineSystem.Linux => OnLinux,
        MachineSystem.Android => OnAndroid,
        _ => OnIos,
    };

    private static Weighted<(int, int)> Screens(MachineSystem system) => system switch
    {
        MachineSystem.Windows => WindowsScreens,
        MachineSystem.MacOs => MacScreens,
        _ => LinuxScreens,
    };

    private static Weighted<string> Versions(MachineSystem system) => system switch
    {
        MachineSystem.Windows => WindowsVersions,
        MachineSystem.MacOs => MacVersions,
        MachineSystem.Linux => LinuxVersions,
        MachineSystem.Android => AndroidVersions,
        _ => IosVersions,
    };
}
