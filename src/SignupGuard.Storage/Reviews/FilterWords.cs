using SignupGuard.Core.Decisions;

namespace SignupGuard.Storage.Reviews;

/// <summary>The words of filters for what is stored as a number.</summary>
public static class FilterWords
{
    public static IReadOnlyDictionary<string, short> Verdicts { get; } = Words<Verdict>();

    public static IReadOnlyDictionary<string, short> States { get; } = Words<CaseState>();

    public static IReadOnlyDictionary<string, short> Resolutions { get; } = Words<CaseResolution>();

    private static Dictionary<string, short> Words<T>()
        where T : struct, Enum =>
        Enum.GetValues<T>().ToDictionary(value => value.ToString().ToLowerInvariant(), value => Convert.ToInt16(value, System.Globalization.CultureInfo.InvariantCulture), StringComparer.Ordinal);
}
