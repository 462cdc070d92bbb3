using System.Reflection;
using System.Text.Json;
using CsCheck;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;

namespace SignupGuard.IntegrationTests.Signals;

public sealed class DeviceSignalTests
{
    private const string ChromeWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
    private const string ChromeMac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
    private const string ChromeAndroid = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";
    private const string SafariIphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
    private const string FirefoxWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";

    private static string DataFolder => new SignalOptions().ReferenceDataFolder;

    // Browsers and apps as people have them: family, major version, system, kind.
    [TestCase(ChromeWindows, "Chrome", 131, "Windows", "desktop")]
    [TestCase(ChromeMac, "Chrome", 131, "Mac OS X", "desktop")]
    [TestCase(ChromeAndroid, "Chrome Mobile", 131, "Android", "mobile")]
    [TestCase(SafariIphone, "Mobile Safari", 17, "iOS", "mobile")]
    [TestCase(FirefoxWindows, "Firefox", 133, "Windows", "desktop")]
    [TestCase("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0", "Edge", 130, "Windows", "desktop")]
    [TestCase("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15", "Safari", 17, "Mac OS X", "desktop")]
    [TestCase("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1", "Mobile Safari", 26, "iOS", "mobile")]
    [TestCase("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "Chrome Mobile iOS", 126, "iOS", "mobile")]
    [TestCase("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15", "Firefox iOS", 127, "iOS", "mobile")]
    [TestCase("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1", "Mobile Safari", 16, "iOS", "tablet")]
    [TestCase("Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", "Samsung Internet", 25, "Android", "mobile")]
    [TestCase("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "Chrome", 131, "Android", "tablet")]
    [TestCase("Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "Firefox Mobile", 132, "Android", "mobile")]
    [TestCase("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "Firefox", 115, "Ubuntu", "desktop")]
    [TestCase("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/118.0", "Firefox", 118, "Linux", "desktop")]
    [TestCase("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "Chrome", 131, "Chrome OS", "desktop")]
    [TestCase("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Safari/605.1.15", "Safari", 16, "Linux", "desktop")]
    [TestCase("Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36", "Chrome", 109, "Windows", "desktop")]
    [TestCase("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "IE", 11, "Windows", "desktop")]
    [TestCase("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0", "Opera", 115, "Windows", "desktop")]
    public void Browsers_of_people_are_known_and_show_nothing_impossible(string text, string browser, int major, string os, string kind)
    {
        var device = Collect(text);
        Assert.That((device.Browser, device.BrowserMajor, device.Os, device.Kind), Is.EqualTo((browser, (int?)major, os, kind)));
        Assert.That((device.Bot, device.Headless, device.Emulator), Is.EqualTo(((bool?)false, (bool?)false, (bool?)false)));
        Assert.That(device.Impossible, Is.Empty);
    }

    [TestCase("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36", true)]
    [TestCase("Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1", true)]
    [TestCase("python-requests/2.32.3", false)]
    [TestCase("curl/8.5.0", false)]
    [TestCase("Go-http-client/2.0", false)]
    [TestCase("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", false)]
    [TestCase("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", false)]
    public void Tools_crawlers_and_headless_browsers_are_bots(string text, bool headless)
    {
        var device = Collect(text);
        Assert.That((device.Bot, device.Headless, device.Kind), Is.EqualTo(((bool?)true, (bool?)headless, "bot")));
    }

    [TestCase("okhttp/4.12.0", "android")]
    [TestCase("Shop/5.2 CFNetwork/1496.0.7 Darwin/23.5.0", "ios")]
    public void An_apps_own_library_makes_no_bot_of_its_user(string text, string channel)
    {
        var signup = Signup(new DeviceInput { UserAgent = text }, channel);
        var device = SignalFixture.Signals.Collect(signup).Device.Value!;
        Assert.That((device.Bot, device.Impossible), Is.EqualTo(((bool?)null, Array.Empty<string>())));
    }

    [Test]
    public void Every_user_agent_of_the_crawler_list_is_a_bot()
    {
        var parser = SignalFixture.Restored.Current.UserAgents!;
        var missed = CrawlerInstances().Where(text => !parser.Parse(text).Bot).ToList();
        Assert.That(missed, Is.Empty);
    }

    [Test]
    public void The_filter_and_the_safe_engine_change_no_result()
    {
        var parser = SignalFixture.Restored.Current.UserAgents!;
        var whole = UserAgentParser.Read(Path.Combine(DataFolder, "uap-core/regexes.yaml"), Path.Combine(DataFolder, "crawler-user-agents/crawler-user-agents.json"), plainly: true);
        // Some of the list's two thousand, from every corner of it, and the browsers above.
        var texts = CrawlerInstances().Where((_, i) => i % 10 == 0)
            .Concat(typeof(DeviceSignalTests).GetMethod(nameof(Browsers_of_people_are_known_and_show_nothing_impossible))!.GetCustomAttributes<TestCaseAttribute>().Select(test => (string)test.Arguments[0]!));
        foreach (var text in texts) Assert.That(Compared(parser.Parse(text)), Is.EqualTo(Compared(whole.Parse(text))), text);
    }

    [Test]
    public void Any_text_can_be_parsed() =>
        Gen.String[0, 300].Sample(text => SignalFixture.Restored.Current.UserAgents!.Parse(text) is not null);

    [Test]
    public void A_long_hostile_text_is_parsed_without_backtracking()
    {
        var parsed = SignalFixture.Restored.Current.UserAgents!.Parse("Mozilla/5.0 (" + string.Concat(Enumerable.Repeat("a; Linux ", 100_000)));
        Assert.That(parsed.Os, Is.EqualTo("Linux"));
    }

    private static IEnumerable<TestCaseData> Contradictions()
    {
        TestCaseData Case(string code, DeviceInput device, string channel = "web") => new TestCaseData(code, device, channel).SetArgDisplayNames(code);

        yield return Case(UserAgentConsistency.SafariOnWindows, Agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"));
        yield return Case(UserAgentConsistency.ExplorerOffWindows, Agent("Mozilla/5.0 (compatible; MSIE 10.0; Macintosh; Intel Mac OS X 10_7_3; Trident/6.0)"));
        yield return Case(UserAgentConsistency.WindowsVersionUnknown, Agent("Mozilla/5.0 (Windows NT 11.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"));
        yield return Case(UserAgentConsistency.MacVersionNotFrozen, Agent("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_2_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"));
        yield return Case(UserAgentConsistency.FirefoxVersionsDiffer, Agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/133.0"));
        yield return Case(UserAgentConsistency.ForeignEngineOnIphone, Agent("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"));
        yield return Case(UserAgentConsistency.SafariNotOfItsIos, Agent("Mozilla/5.0 (iPhone; CPU iPhone OS 15_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"));
        yield return Case(UserAgentConsistency.BrowserTooNewForOs, Agent("Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"));
        yield return Case(UserAgentConsistency.HintsFromOtherEngine, Agent(FirefoxWindows, ("platform", "\"Windows\"")));
        yield return Case(UserAgentConsistency.HintPlatformMismatch, Agent(ChromeWindows, ("platform", "\"Linux\"")));
        yield return Case(UserAgentConsistency.HintMobileMismatch, Agent(ChromeWindows, ("mobile", "?1")));
        yield return Case(UserAgentConsistency.HintVersionMismatch, Agent(ChromeWindows, ("ua", "\"Google Chrome\";v=\"120\", \"Chromium\";v=\"120\", \"Not?A_Brand\";v=\"24\"")));
        yield return Case(UserAgentConsistency.HintModelOnDesktop, Agent(ChromeMac, ("model", "\"Pixel 8\"")));
        yield return Case(UserAgentConsistency.PlatformMismatch, Agent(ChromeWindows) with { Platform = "macOS 15" });
        yield return Case(UserAgentConsistency.ChannelMismatch, Agent(ChromeAndroid), "ios");
        yield return Case(
            UserAgentConsistency.PhoneWithDesktopScreen,
            Agent(SafariIphone) with
            {
                ScreenWidth = 1920,
                ScreenHeight = 1080,
            });
        yield return Case(
            UserAgentConsistency.ScreenOutOfProportion,
            Agent(ChromeWindows) with
            {
                ScreenWidth = 1,
                ScreenHeight = 1,
            });
        yield return Case(UserAgentConsistency.OffsetNowhere, Agent(ChromeWindows) with { UtcOffsetMinutes = 67 });
        yield return Case(UserAgentConsistency.RootedDesktop, Agent(ChromeWindows) with { Rooted = true });
        yield return Case(
            UserAgentConsistency.FormLongerThanSession,
            Agent(ChromeWindows) with
            {
                FormSeconds = 90,
                SessionAgeSeconds = 30,
            });
        yield return Case(
            UserAgentConsistency.TypingLongerThanForm,
            Agent(ChromeWindows) with
            {
                FormSeconds = 0.2,
                TypingIntervalMs = 400,
            });
    }

    [TestCaseSource(nameof(Contradictions))]
    public void Each_contradiction_has_its_code_and_no_other(string code, DeviceInput device, string channel) =>
        Assert.That(SignalFixture.Signals.Collect(Signup(device, channel)).Device.Value!.Impossible, Is.EqualTo(new[] { code }));

    [Test]
    public void Every_code_is_shown_by_a_case()
    {
        var codes = typeof(UserAgentConsistency).GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!);
        Assert.That(Contradictions().Select(test => (string)test.Arguments[0]!), Is.EquivalentTo(codes));
    }

    private static IEnumerable<TestCaseData> Ordinary()
    {
        TestCaseData Case(string name, DeviceInput device, string channel = "web") => new TestCaseData(device, channel).SetArgDisplayNames(name);

        yield return Case("Chrome on Windows with its hints", Agent(ChromeWindows, ("platform", "\"Windows\""), ("mobile", "?0"), ("ua", "\"Google Chrome\";v=\"131\", \"Chromium\";v=\"131\", \"Not_A Brand\";v=\"24\""), ("model", "\"\"")));
        yield return Case("Chrome on a Mac with its hints", Agent(ChromeMac, ("platform", "\"macOS\""), ("mobile", "?0")));
        yield return Case("Chrome on Android with its hints", Agent(ChromeAndroid, ("platform", "\"Android\""), ("mobile", "?1"), ("model", "\"Pixel 8\"")));
        yield return Case("an iPad asking for desktop pages in an app", Agent("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15") with { Platform = "iPadOS 17.4" }, "ios");
        yield return Case(
            "the largest iPhone",
            Agent(SafariIphone) with
            {
                ScreenWidth = 440,
                ScreenHeight = 956,
            });
        yield return Case(
            "a wide desktop screen",
            Agent(ChromeWindows) with
            {
                ScreenWidth = 5120,
                ScreenHeight = 1440,
            });
        yield return Case("Nepal", Agent(ChromeWindows) with { UtcOffsetMinutes = 345 });
        yield return Case(
            "an unfolded phone",
            Agent(ChromeAndroid) with
            {
                ScreenWidth = 906,
                ScreenHeight = 1080,
            });
        yield return Case("a rooted phone", Agent(ChromeAndroid) with { Rooted = true }, "android");
        yield return Case(
            "a form as long as its session",
            Agent(ChromeWindows) with
            {
                FormSeconds = 30.4,
                SessionAgeSeconds = 30,
                TypingIntervalMs = 180,
            });
    }

    [TestCaseSource(nameof(Ordinary))]
    public void Ordinary_devices_contradict_nothing(DeviceInput device, string channel) =>
        Assert.That(SignalFixture.Signals.Collect(Signup(device, channel)).Device.Value!.Impossible, Is.Empty);

    [TestCase("America/New_York", "73.162.10.20", true)]
    [TestCase("US/Pacific", "73.162.10.20", true)]
    [TestCase("Asia/Shanghai", "73.162.10.20", false)]
    [TestCase("Europe/Berlin", "91.10.20.30", true)]
    [TestCase("Asia/Calcutta", "49.36.10.1", true)]
    [TestCase("Asia/Kolkata", "49.36.10.1", true)]
    [TestCase("UTC", "73.162.10.20", null)]
    [TestCase("Etc/GMT+5", "73.162.10.20", null)]
    [TestCase("Europe/Berlin", "10.0.0.1", null)]
    public void A_time_zone_is_held_against_the_addresss_country(string zone, string ip, bool? matches)
    {
        var signals = SignalFixture.Signals.Collect(SignalFixture.From(ip) with { Device = new DeviceInput { TimeZone = zone } });
        Assert.That(signals.Ip.Value?.TimeZoneMatches, Is.EqualTo(matches));
    }

    [TestCase("en-US,en;q=0.9", "73.162.10.20", "en", true)]
    [TestCase("es-MX", "73.162.10.20", "es", true)]
    [TestCase("ru-RU,ru", "73.162.10.20", "ru", false)]
    [TestCase("de", "91.10.20.30", "de", true)]
    [TestCase("en", "91.10.20.30", "en", true)]
    [TestCase("vi", "91.10.20.30", "vi", false)]
    [TestCase("hi", "49.36.10.1", "hi", true)]
    [TestCase("*", "73.162.10.20", null, null)]
    [TestCase("de", "10.0.0.1", "de", null)]
    public void A_language_is_held_against_the_addresss_country(string header, string ip, string? language, bool? matches)
    {
        var device = SignalFixture.Signals.Collect(SignalFixture.From(ip) with { Device = new DeviceInput { AcceptLanguage = header } }).Device.Value!;
        Assert.That((device.Language, device.LanguageMatchesCountry), Is.EqualTo((language, matches)));
    }

    [TestCase("America/New_York", "2026-07-01T12:00:00Z", -240, true)]
    [TestCase("America/New_York", "2026-01-01T12:00:00Z", -240, false)]
    [TestCase("America/New_York", "2026-01-01T12:00:00Z", -300, true)]
    [TestCase("Asia/Kolkata", "2026-01-01T12:00:00Z", 330, true)]
    [TestCase("Europe/Berlin", "2026-01-01T12:00:00Z", 480, false)]
    [TestCase("Nowhere/Land", "2026-01-01T12:00:00Z", 0, null)]
    [TestCase(null, "2026-01-01T12:00:00Z", 0, null)]
    public void An_offset_is_held_against_its_zone_at_that_instant(string? zone, string at, int offset, bool? matches)
    {
        var signup = Signup(new DeviceInput
        {
            TimeZone = zone,
            UtcOffsetMinutes = offset,
        }) with
        { OccurredAt = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture) };
        Assert.That(SignalFixture.Signals.Collect(signup).Device.Value!.OffsetMatchesZone, Is.EqualTo(matches));
    }

    [TestCase("Mozilla/5.0 (Linux; Android 14; sdk_gphone64_x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36", null, true)]
    [TestCase(ChromeAndroid, true, true)]
    [TestCase(ChromeAndroid, false, false)]
    [TestCase(ChromeAndroid, null, false)]
    [TestCase(null, null, null)]
    public void An_emulator_shows_by_the_app_or_its_model(string? text, bool? said, bool? emulator)
    {
        var device = SignalFixture.Signals.Collect(Signup(new DeviceInput
        {
            UserAgent = text,
            Emulator = said,
        })).Device.Value!;
        Assert.That(device.Emulator, Is.EqualTo(emulator));
    }

    private static DeviceSignals Collect(string text) => SignalFixture.Signals.Collect(Signup(Agent(text))).Device.Value!;

    private static DeviceInput Agent(string text, params (string Name, string Value)[] hints) => new()
    {
        UserAgent = text,
        ClientHints = hints.ToDictionary(hint => hint.Name, hint => hint.Value),
    };

    private static Signup Signup(DeviceInput device, string channel = "web") => SignalFixture.Signup() with
    {
        Device = device,
        Event = new SignupEvent(channel, null, null, null, false),
    };

    private static object Compared(ParsedUserAgent parsed) => (parsed.Browser, parsed.BrowserMajor, parsed.Os, parsed.OsVersion, parsed.Kind, parsed.Bot);

    private static List<string> CrawlerInstances()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(DataFolder, "crawler-user-agents/crawler-user-agents.json")));
        return [.. json.RootElement.EnumerateArray().SelectMany(entry => entry.GetProperty("instances").EnumerateArray()).Select(instance => instance.GetString()!)];
    }
}
