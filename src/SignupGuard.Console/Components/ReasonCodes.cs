using System.Text.RegularExpressions;
using SignupGuard.V1;

namespace SignupGuard.Console.Components;

/// <summary>Codes offered to reviewers; others may be written.</summary>
internal static partial class ReasonCodes
{
    private static readonly string[] Honest = ["LEGITIMATE", "KNOWN_CUSTOMER", "FAMILY_OR_COLLEAGUES", "IDENTITY_CONFIRMED"];
    private static readonly string[] Fraudulent = ["ABUSE_NETWORK", "FREE_CREDIT_ABUSE", "STOLEN_CARD", "FAKE_IDENTITY", "AUTOMATED_SIGNUP"];

    public static IReadOnlyList<string> Of(Resolution resolution) => resolution == Resolution.Allow ? Honest : Fraudulent;

    /// <summary>As the contract has them.</summary>
    public static bool Is(string code) => Form().IsMatch(code);

    [GeneratedRegex("^[A-Z0-9_]{1,64}$", RegexOptions.NonBacktracking)]
    private static partial Regex Form();
}
