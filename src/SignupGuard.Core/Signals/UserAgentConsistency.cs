using System.Globalization;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Signals;

/// <summary>
/// Combinations that no real device shows. Each has a stable code and names only what contradicts itself: what is merely rare is no
/// contradiction. Pure.
/// </summary>
public static class UserAgentConsistency
{
    /// <summary>Safari 6 or later on Windows; Apple ended it with 5.</summary>
    public const string SafariOnWindows = "SAFARI_ON_WINDOWS";

    /// <summary>Internet Explorer outside Windows.</summary>
    public const string ExplorerOffWindows = "EXPLORER_OFF_WINDOWS";

    /// <summary>A Windows NT version that user agents never carry (11.0).</summary>
    public const string WindowsVersionUnknown = "WINDOWS_VERSION_UNKNOWN";

    /// <summary>macOS 11 or later in the user agent of a browser that froze it at 10.15.</summary>
    public const string MacVersionNotFrozen = "MACOS_VERSION_NOT_FROZEN";

    /// <summary>Firefox's two version numbers disagree.</summary>
    public const string FirefoxVersionsDiffer = "FIREFOX_VERSIONS_DIFFER";

    /// <summary>Another engine than WebKit on an iPhone.</summary>
    public const string ForeignEngineOnIphone = "FOREIGN_ENGINE_ON_IPHONE";

    /// <summary>Safari's version is not that of its iOS.</summary>
    public const string SafariNotOfItsIos = "SAFARI_NOT_OF_ITS_IOS";

    /// <summary>A browser version that was never made for that old a system.</summary>
    public const string BrowserTooNewForOs = "BROWSER_TOO_NEW_FOR_OS";

    /// <summary>Client hints from a browser that sends none.</summary>
    public const string HintsFromOtherEngine = "HINTS_FROM_OTHER_ENGINE";

    /// <summary>The platform hint names another system than the user agent.</summary>
    public const string HintPlatformMismatch = "HINT_PLATFORM_MISMATCH";

    /// <summary>The mobile hint says the opposite of the user agent.</summary>
    public const string HintMobileMismatch = "HINT_MOBILE_MISMATCH";

    /// <summary>The hinted Chromium version is not the user agent's.</summary>
    public const string HintVersionMismatch = "HINT_VERSION_MISMATCH";

    /// <summary>A phone's model on a desktop system.</summary>
    public const string HintModelOnDesktop = "HINT_MODEL_ON_DESKTOP";

    /// <summary>The app's own platform and the user agent's system differ.</summary>
    public const string PlatformMismatch = "PLATFORM_MISMATCH";

    /// <summary>The iOS or Android way in, used from another system.</summary>
    public const string ChannelMismatch = "CHANNEL_MISMATCH";

    /// <summary>A phone with a desktop's screen.</summary>
    public const string PhoneWithDesktopScreen = "PHONE_WITH_DESKTOP_SCREEN";

    /// <summary>A screen nobody builds: a few pixels wide, or many times longer than wide.</summary>
    public const string ScreenOutOfProportion = "SCREEN_OUT_OF_PROPORTION";

    /// <summary>An offset from UTC that no place has had in this century.</summary>
    public const string OffsetNowhere = "OFFSET_NOWHERE";

    /// <summary>Rooted or jailbroken, on a system where root is no secret.</summary>
    public const string RootedDesktop = "ROOTED_DESKTOP";

    /// <summary>The form took longer than its session.</summary>
    public const string FormLongerThanSession = "FORM_LONGER_THAN_SESSION";

    /// <summary>The time between two key presses is longer than the time the form took.</summary>
    public const string TypingLongerThanForm = "TYPING_LONGER_THAN_FORM";

    private const int IphoneWideMax = 600;
    private const int IphoneLongMax = 1200;
    private const int AndroidPhoneWideMax = 1100;
    private const int ScreenMin = 50;
    private const int ScreenRatioMax = 6;

    /// <summary>Clocks of page and server differ a little.</summary>
    private const double SessionSlackSeconds = 5;

    /// <summary>What a user agent's text contradicts by itself.</summary>
    public static IReadOnlyList<string> InText(string text, ParsedUserAgent parsed)
    {
        List<string>? found = null;
        void Add(string code) => (found ??= []).Add(code);

        var (group, browser, major, chromium) = (parsed.Group, parsed.Browser, parsed.BrowserMajor, parsed.ChromiumMajor);
        if (group == OsGroup.Windows && browser is "Safari" && major >= 6) Add(SafariOnWindows);
        if (browser == "IE" && group is not (OsGroup.Windows or OsGroup.Unknown)) Add(ExplorerOffWindows);
        if (NumberAfter(text, "Windows NT ") is { } nt && nt is not (4 or 5 or 6 or 10)) Add(WindowsVersionUnknown);
        // Electron and other apps that embed Chromium write their own; only browsers are judged.
        if (group == OsGroup.MacOs
            && NumberAfter(text, "Mac OS X ") is > 10
            && (browser is "Safari" && major >= 14 || browser is "Chrome" or "Edge" && chromium >= 107 || browser is "Firefox" && major >= 87)
            && !text.Contains("Electron/", StringComparison.Ordinal))
        {
            Add(MacVersionNotFrozen);
        }
        // From 110 to 119 Firefox kept rv:109.0, lest servers take it for Internet Explorer 11.
        if (browser is "Firefox" or "Firefox Mobile"
            && NumberAfter(text, "rv:") is { } rv
            && NumberAfter(text, "Firefox/") is { } firefox
            && rv != firefox
            && !(rv == 109 && firefox is >= 110 and <= 119))
        {
            Add(FirefoxVersionsDiffer);
        }
        var iphone = text.Contains("(iPhone;", StringComparison.Ordinal) && text.Contains("like Mac OS X", StringComparison.Ordinal);
        if (iphone && !parsed.Bot && (chromium is not null || NumberAfter(text, "Firefox/") is not null)) Add(ForeignEngineOnIphone);
        // Until iOS 18 Safari had its system's version; since iOS 26 the system's is frozen at 18.
        if (iphone && browser == "Mobile Safari" && parsed.OsMajor is { } ios and >= 10 and <= 17 && NumberAfter(text, "Version/") is { } version && version != ios) Add(SafariNotOfItsIos);
        if (TooNew(text, parsed)) Add(BrowserTooNewForOs);
        return found ?? (IReadOnlyList<string>)[];
    }

    /// <summary>What the parts of a request contradict among each other, the user agent's own contradictions included.</summary>
    /// <param name="parsed">Null when no user agent was sent or it could not be parsed in time.</param>
    public static IReadOnlyList<string> InRequest(Signup signup, ParsedUserAgent? parsed)
    {
        if (signup.Device is not { } device) return [];
        List<string>? found = null;
        void Add(string code) => (found ??= [.. parsed?.Impossible ?? []]).Add(code);

        var group = parsed?.Group ?? OsGroup.Unknown;
        if (parsed is not null && device.ClientHints.Count > 0 && !parsed.Bot) Hints(device, parsed, Add);

        var platform = device.Platform is { } name ? ParsedUserAgent.GroupOf(name) : OsGroup.Unknown;
        if (platform != OsGroup.Unknown && group != OsGroup.Unknown && !Compatible(platform, group)) Add(PlatformMismatch);

        var system = platform != OsGroup.Unknown ? platform : group;
        if (!Fits(signup.Event.Channel, system)) Add(ChannelMismatch);
        if (device.Rooted == true && system is OsGroup.Windows or OsGroup.MacOs) Add(RootedDesktop);

        if (device is { ScreenWidth: { } width, ScreenHeight: { } height })
        {
            var (shorter, longer) = width < height ? (width, height) : (height, width);
            if (shorter < ScreenMin || longer > ScreenRatioMax * shorter) Add(ScreenOutOfProportion);
            var iphone = parsed is { Kind: "mobile", Group: OsGroup.Ios };
            var android = parsed is { Kind: "mobile", Group: OsGroup.Android };
            if ((iphone && (shorter > IphoneWideMax || longer > IphoneLongMax)) || (android && shorter > AndroidPhoneWideMax)) Add(PhoneWithDesktopScreen);
        }
        // The world's offsets run from −12:00 to +14:00 in quarters of an hour.
        if (device.UtcOffsetMinutes is { } offset && (offset % 15 != 0 || offset is < -720 or > 840)) Add(OffsetNowhere);
        if (device is { SessionAgeSeconds: { } age, FormSeconds: { } form } && form > age + SessionSlackSeconds) Add(FormLongerThanSession);
        if (device is { TypingIntervalMs: { } interval, FormSeconds: { } seconds } && interval > seconds * 1000) Add(TypingLongerThanForm);
        return found ?? parsed?.Impossible ?? [];
    }

    /// <summary>A client hint by its name without "sec-ch-ua-", unquoted; empty when not sent.</summary>
    public static ReadOnlySpan<char> Hint(DeviceInput device, string name) =>
        device.ClientHints.TryGetValue(name, out var value) ? value.AsSpan().Trim().Trim('"') : default;

    private static void Hints(DeviceInput device, ParsedUserAgent parsed, Action<string> add)
    {
        if (parsed.SendsNoClientHints)
        {
            add(HintsFromOtherEngine);
            return;
        }
        var platform = ParsedUserAgent.GroupOf(Hint(device, "platform"));
        if (platform != OsGroup.Unknown && parsed.Group != OsGroup.Unknown && platform != parsed.Group) add(HintPlatformMismatch);

        var mobile = Hint(device, "mobile");
        var desktop = parsed.Group is OsGroup.Windows or OsGroup.MacOs;
        if ((mobile.SequenceEqual("?1") && desktop) || (mobile.SequenceEqual("?0") && parsed is { Kind: "mobile", Group: OsGroup.Android, ChromiumMajor: not null })) add(HintMobileMismatch);
        if (desktop && !Hint(device, "model").IsEmpty) add(HintModelOnDesktop);
        if (parsed.ChromiumMajor is { } major && HintedChromium(device) is { } hinted && hinted != major) add(HintVersionMismatch);
    }

    private static int? HintedChromium(DeviceInput device)
    {
        // "Chromium";v="124": in the plain Sec-CH-UA header, whose name without its prefix is empty, or the full list.
        foreach (var name in (ReadOnlySpan<string>)["", "ua", "brands", "full-version-list"])
        {
            if (device.ClientHints.TryGetValue(name, out var list) && NumberAfter(list, "\"Chromium\";v=\"") is { } major) return major;
        }
        return null;
    }

    private static bool Compatible(OsGroup platform, OsGroup agent) =>
        platform == agent
        // An iPad asks for desktop pages as a Mac; Android apps run on Chrome OS, whose system is a Linux; Android is one too.
        || (platform, agent) is (OsGroup.Ios, OsGroup.MacOs) or (OsGroup.Android, OsGroup.ChromeOs) or (OsGroup.ChromeOs, OsGroup.Android)
            or (OsGroup.Android, OsGroup.Linux) or (OsGroup.ChromeOs, OsGroup.Linux) or (OsGroup.Linux, OsGroup.ChromeOs);

    private static bool Fits(string? channel, OsGroup system) => channel switch
    {
        "ios" => system is OsGroup.Unknown or OsGroup.Ios or OsGroup.MacOs,
        "android" => system is OsGroup.Unknown or OsGroup.Android or OsGroup.ChromeOs or OsGroup.Linux,
        "desktop" => system is not (OsGroup.Ios or OsGroup.Android),
        _ => true,
    };

    private static bool TooNew(string text, ParsedUserAgent parsed)
    {
        // The last Chromium for Windows 7 and 8 was 109, the last Firefox there 115 (extended support); for XP they were 49 and 52.
        if (parsed.Group == OsGroup.Windows && text.Contains("Windows NT 6.", StringComparison.Ordinal))
            return parsed.ChromiumMajor > 109 || (parsed is { Browser: "Firefox", BrowserMajor: > 115 });
        if (parsed.Group == OsGroup.Windows && text.Contains("Windows NT 5.", StringComparison.Ordinal))
            return parsed.ChromiumMajor > 49 || (parsed is { Browser: "Firefox", BrowserMajor: > 52 });
        // Chromium for Android: 4.4 ended with 81, 5 and 6 with 106 and 119, 7 with 119, 8 and 9 with 138.
        if (parsed is { Group: OsGroup.Android, OsMajor: { } android, ChromiumMajor: { } chromium })
        {
            return android switch
            {
                <= 4 => chromium > 81,
                5 => chromium > 106,
                6 or 7 => chromium > 119,
                8 or 9 => chromium > 138,
                _ => false,
            };
        }
        return false;
    }

    /// <summary>The whole number right after a marker; null when the marker or the number is not there.</summary>
    public static int? NumberAfter(ReadOnlySpan<char> text, ReadOnlySpan<char> marker)
    {
        var at = text.IndexOf(marker, StringComparison.Ordinal);
        if (at < 0) return null;
        var rest = text[(at + marker.Length)..];
        var length = 0;
        while (length < rest.Length && length < 6 && char.IsAsciiDigit(rest[length])) length++;
        return length == 0 ? null : int.Parse(rest[..length], NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
