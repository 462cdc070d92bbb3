using SignupGuard.Core.Decisions;

namespace SignupGuard.Core.Clusters;

/// <summary>When a member's decision changes because its network shows. One rule, for the live worker and the in-memory stream.</summary>
public static class SecondLook
{
    /// <summary>
    /// Statistics only ever make a verdict more severe: letting someone in again is for people (a reviewer, an outcome), and what they
    /// cleared stays cleared.
    /// </summary>
    public static bool Changes(Verdict inForce, Label label, Verdict again) => label != Label.Good && again > inForce;

    /// <summary>Whether any verdict could change it: if not, there is no need to look.</summary>
    public static bool CanChange(Verdict inForce, Label label) => Changes(inForce, label, Verdict.Deny);
}
