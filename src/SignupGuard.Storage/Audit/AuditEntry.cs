namespace SignupGuard.Storage.Audit;

/// <summary>One thing that someone did.</summary>
public sealed record AuditEntry
{
    public const int ActorCharactersMax = 128;
    public const int ActionCharactersMax = 64;
    public const int SubjectCharactersMax = 256;
    public const int NoteCharactersMax = 4_000;

    /// <summary>Null for what concerns all tenants, as the policy does.</summary>
    public string? Tenant { get; init; }

    /// <summary>Who, as <c>Caller</c> says; 1 to 128 characters.</summary>
    public required string Actor { get; init; }

    /// <summary>What, dotted: "policy.publish_approved". 1 to 64 characters.</summary>
    public required string Action { get; init; }

    /// <summary>On what: "policies/7", "lists/blocked-domains". 1 to 256 characters.</summary>
    public required string Subject { get; init; }

    /// <summary>What changed, as JSON: values or digests before and after. Nothing of a person.</summary>
    public string? Change { get; init; }

    /// <summary>Why, in the actor's own words; at most 4,000 characters.</summary>
    public string? Note { get; init; }
}

/// <summary>An entry as stored.</summary>
/// <param name="Id">Rises in the order of entries, with gaps.</param>
public sealed record StoredAuditEntry(long Id, DateTimeOffset At, AuditEntry Entry);

/// <summary>Which entries to list; null means any.</summary>
public sealed record AuditFilter
{
    public string? Actor { get; init; }

    /// <summary>The action itself, or what it begins with before a dot: "policy" finds all of the policy's.</summary>
    public string? Action { get; init; }

    public string? Subject { get; init; }

    /// <summary>From this time on.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Before this time.</summary>
    public DateTimeOffset? Until { get; init; }
}
