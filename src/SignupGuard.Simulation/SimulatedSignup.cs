using SignupGuard.V1;

namespace SignupGuard.Simulation;

/// <summary>One signup and the truth about it.</summary>
/// <param name="Signup">As the identity service would send it. It holds nothing that tells the truth.</param>
/// <param name="Fraud">Whether an attacker made it.</param>
/// <param name="Group">The attack family or the benign population.</param>
/// <param name="Campaign">The campaign it belongs to ("hydra-2"); null for ordinary customers.</param>
public sealed record SimulatedSignup(Signup Signup, bool Fraud, string Group, string? Campaign)
{
    /// <summary>Who made it, for feedback.</summary>
    internal Campaigns.Attempt? Attempt { get; init; }
}
