using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SignupGuard.Core.Signals;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace SignupGuard.Service.ReferenceData;

/// <summary>
/// Takes user agents apart with uap-core's patterns and knows crawlers by the list of crawler-user-agents. Patterns are built when first
/// needed and run without backtracking, so that no text can make them slow.
/// </summary>
public sealed class UserAgentParser
{
    /// <summary>Longer texts are cut; the contract bounds them at the same length.</summary>
    public const int LengthMax = 1024;

    // Names by which scripts, tools and test browsers give themselves away and which the crawler list does not have or has under conditions.
    private static readonly string[] HeadlessMarks = ["HeadlessChrome", "Headless", "PhantomJS", "SlimerJS", "HtmlUnit", "jsdom", "Puppeteer", "Playwright", "Selenium", "webdriver", "Cypress/", "ZombieJS"];
    private static readonly string[] ToolMarks = ["curl/", "Wget/", "python-requests", "python-httpx", "Python-urllib", "aiohttp", "Go-http-client", "Java/", "Apache-HttpClient", "libwww-perl", "node-fetch", "axios/", "undici", "got (", "PostmanRuntime", "insomnia/", "Scrapy", "HTTPie", "RestSharp", "PHP/", "GuzzleHttp", "Ruby", "Faraday", "reqwest", "k6/", "Apache-Bench", "ApacheBench"];
    private static readonly string[] EmulatorMarks = ["sdk_gphone", "Android SDK built for", "google_sdk", "generic_x86", "Emulator", "emulator", "Genymotion", "BlueStacks", "NoxPlayer", "Nox App", "MEmu", "LDPlayer", "vbox86", "goldfish", "ranchu", "Simulator", "Andy OS"];

    private static readonly string[] Everyday =
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.0.0 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    ];

    private readonly Pattern[] _browsers;
    private readonly Pattern[] _systems;
    private readonly Pattern[] _crawlers;

    // One search over all that crawlers require: a person's browser is done with them at once. Null when a pattern requires nothing.
    private readonly SearchValues<string>? _crawlerMarks;

    private UserAgentParser(Pattern[] browsers, Pattern[] systems, Pattern[] crawlers)
    {
        (_browsers, _systems, _crawlers) = (browsers, systems, crawlers);
        if (Array.TrueForAll(crawlers, crawler => crawler.Required is not null))
            _crawlerMarks = SearchValues.Create([.. crawlers.SelectMany(crawler => crawler.Required!).Distinct(StringComparer.OrdinalIgnoreCase)], StringComparison.OrdinalIgnoreCase);
    }

    public int Patterns => _browsers.Length + _systems.Length + _crawlers.Length;

    /// <summary>Reads uap-core's regexes.yaml and crawler-user-agents.json.</summary>
    /// <exception cref="FormatException">A file that is not of its form.</exception>
    public static UserAgentParser Read(string uapFile, string crawlersFile) => Read(uapFile, crawlersFile, plainly: false);

    /// <summary>Plainly, every pattern runs, and on the ordinary engine: what tests hold the filter and the other engine against.</summary>
    internal static UserAgentParser Read(string uapFile, string crawlersFile, bool plainly)
    {
        var sections = ReadSections(uapFile);
        using var crawlers = JsonDocument.Parse(File.ReadAllBytes(crawlersFile));
        return new UserAgentParser(
            ReadPatterns(sections, "user_agent_parsers", "family_replacement", "v1_replacement", plainly),
            ReadPatterns(sections, "os_parsers", "os_replacement", "os_v1_replacement", plainly),
            [.. crawlers.RootElement.EnumerateArray().Select(entry => new Pattern(Text(entry.GetProperty("pattern")), null, null, plainly))]);
    }

    /// <summary>
    /// Builds the patterns that everyday browsers need, which takes some hundred milliseconds in all: better now than under the first
    /// signups. Safe beside parsing.
    /// </summary>
    public void WarmUp()
    {
        foreach (var text in Everyday) _ = Parse(text);
    }

    /// <summary>Takes a text apart. Pure; costs tens to hundreds of microseconds, so keep the result.</summary>
    /// <exception cref="RegexMatchTimeoutException">A pattern that needs backtracking took too long.</exception>
    public ParsedUserAgent Parse(string userAgent)
    {
        var text = userAgent.Length > LengthMax ? userAgent[..LengthMax] : userAgent;
        var (browser, browserMajor, _) = First(_browsers, text);
        var (os, osMajor, osVersion) = First(_systems, text);
        var group = os is null ? OsGroup.Unknown : ParsedUserAgent.GroupOf(os);
        var chromium = UserAgentConsistency.NumberAfter(text, "Chrome/") ?? UserAgentConsistency.NumberAfter(text, "Chromium/");
        var headless = Contains(text, HeadlessMarks);
        var bot = headless || Contains(text, ToolMarks) || IsCrawler(text);
        var parsed = new ParsedUserAgent
        {
            Browser = browser,
            BrowserMajor = browserMajor,
            Os = os,
            OsMajor = osMajor,
            OsVersion = osVersion,
            Group = group,
            Kind = bot ? "bot" : KindOf(text, group),
            Bot = bot,
            Headless = headless,
            Emulator = Contains(text, EmulatorMarks),
            ChromiumMajor = chromium,
            SendsNoClientHints = chromium is null && (text.Contains("Gecko/", StringComparison.Ordinal) || text.Contains("AppleWebKit/", StringComparison.Ordinal)),
        };
        return parsed with { Impossible = UserAgentConsistency.InText(text, parsed) };
    }

    private bool IsCrawler(string text) =>
        (_crawlerMarks is null || text.AsSpan().ContainsAny(_crawlerMarks)) && Array.Exists(_crawlers, crawler => crawler.Matches(text));

    private static (string? Family, int? Major, string? Version) First(Pattern[] patterns, string text)
    {
        foreach (var pattern in patterns)
        {
            if (pattern.Match(text) is { } match) return pattern.Read(match);
        }
        return default;
    }

    private static string? KindOf(string text, OsGroup group) => group switch
    {
        OsGroup.Windows when text.Contains("Phone", StringComparison.Ordinal) => "mobile",
        OsGroup.Windows or OsGroup.MacOs or OsGroup.Linux or OsGroup.ChromeOs => "desktop",
        OsGroup.Ios => text.Contains("iPad", StringComparison.Ordinal) ? "tablet" : "mobile",
        OsGroup.Android when text.Contains("TV", StringComparison.Ordinal) => "other",
        OsGroup.Android => text.Contains("Tablet", StringComparison.Ordinal) || (text.Contains("Mozilla/", StringComparison.Ordinal) && !text.Contains("Mobile", StringComparison.Ordinal)) ? "tablet" : "mobile",
        _ => text.Contains("Mobi", StringComparison.Ordinal) ? "mobile" : null,
    };

    private static bool Contains(string text, string[] marks)
    {
        foreach (var mark in marks)
        {
            if (text.Contains(mark, StringComparison.Ordinal)) return true;
        }
        return false;
    }

    private static string Text(JsonElement element) => element.GetString() ?? throw new FormatException("A crawler without a pattern.");

    private static Pattern[] ReadPatterns(Dictionary<string, List<Dictionary<string, string>>> sections, string section, string family, string major, bool plainly) =>
        sections.TryGetValue(section, out var entries)
            ? [.. entries.Select(entry => new Pattern(entry.TryGetValue("regex", out var regex) ? regex : throw new FormatException($"{section}: an entry without a pattern."), entry.GetValueOrDefault(family), entry.GetValueOrDefault(major), plainly))]
            : throw new FormatException($"No {section} in the patterns.");

    /// <summary>The file's form, section: [{key: value}], read event by event: ten times as fast as into objects.</summary>
    private static Dictionary<string, List<Dictionary<string, string>>> ReadSections(string file)
    {
        var sections = new Dictionary<string, List<Dictionary<string, string>>>(StringComparer.Ordinal);
        using var reader = new StreamReader(file);
        var parser = new Parser(reader);
        try
        {
            parser.Consume<StreamStart>();
            parser.Consume<DocumentStart>();
            parser.Consume<MappingStart>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var entries = new List<Dictionary<string, string>>();
                sections.Add(parser.Consume<Scalar>().Value, entries);
                parser.Consume<SequenceStart>();
                while (!parser.TryConsume<SequenceEnd>(out _))
                {
                    var entry = new Dictionary<string, string>(StringComparer.Ordinal);
                    parser.Consume<MappingStart>();
                    while (!parser.TryConsume<MappingEnd>(out _)) entry[parser.Consume<Scalar>().Value] = parser.Consume<Scalar>().Value;
                    entries.Add(entry);
                }
            }
        }
        catch (YamlException e)
        {
            throw new FormatException($"{Path.GetFileName(file)}: {e.Message}", e);
        }
        return sections;
    }

    /// <summary>One pattern, built when its required text is first met.</summary>
    private sealed class Pattern(string regex, string? family, string? major, bool plainly)
    {
        private static readonly TimeSpan BacktrackingMax = TimeSpan.FromMilliseconds(250);

        // Most crawlers are just a name: no pattern to build.
        private readonly string? _plain = plainly ? null : RequiredLiterals.Plain(regex);

        private Regex? _regex;

        /// <summary>One of these, in whatever case, is in every text that matches; null when nothing is known.</summary>
        public string[]? Required { get; } = plainly ? null : RequiredLiterals.Of(regex);

        public bool Matches(string text) => _plain is not null ? text.Contains(_plain, StringComparison.Ordinal) : Possible(text) && Regex.IsMatch(text);

        public Match? Match(string text) => Possible(text) && Regex.Match(text) is { Success: true } match ? match : null;

        /// <summary>Family, major version and whole version, with the pattern's replacements.</summary>
        public (string? Family, int? Major, string? Version) Read(Match match)
        {
            var name = family is null ? Group(match, 1) : Replaced(family, match);
            var first = major is null ? Group(match, 2) : Replaced(major, match);
            int? number = first is not null && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
            var minor = major is null ? Group(match, 3) : null;
            return (name, number, first is null ? null : minor is null ? first : $"{first}.{minor}");
        }

        // Two threads may both build it; one of the two equal results stays.
        private Regex Regex => _regex ??= Build();

        private bool Possible(string text)
        {
            if (Required is null) return true;
            foreach (var literal in Required)
            {
                if (text.Contains(literal, StringComparison.OrdinalIgnoreCase)) return true;
            }
            return false;
        }

        private Regex Build()
        {
            if (plainly) return new Regex(regex, RegexOptions.CultureInvariant, BacktrackingMax);
            try
            {
                return new Regex(regex, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            }
            catch (NotSupportedException)
            {
                // Look-around needs backtracking; bounded in time instead.
                return new Regex(regex, RegexOptions.CultureInvariant, BacktrackingMax);
            }
        }

        private static string? Group(Match match, int number) => match.Groups[number] is { Success: true, Value: { Length: > 0 } value } ? value : null;

        private static string Replaced(string template, Match match) =>
            template.Contains('$', StringComparison.Ordinal)
                ? template.Replace("$1", match.Groups[1].Value, StringComparison.Ordinal)
                    .Replace("$2", match.Groups[2].Value, StringComparison.Ordinal)
                    .Replace("$3", match.Groups[3].Value, StringComparison.Ordinal)
                    .Trim()
                : template;
    }
}
