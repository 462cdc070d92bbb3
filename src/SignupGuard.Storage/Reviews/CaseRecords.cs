namespace SignupGuard.Storage.Reviews;

/// <summary>Where a case stands; the numbers are stored.</summary>
public enum CaseState : short
{
    Open = 1,
    Escalated = 2,
    Resolved = 3,
    Denied = 4,
}

/// <summary>What a person decided; the numbers are stored.</summary>
public enum CaseResolution : short
{
    Allow = 1,
    Deny = 2,
}
