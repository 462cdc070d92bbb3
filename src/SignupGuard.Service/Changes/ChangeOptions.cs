using Microsoft.Extensions.Options;

namespace SignupGuard.Service.Changes;

/// <summary>How replicas hear of each other's changes. Section "Changes".</summary>
public sealed class ChangeOptions
{
    public const string Section = "Changes";

    /// <summary>
    /// Whether this replica listens for notifications. False behind a pooler in transaction mode, which can't pass them on: then changes show
    /// by the next poll.
    /// </summary>
    public bool Listen { get; set; } = true;
}
