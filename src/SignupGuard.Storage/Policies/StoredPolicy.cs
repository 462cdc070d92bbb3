namespace SignupGuard.Storage.Policies;

/// <summary>One version of the policy, as written.</summary>
public sealed class StoredPolicy
{
    public required long Version { get; init; }

    public required string Yaml { get; init; }

    public required string Author { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public bool Active { get; set; }
}
