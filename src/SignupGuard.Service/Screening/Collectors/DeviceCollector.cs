using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;

namespace SignupGuard.Service.Screening.Collectors;

/// <summary>What the device tells; the user agent comes parsed, or null when there is none.</summary>
internal static class DeviceCollector
{
    public const string NotGiven = "NOT_GIVEN";

    public static Signal<DeviceSignals> Collect(Signup signup, ReferenceSnapshot data, ParsedUserAgent? agent, string? ipCountry)
    {
        if (signup.Device is not { } device) return Signal<DeviceSignals>.Missing(NotGiven);
        var language = FirstLanguage(device.AcceptLanguage);
        var app = signup.Event.Channel is "ios" or "android";
        return Signal<DeviceSignals>.Present(new DeviceSignals
        {
            Browser = agent?.Browser,
            BrowserMajor = agent?.BrowserMajor,
            Os = agent?.Os,
            OsVersion = agent?.OsVersion,
            Kind = agent?.Kind,
            // An app calls through a library whose name says nothing (okhttp, CFNetwork).
            Bot = app ? null : agent?.Bot,
            Headless = agent is null ? null : agent.Headless || UserAgentConsistency.Hint(device, "ua").Contains("Headless", StringComparison.OrdinalIgnoreCase),
            Automation = device.Automation,
            Emulator = device.Emulator == true || agent?.Emulator == true ? true : device.Emulator ?? (agent is null ? null : false),
            Rooted = device.Rooted,
            Language = language,
            LanguageMatchesCountry = data.Geography.SpokenIn(language, ipCountry),
            TimeZone = device.TimeZone,
            OffsetMatchesZone = OffsetMatchesZone(device, signup.OccurredAt),
            Impossible = UserAgentConsistency.InRequest(signup, agent),
            HoneypotFilled = device.HoneypotFilled,
            FormSeconds = device.FormSeconds,
            TypingIntervalMs = device.TypingIntervalMs,
            Pasted = device.Pasted,
            SessionAgeSeconds = device.SessionAgeSeconds,
        });
    }

    /// <summary>First language of an Accept-Language header, lower-case primary tag; null for none or "*".</summary>
    internal static string? FirstLanguage(string? header)
    {
        var text = header.AsSpan().TrimStart();
        var length = 0;
        while (length < text.Length && char.IsAsciiLetter(text[length])) length++;
        if (length is < 2 or > 3) return null;
        Span<char> lower = stackalloc char[3];
        text[..length].ToLowerInvariant(lower);
        var place = 0;
        foreach (var letter in lower[..length]) place = (place * Letters) + letter - 'a' + 1;
        // Two threads may make one: either is as good.
        return Languages[place] ??= lower[..length].ToString();
    }

    private const int Letters = 27;

    /// <summary>Tags seen, by their letters: one string of each.</summary>
    private static readonly string?[] Languages = new string?[Letters * Letters * Letters];

    private static bool? OffsetMatchesZone(DeviceInput device, DateTimeOffset at) =>
        device is { TimeZone: { } name, UtcOffsetMinutes: { } minutes } && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)
            ? zone.GetUtcOffset(at) == TimeSpan.FromMinutes(minutes)
            : null;
}
