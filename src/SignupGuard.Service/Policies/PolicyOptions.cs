using SignupGuard.Core.Policies;

namespace SignupGuard.Service.Policies;

/// <summary>What is demanded before a version goes live. Section "Policies".</summary>
public sealed class PolicyOptions
{
    public const string Section = "Policies";

    /// <summary>Whoever approves is neither the author of the last change nor the one who asked. False for a team of one; each approval's audit entry says so.</summary>
    public bool SecondPerson { get; set; } = true;

    /// <summary>Whether a version is asked to go live only with a stored backtest of exactly its content.</summary>
    public bool RequireBacktest { get; set; } = true;

    public PolicyRequirements Requirements => new(SecondPerson, RequireBacktest);
}
