namespace SignupGuard.Simulation.Machines;

internal enum Browser : byte
{
    Chrome,
    Edge,
    Firefox,
    Safari,
    Opera,
    Samsung,

    /// <summary>The product's own app.</summary>
    App,
}

/// <summary>Which version a browser has on a day: they move on every few weeks, and fingerprints with them.</summary>
internal static class BrowserVersions
{
    /// <summary>Chromium versions older than this are hardly seen.</summary>
    public const int Oldest = 104;

    private const long DayMs = 86_400_000;

    /// <summary>2026-01-13, when Chrome 144 and Firefox 147 came out.</summary>
    private const long AnchorMs = 1_768_262_400_000;

    /// <summary>Major version current at an instant.</summary>
    public static int Major(Browser browser, long atMs)
    {
        var days = (int)Math.Floor((atMs - AnchorMs) / (double)DayMs);
        return browser switch
        {
            Browser.Chrome or Browser.Edge => Math.Max(60, 144 + FloorDiv(days, 28)),
            Browser.Opera => Math.Max(60, 126 + FloorDiv(days, 28)),
            Browser.Firefox => Math.Max(60, 147 + FloorDiv(days, 28)),
            Browser.Samsung => Math.Max(12, 29 + FloorDiv(days, 112)),
            // Named by year since 26; a new one each September.
            Browser.Safari => Math.Max(13, 26 + FloorDiv(days + 120, 365)),
            _ => Math.Max(1, 4 + FloorDiv(days, 365)),
        };
    }

    /// <summary>Second number where it shows (Safari, the app).</summary>
    public static int Minor(Browser browser, long atMs)
    {
        var days = (int)Math.Floor((atMs - AnchorMs) / (double)DayMs);
        return browser == Browser.Safari ? Math.Min(6, Mod(days + 120, 365) / 52) : Mod(days, 365) / 14;
    }

    private static int FloorDiv(int a, int b) => (int)Math.Floor(a / (double)b);

    private static int Mod(int a, int b) => ((a % b) + b) % b;
}
