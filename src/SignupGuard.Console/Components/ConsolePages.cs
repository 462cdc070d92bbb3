using System.Collections.Frozen;

namespace SignupGuard.Console.Components;

/// <summary>The pages one finds without a link from another, and the keys that lead there.</summary>
internal static class ConsolePages
{
    public static readonly (string Address, string Name)[] InNavigation =
    [
        ("/", "Queue"),
        ("/signups", "Signups"),
        ("/overview", "Overview"),
        ("/policies", "Policies"),
        ("/lists", "Lists"),
        ("/exemptions", "Exempt keys"),
        ("/audit", "Audit"),
    ];

    /// <summary>After "g".</summary>
    public static readonly FrozenDictionary<string, string> ByKey = new Dictionary<string, string>
    {
        ["g q"] = "/",
        ["g s"] = "/signups",
        ["g o"] = "/overview",
        ["g p"] = "/policies",
        ["g l"] = "/lists",
        ["g x"] = "/exemptions",
        ["g a"] = "/audit",
    }.ToFrozenDictionary();
}
