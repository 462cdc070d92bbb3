using System.Collections.Frozen;

namespace SignupGuard.Console.Components;

/// <summary>The pages one finds without a link from another, and the keys that lead there.</summary>
internal static class ConsolePages
{
    public static readonly (string Address, string Name)[] InNavigation =
    [
        ("/policies", "Policies"),
        ("/audit", "Audit"),
    ];

    /// <summary>After "g".</summary>
    public static readonly FrozenDictionary<string, string> ByKey = new Dictionary<string, string>
    {
        ["g p"] = "/policies",
        ["g a"] = "/audit",
    }.ToFrozenDictionary();
}
