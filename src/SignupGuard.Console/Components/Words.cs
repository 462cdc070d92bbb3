using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.V1;

namespace SignupGuard.Console.Components;

/// <summary>Numbers, times and states as the pages write them. Times are UTC.</summary>
internal static class Words
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Number(long value) => value.ToString("N0", Culture);

    /// <summary>For axes: 1,200,000 as 1.2M.</summary>
    public static string Short(double value) => value switch
    {
        >= 1e6 => (value / 1e6).ToString("0.#", Culture) + "M",
        >= 1e4 => (value / 1e3).ToString("0.#", Culture) + "k",
        _ => value.ToString("0.##", Culture),
    };

    public static string Score(double value) => value.ToString("0.0", Culture);

    public static string Signed(double value) => value.ToString("+0.00;−0.00;0", Culture);

    public static string Percent(double share) => share.ToString("0.0 %", Culture);

    public static string Time(Timestamp? time) => time is null ? "" : time.ToDateTime().ToString("yyyy-MM-dd HH:mm:ss", Culture);

    public static string Minute(Timestamp? time) => time is null ? "" : time.ToDateTime().ToString("yyyy-MM-dd HH:mm", Culture);

    public static string Day(Timestamp time) => time.ToDateTime().ToString("MM-dd", Culture);

    /// <summary>How long ago, or in how long, to one unit.</summary>
    public static string Since(Timestamp? time)
    {
        if (time is null) return "";
        var span = DateTime.UtcNow - time.ToDateTime();
        return span < TimeSpan.Zero ? $"in {Span(-span)}" : $"{Span(span)} ago";
    }

    public static string Span(TimeSpan span) => span switch
    {
        { TotalMinutes: < 1 } => $"{(int)span.TotalSeconds} s",
        { TotalHours: < 1 } => $"{(int)span.TotalMinutes} min",
        { TotalDays: < 2 } => $"{(int)span.TotalHours} h",
        _ => $"{(int)span.TotalDays} d",
    };

    public static string Of(Verdict verdict) => verdict switch
    {
        Verdict.Allow => "allow",
        Verdict.Review => "review",
        Verdict.Deny => "deny",
        _ => "none",
    };

    public static string Of(CaseState state) => state.ToString().ToLowerInvariant();

    public static string Of(PolicyState state) => state switch
    {
        PolicyState.PublishRequested => "publish requested",
        _ => state.ToString().ToLowerInvariant(),
    };

    /// <summary>"fingerprint+bin" as a person reads it.</summary>
    public static string KeyKind(string kind) => kind.Replace("+", " and ", StringComparison.Ordinal).Replace('_', ' ');
}
