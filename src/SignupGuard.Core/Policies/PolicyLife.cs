namespace SignupGuard.Core.Policies;

/// <summary>Where a version stands between its first draft and its end.</summary>
public enum PolicyState
{
    /// <summary>Written, and does not validate yet: kept, and can't go on.</summary>
    Draft,

    /// <summary>Validates.</summary>
    Validated,

    /// <summary>Validates, and a backtest of exactly this content is stored.</summary>
    Backtested,

    /// <summary>Someone asks that it go live.</summary>
    PublishRequested,

    /// <summary>In force; one version at a time.</summary>
    Active,

    /// <summary>Was in force. Can be rolled back to.</summary>
    Superseded,
}

/// <summary>What a deployment demands on a version's way.</summary>
/// <param name="SecondPerson">Whoever approves is neither the author of the last change nor the one who asked.</param>
/// <param name="RequireBacktest">Only what was backtested, with exactly this content, may be asked to go live.</param>
public sealed record PolicyRequirements(bool SecondPerson, bool RequireBacktest);

/// <summary>Why a step of a version's life is refused.</summary>
public enum PolicyStepRefusal
{
    /// <summary>The version's state does not allow it.</summary>
    State,

    /// <summary>The document does not validate.</summary>
    Invalid,

    /// <summary>No backtest of exactly this content is stored.</summary>
    BacktestRequired,

    /// <summary>Someone else must approve.</summary>
    SecondPersonRequired,
}

/// <summary>A step taken, or why not.</summary>
public readonly record struct PolicyStep(PolicyLife? Life, PolicyStepRefusal? Refusal)
{
    public static implicit operator PolicyStep(PolicyLife life) => new(life, null);

    public static implicit operator PolicyStep(PolicyStepRefusal refusal) => new(null, refusal);
}

/// <summary>
/// The life of one version of the policy, as a pure state machine: every step gives the life after it, or the reason why it can't be taken.
/// <code>
///   change ──▶ draft ◀──▶ validated ──▶ backtested
///                            │              │
///                            └──── request ─┴──▶ publish requested ── approve (someone else) ──▶ active ──▶ superseded
///                            ▲                        │                                            ▲            │
///                            └──────── reject ────────┘                                            └─ rollback ─┘
/// </code>
/// A change begins anew: backtest, shadow and request are dropped, for they spoke of another content. A shadow may run from validated on; going
/// live ends it.
/// </summary>
public sealed record PolicyLife
{
    public required PolicyState State { get; init; }

    /// <summary>Whether the document validates.</summary>
    public required bool Valid { get; init; }

    /// <summary>Whether a backtest of exactly this content is stored.</summary>
    public bool Backtested { get; init; }

    /// <summary>Whether it judges live traffic without effect.</summary>
    public bool Shadow { get; init; }

    /// <summary>Author of the last change.</summary>
    public required string ChangedBy { get; init; }

    /// <summary>Who asks that it go live; null while nobody does.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>Who let it go live; null until then.</summary>
    public string? ApprovedBy { get; init; }

    /// <summary>Whether its content may still change: until it went live, after that never.</summary>
    public bool Editable => State is PolicyState.Draft or PolicyState.Validated or PolicyState.Backtested or PolicyState.PublishRequested;

    /// <summary>A new draft.</summary>
    public static PolicyLife Begin(bool valid, string by) => new()
    {
        State = valid ? PolicyState.Validated : PolicyState.Draft,
        Valid = valid,
        ChangedBy = by,
    };

    public PolicyStep Change(bool valid, string by) => Editable ? Begin(valid, by) : PolicyStepRefusal.State;

    /// <summary>A backtest of exactly this content was run.</summary>
    public PolicyStep RecordBacktest() =>
        !Editable ? PolicyStepRefusal.State
        : !Valid ? PolicyStepRefusal.Invalid
        : this with
        {
            Backtested = true,
            State = State == PolicyState.PublishRequested ? State : PolicyState.Backtested,
        };

    public PolicyStep SetShadow() =>
        !Editable ? PolicyStepRefusal.State
        : !Valid ? PolicyStepRefusal.Invalid
        : this with { Shadow = true };

    public PolicyStep ClearShadow() => Shadow ? this with { Shadow = false } : PolicyStepRefusal.State;

    public PolicyStep RequestPublish(string by, PolicyRequirements requirements) =>
        State is not (PolicyState.Draft or PolicyState.Validated or PolicyState.Backtested) ? PolicyStepRefusal.State
        : !Valid ? PolicyStepRefusal.Invalid
        : requirements.RequireBacktest && !Backtested ? PolicyStepRefusal.BacktestRequired
        : this with
        {
            State = PolicyState.PublishRequested,
            RequestedBy = by,
        };

    public PolicyStep Reject() => State == PolicyState.PublishRequested ? Withdrawn : PolicyStepRefusal.State;

    /// <param name="valid">Checked again now, under the lock: nothing that does not validate goes live by any path.</param>
    public PolicyStep Approve(string by, bool valid, PolicyRequirements requirements) =>
        State != PolicyState.PublishRequested ? PolicyStepRefusal.State
        : !valid ? PolicyStepRefusal.Invalid
        : requirements.RequireBacktest && !Backtested ? PolicyStepRefusal.BacktestRequired
        : requirements.SecondPerson && !IsSecondPerson(by) ? PolicyStepRefusal.SecondPersonRequired
        : this with
        {
            State = PolicyState.Active,
            Shadow = false,
            ApprovedBy = by,
        };

    /// <summary>Neither the author of the last change nor the one who asks that it go live.</summary>
    public bool IsSecondPerson(string by) => by != ChangedBy && by != RequestedBy;

    /// <summary>Another version went live.</summary>
    public PolicyStep Supersede() => State == PolicyState.Active ? this with { State = PolicyState.Superseded } : PolicyStepRefusal.State;

    /// <summary>A version that was in force before is in force again, at once: for emergencies.</summary>
    public PolicyStep Reactivate(bool valid) =>
        State != PolicyState.Superseded ? PolicyStepRefusal.State
        : !valid ? PolicyStepRefusal.Invalid
        : this with { State = PolicyState.Active };

    private PolicyLife Withdrawn => this with
    {
        State = Backtested ? PolicyState.Backtested : PolicyState.Validated,
        RequestedBy = null,
    };
}
