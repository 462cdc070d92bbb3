using SignupGuard.Core.Policies;

namespace SignupGuard.Storage.Policies;

/// <summary>
/// One version of the policy, as written, and where it stands. Its number is given when the draft is begun; the content is fixed once it went
/// live. Every change goes through <see cref="PolicyStore"/>, which follows <see cref="PolicyLife"/>.
/// </summary>
public sealed class StoredPolicy
{
    public required long Version { get; init; }

    /// <summary>Kept to the letter, comments and all.</summary>
    public required string Yaml { get; set; }

    /// <summary>SHA-256 of the YAML in UTF-8. A row whose text has another is damaged, and never used.</summary>
    public required byte[] ContentHash { get; set; }

    /// <summary>As the document says; null when it can't be read.</summary>
    public string? Name { get; set; }

    public required PolicyState State { get; set; }

    /// <summary>The same as the state; what the unique index and the poll look at.</summary>
    public bool Active { get; set; }

    /// <summary>Rises with every change of this row: the etag.</summary>
    public long Revision { get; set; } = 1;

    /// <summary>The version that was active when the draft was begun or last brought up to date; null for the first.</summary>
    public long? BaseVersion { get; set; }

    /// <summary>Who began it.</summary>
    public required string Author { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who changed the content last, and when.</summary>
    public required string ChangedBy { get; set; }

    public required DateTimeOffset ChangedAt { get; set; }

    /// <summary>What the author says of the change.</summary>
    public string? Note { get; set; }

    /// <summary>Content hash of the backtest that is stored for it; null for none.</summary>
    public byte[]? BacktestHash { get; set; }

    /// <summary>Revision at which its shadow began; null while it runs in none.</summary>
    public long? ShadowRun { get; set; }

    public string? ShadowBy { get; set; }

    public DateTimeOffset? ShadowAt { get; set; }

    public string? RequestedBy { get; set; }

    public DateTimeOffset? RequestedAt { get; set; }

    public string? RequestNote { get; set; }

    public string? ApprovedBy { get; set; }

    public DateTimeOffset? ApprovedAt { get; set; }

    public string? ApprovalNote { get; set; }

    /// <summary>Whether a second person approved; null until approved.</summary>
    public bool? SecondPerson { get; set; }
}
