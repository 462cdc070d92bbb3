using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using SignupGuard.Core.Policies;
using SignupGuard.Storage.Audit;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Policies;

/// <summary>
/// The versions of the policy: reading them, and every change of them. A change is one transaction: it locks the policy, checks the etag, takes a
/// step of <see cref="PolicyLife"/>, writes the audit, and tells the replicas. Changes come one after another: of two admins, one wins and the
/// other is told. Nothing goes in force unread: what validated when it was saved is read again under the lock.
/// </summary>
public sealed class PolicyStore(IDbContextFactory<SignupGuardDbContext> contexts)
{
    public const long FirstVersion = 1;

    /// <summary>Author of the policy that comes with the product.</summary>
    public const string ShippedBy = "shipped";

    /// <summary>Shadows that may run at once: each costs one more judgement a signup.</summary>
    public const int ShadowsMax = 2;

    /// <summary>A page of a thousand versions, and the one that shows there are more.</summary>
    public const int PageSizeMax = 1_001;

    /// <summary>Changes of the policy take turns under this lock. The number is "SGPO" in ASCII.</summary>
    private const long AdvisoryLock = 0x5347504F;

    /// <summary>SHA-256 of a document's text in UTF-8.</summary>
    public static byte[] ContentHash(string yaml) => SHA256.HashData(Encoding.UTF8.GetBytes(yaml));

    /// <summary>What the audit calls a version.</summary>
    public static string Subject(long version) => string.Create(CultureInfo.InvariantCulture, $"policies/{version}");

    // ——— what is in use ———

    /// <summary>What is in use now, without reading it: asked for every second. The row's xmin shows also what something else than this class changed.</summary>
    public async Task<PolicyMarks> MarksAsync(CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        return await MarksAsync(context, cancellation);
    }

    private static async Task<PolicyMarks> MarksAsync(SignupGuardDbContext context, CancellationToken cancellation)
    {
        var marks = await context.Database
            .SqlQuery<string>($"SELECT coalesce(string_agg(version || ':' || xmin::text || ':' || active, ' ' ORDER BY version), '') AS \"Value\" FROM policies WHERE active OR shadow_run IS NOT NULL")
            .SingleAsync(cancellation);
        return new PolicyMarks(marks);
    }

    /// <summary>
    /// The policies to use. On an empty database the shipped one becomes version 1; replicas that start together agree. A version that can't be used
    /// is left out and said, never half used and never a failure.
    /// </summary>
    public async Task<LoadedPolicies> LoadAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        await StoreShippedAsync(context, now, cancellation);
        // Before the rows: what changes in between is noticed by the next look.
        var marks = await MarksAsync(context, cancellation);
        var stored = await context.Policies.AsNoTracking().Where(policy => policy.Active || policy.ShadowRun != null).OrderBy(policy => policy.Version).ToListAsync(cancellation);
        Policy? active = null;
        PolicyDocument? activeDocument = null;
        var unusable = new List<UnusablePolicy>();
        var shadows = new List<(StoredPolicy Stored, Policy Policy)>();
        foreach (var row in stored)
        {
            if (Usable(row, unusable) is not { } policy) continue;
            if (row.Active) (active, activeDocument) = (policy, PolicyReader.Parse(row.Yaml, out _));
            else shadows.Add((row, policy));
        }
        // Going live ends shadows of another linkage; one that is left by a change by hand is passed over.
        var covered = shadows
            .Where(shadow => activeDocument is not null && PolicyDiff.BeyondShadow(activeDocument, PolicyReader.Parse(shadow.Stored.Yaml, out _)!).Count == 0)
            .Select(shadow => new LoadedPolicy(shadow.Policy, shadow.Stored.ShadowRun!.Value));
        return new LoadedPolicies(marks, active, [.. covered.Take(ShadowsMax)], unusable);
    }

    /// <summary>Of the versions that were in force, the latest that can be used; null when there is none.</summary>
    public async Task<Policy?> LastUsableAsync(CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        var versions = await context.Database
            .SqlQuery<long>($"SELECT version AS \"Value\" FROM policy_activations GROUP BY version ORDER BY max(id) DESC")
            .ToListAsync(cancellation);
        foreach (var version in versions)
        {
            if (await context.Policies.AsNoTracking().SingleOrDefaultAsync(policy => policy.Version == version, cancellation) is { } stored && Usable(stored, []) is { } policy) return policy;
        }
        return null;
    }

    private static Policy? Usable(StoredPolicy stored, List<UnusablePolicy> unusable)
    {
        var reading = Read(stored);
        if (reading.Policy is null) unusable.Add(new UnusablePolicy(stored.Version, reading.Issues));
        return reading.Policy;
    }

    /// <summary>As stored; what is damaged does not validate, whatever it says.</summary>
    public static PolicyReading Read(StoredPolicy stored) =>
        IsDamaged(stored)
            ? new PolicyReading(null, [new PolicyIssue("", "The stored text is not what was saved.") { Kind = PolicyIssueKind.Document }])
            : PolicyReader.Read(stored.Yaml, stored.Version);

    /// <summary>The text is not what was saved.</summary>
    public static bool IsDamaged(StoredPolicy stored) => !ContentHash(stored.Yaml).AsSpan().SequenceEqual(stored.ContentHash);

    private static Task<int> StoreShippedAsync(SignupGuardDbContext context, DateTimeOffset now, CancellationToken cancellation) =>
        context.Database.ExecuteSqlAsync(
            $"""
            WITH first AS (
                INSERT INTO policies (version, yaml, content_hash, name, state, active, author, created_at, changed_by, changed_at)
                SELECT {FirstVersion}, {DefaultPolicy.Yaml}, {ContentHash(DefaultPolicy.Yaml)}, {NameOf(DefaultPolicy.Yaml)}, 'active', true, {ShippedBy}, {now}, {ShippedBy}, {now}
                WHERE NOT EXISTS (SELECT FROM policies)
                ON CONFLICT DO NOTHING
                RETURNING version)
            INSERT INTO policy_activations (version, kind, actor, activated_at) SELECT version, 'shipped', {ShippedBy}, {now} FROM first
            """,
            cancellation);

    // ——— for people to read ———

    /// <summary>One version; null for none of this number.</summary>
    /// <param name="version">0: the active one.</param>
    public async Task<StoredPolicy?> GetAsync(long version, CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        return await context.Policies.AsNoTracking().SingleOrDefaultAsync(policy => version == 0 ? policy.Active : policy.Version == version, cancellation);
    }

    /// <summary>Versions below one, newest first, without their documents.</summary>
    /// <param name="states">Null: all.</param>
    public async Task<IReadOnlyList<StoredPolicy>> ListAsync(long below, IReadOnlyCollection<PolicyState>? states, int pageSize, CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        var wanted = states is null ? null : states.ToList();
        var versions = context.Policies.AsNoTracking().Where(policy => policy.Version < below && (wanted == null || wanted.Contains(policy.State)));
        var page = await versions.OrderByDescending(policy => policy.Version).Take(Math.Clamp(pageSize, 1, PageSizeMax)).Select(policy => new
        {
            policy.Version,
            policy.ContentHash,
            policy.Name,
            policy.State,
            policy.Active,
            policy.Revision,
            policy.BaseVersion,
            policy.Author,
            policy.CreatedAt,
            policy.ChangedBy,
            policy.ChangedAt,
            policy.Note,
            policy.BacktestHash,
            policy.ShadowRun,
            policy.ShadowBy,
            policy.ShadowAt,
            policy.RequestedBy,
            policy.RequestedAt,
            policy.RequestNote,
            policy.ApprovedBy,
            policy.ApprovedAt,
            policy.ApprovalNote,
            policy.SecondPerson,
        }).ToListAsync(cancellation);
        return page.ConvertAll(policy => new StoredPolicy
        {
            Version = policy.Version,
            Yaml = "",
            ContentHash = policy.ContentHash,
            Name = policy.Name,
            State = policy.State,
            Active = policy.Active,
            Revision = policy.Revision,
            BaseVersion = policy.BaseVersion,
            Author = policy.Author,
            CreatedAt = policy.CreatedAt,
            ChangedBy = policy.ChangedBy,
            ChangedAt = policy.ChangedAt,
            Note = policy.Note,
            BacktestHash = policy.BacktestHash,
            ShadowRun = policy.ShadowRun,
            ShadowBy = policy.ShadowBy,
            ShadowAt = policy.ShadowAt,
            RequestedBy = policy.RequestedBy,
            RequestedAt = policy.RequestedAt,
            RequestNote = policy.RequestNote,
            ApprovedBy = policy.ApprovedBy,
            ApprovedAt = policy.ApprovedAt,
            ApprovalNote = policy.ApprovalNote,
            SecondPerson = policy.SecondPerson,
        });
    }

    /// <summary>When a version was in force, newest first.</summary>
    public async Task<IReadOnlyList<StoredActivation>> ActivationsAsync(long version, CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        return await context.Database
            .SqlQuery<StoredActivation>($"SELECT version, previous_version, kind, actor, reason, activated_at AS at FROM policy_activations WHERE version = {version} ORDER BY id DESC LIMIT {PageSizeMax}")
            .ToListAsync(cancellation);
    }

    /// <summary>Of these versions, the backtests that were run on the content the version has now.</summary>
    public async Task<IReadOnlyList<StoredBacktest>> BacktestsAsync(IReadOnlyCollection<long> versions, CancellationToken cancellation)
    {
        if (versions.Count == 0) return [];
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        return await context.Database
            .SqlQuery<StoredBacktest>(
                $"""
                SELECT b.version, b.content_hash, b.actor, b.run_at AS at FROM policy_backtests b JOIN policies p USING (version)
                WHERE b.version = ANY ({versions.ToArray()}) AND b.content_hash = p.content_hash
                """)
            .ToListAsync(cancellation);
    }

    /// <summary>The report of a version's backtest on the content it has now, as JSON; null for none.</summary>
    public async Task<string?> BacktestReportAsync(long version, CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        return await context.Database
            .SqlQuery<string>($"SELECT b.report::text AS \"Value\" FROM policy_backtests b JOIN policies p USING (version) WHERE b.version = {version} AND b.content_hash = p.content_hash")
            .SingleOrDefaultAsync(cancellation);
    }

    // ——— changes ———

    /// <summary>Begins a draft.</summary>
    /// <param name="yaml">Kept to the letter, also where it does not validate.</param>
    public Task<PolicyChange> CreateDraftAsync(string yaml, string? note, string by, DateTimeOffset now, CancellationToken cancellation) =>
        CreateAsync(_ => Task.FromResult<string?>(yaml), null, note, by, now, cancellation);

    /// <summary>Begins a draft with the text of a version.</summary>
    public Task<PolicyChange> CreateDraftAsync(long fromVersion, string? note, string by, DateTimeOffset now, CancellationToken cancellation) =>
        CreateAsync(context => context.Policies.Where(policy => policy.Version == fromVersion).Select(policy => policy.Yaml).SingleOrDefaultAsync(cancellation), fromVersion, note, by, now, cancellation);

    private async Task<PolicyChange> CreateAsync(
        Func<SignupGuardDbContext, Task<string?>> source, long? fromVersion, string? note, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var context = transaction.Context;
        if (await source(context) is not { } yaml) return new PolicyRefusal.Unknown(fromVersion!.Value);
        var version = (await context.Policies.MaxAsync(policy => (long?)policy.Version, cancellation) ?? 0) + 1;
        var reading = PolicyReader.Read(yaml, version);
        var life = PolicyLife.Begin(reading.Policy is not null, by);
        var policy = new StoredPolicy
        {
            Version = version,
            Yaml = yaml,
            ContentHash = ContentHash(yaml),
            Name = NameOf(yaml),
            State = life.State,
            BaseVersion = await ActiveVersionAsync(context, cancellation),
            Author = by,
            CreatedAt = now,
            ChangedBy = by,
            ChangedAt = now,
            Note = note,
        };
        context.Policies.Add(policy);
        var change = new JsonObject
        {
            ["after"] = Digest(policy),
            ["state"] = PolicyStateWords.Word(policy.State),
        };
        if (fromVersion is { } from) change["from_version"] = from;
        return await transaction.CommitAsync(policy, reading, "policy.draft_created", by, now, change, note, cancellation);
    }

    /// <summary>Changes a draft's document.</summary>
    /// <param name="revision">As it was read.</param>
    /// <param name="baseVersion">The active version that the document now takes into account; null: as before.</param>
    public async Task<PolicyChange> UpdateDraftAsync(
        long version, long revision, string yaml, string? note, long? baseVersion, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var (policy, refusal) = await transaction.FindAsync(version, revision, cancellation);
        if (policy is null) return refusal!;
        if (baseVersion is { } wanted && await ActiveVersionAsync(transaction.Context, cancellation) is var active && wanted != active)
            return new PolicyRefusal.ActiveChanged(active ?? 0);
        var reading = PolicyReader.Read(yaml, version);
        if (Life(policy).Change(reading.Policy is not null, by) is { Refusal: { } no }) return Refused(no, policy, reading);
        var change = new JsonObject
        {
            ["before"] = Digest(policy),
            ["state_before"] = PolicyStateWords.Word(policy.State),
        };
        policy.Yaml = yaml;
        policy.ContentHash = ContentHash(yaml);
        policy.Name = NameOf(yaml);
        policy.State = PolicyLife.Begin(reading.Policy is not null, by).State;
        policy.BaseVersion = baseVersion ?? policy.BaseVersion;
        policy.ChangedBy = by;
        policy.ChangedAt = now;
        policy.Note = note;
        policy.BacktestHash = null;
        EndShadow(policy);
        EndRequest(policy);
        change["after"] = Digest(policy);
        change["state"] = PolicyStateWords.Word(policy.State);
        return await transaction.CommitAsync(policy, reading, "policy.draft_updated", by, now, change, note, cancellation);
    }

    /// <summary>
    /// Stores a version's backtest, bound to the content it was run on. If the content is another by now, nothing is stored: the report speaks of
    /// something that is no more.
    /// </summary>
    public async Task<PolicyChange> RecordBacktestAsync(long version, byte[] contentHash, string reportJson, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var (policy, refusal) = await transaction.FindAsync(version, null, cancellation);
        if (policy is null) return refusal!;
        if (!policy.ContentHash.AsSpan().SequenceEqual(contentHash)) return new PolicyRefusal.Changed(version);
        var step = Life(policy).RecordBacktest();
        if (step.Refusal is { } no) return Refused(no, policy);
        policy.State = step.Life!.State;
        policy.BacktestHash = contentHash;
        await transaction.Context.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO policy_backtests (version, content_hash, actor, run_at, report) VALUES ({version}, {contentHash}, {by}, {now}, {reportJson}::jsonb)
            ON CONFLICT (version) DO UPDATE SET content_hash = EXCLUDED.content_hash, actor = EXCLUDED.actor, run_at = EXCLUDED.run_at, report = EXCLUDED.report
            """,
            cancellation);
        return await transaction.CommitAsync(policy, null, "policy.backtested", by, now, new JsonObject { ["content"] = Digest(policy) }, null, cancellation);
    }

    /// <summary>Lets a version judge live traffic beside the active one. Its counts begin anew.</summary>
    public async Task<PolicyChange> SetShadowAsync(long version, long revision, string? note, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var context = transaction.Context;
        var (policy, refusal) = await transaction.FindAsync(version, revision, cancellation);
        if (policy is null) return refusal!;
        var reading = Read(policy);
        var step = Life(policy, reading.Policy is not null).SetShadow();
        if (step.Refusal is { } no) return Refused(no, policy, reading);
        var active = await context.Policies.AsNoTracking().SingleOrDefaultAsync(other => other.Active, cancellation);
        if (active is not null && PolicyReader.Parse(active.Yaml, out _) is { } activeDocument
            && PolicyDiff.BeyondShadow(activeDocument, PolicyReader.Parse(policy.Yaml, out _)!) is { Count: > 0 } beyond)
            return new PolicyRefusal.ShadowLinkageDiffers(beyond);
        if (await context.Policies.CountAsync(other => other.ShadowRun != null && other.Version != version, cancellation) >= ShadowsMax) return new PolicyRefusal.ShadowsTaken(ShadowsMax);
        await context.Database.ExecuteSqlAsync(
            $"""
            WITH counts AS (DELETE FROM shadow_counts WHERE version = {version})
            DELETE FROM shadow_differences WHERE version = {version}
            """,
            cancellation);
        policy.ShadowRun = policy.Revision + 1;
        policy.ShadowBy = by;
        policy.ShadowAt = now;
        return await transaction.CommitAsync(policy, reading, "policy.shadow_set", by, now, new JsonObject { ["content"] = Digest(policy) }, note, cancellation);
    }

    public async Task<PolicyChange> ClearShadowAsync(long version, long revision, string? note, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var (policy, refusal) = await transaction.FindAsync(version, revision, cancellation);
        if (policy is null) return refusal!;
        if (Life(policy).ClearShadow() is { Refusal: { } no }) return Refused(no, policy);
        EndShadow(policy);
        return await transaction.CommitAsync(policy, null, "policy.shadow_cleared", by, now, [], note, cancellation);
    }

    /// <summary>Asks that a version go live.</summary>
    public async Task<PolicyChange> RequestPublishAsync(
        long version, long revision, PolicyRequirements requirements, string? note, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var (policy, refusal) = await transaction.FindAsync(version, revision, cancellation);
        if (policy is null) return refusal!;
        var reading = Read(policy);
        var step = Life(policy, reading.Policy is not null).RequestPublish(by, requirements);
        if (step.Refusal is { } no) return Refused(no, policy, reading);
        if (await OutdatedAsync(transaction.Context, policy, cancellation) is { } outdated) return outdated;
        policy.State = step.Life!.State;
        policy.RequestedBy = by;
        policy.RequestedAt = now;
        policy.RequestNote = note;
        return await transaction.CommitAsync(policy, reading, "policy.publish_requested", by, now, new JsonObject { ["content"] = Digest(policy) }, note, cancellation);
    }

    /// <summary>Back to the draft it was.</summary>
    public async Task<PolicyChange> RejectPublishAsync(long version, long revision, string reason, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var (policy, refusal) = await transaction.FindAsync(version, revision, cancellation);
        if (policy is null) return refusal!;
        var step = Life(policy).Reject();
        if (step.Refusal is { } no) return Refused(no, policy);
        var change = new JsonObject { ["requested_by"] = policy.RequestedBy };
        policy.State = step.Life!.State;
        EndRequest(policy);
        return await transaction.CommitAsync(policy, null, "policy.publish_rejected", by, now, change, reason, cancellation);
    }

    /// <summary>Lets a version go live.</summary>
    public async Task<PolicyChange> ApprovePublishAsync(
        long version, long revision, PolicyRequirements requirements, string? note, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var (policy, refusal) = await transaction.FindAsync(version, revision, cancellation);
        if (policy is null) return refusal!;
        var reading = Read(policy);
        var life = Life(policy);
        var step = life.Approve(by, reading.Policy is not null, requirements);
        if (step.Refusal is { } no) return Refused(no, policy, reading);
        if (await OutdatedAsync(transaction.Context, policy, cancellation) is { } outdated) return outdated;
        var secondPerson = life.IsSecondPerson(by);
        EndShadow(policy);
        policy.ApprovedBy = by;
        policy.ApprovedAt = now;
        policy.ApprovalNote = note;
        policy.SecondPerson = secondPerson;
        var change = new JsonObject
        {
            ["content"] = Digest(policy),
            ["second_person"] = secondPerson,
            ["second_person_required"] = requirements.SecondPerson,
            ["backtest_required"] = requirements.RequireBacktest,
        };
        await transaction.ActivateAsync(policy, "published", by, note, now, change, cancellation);
        return await transaction.CommitAsync(policy, reading, "policy.published", by, now, change, note, cancellation);
    }

    /// <summary>Puts a version that was in force before in force again.</summary>
    /// <param name="expectedActive">The version thought to be active; null: whichever.</param>
    public async Task<PolicyChange> RollbackAsync(long version, long? expectedActive, string reason, string by, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        var (policy, refusal) = await transaction.FindAsync(version, null, cancellation);
        if (policy is null) return refusal!;
        var active = await ActiveVersionAsync(transaction.Context, cancellation);
        if (expectedActive is { } expected && expected != active) return new PolicyRefusal.ActiveChanged(active ?? 0);
        var reading = Read(policy);
        var step = Life(policy).Reactivate(reading.Policy is not null);
        if (step.Refusal is { } no) return Refused(no, policy, reading);
        var change = new JsonObject { ["content"] = Digest(policy) };
        await transaction.ActivateAsync(policy, "rolled_back", by, reason, now, change, cancellation);
        return await transaction.CommitAsync(policy, reading, "policy.rolled_back", by, now, change, reason, cancellation);
    }

    private static async Task<PolicyRefusal?> OutdatedAsync(SignupGuardDbContext context, StoredPolicy policy, CancellationToken cancellation) =>
        await ActiveVersionAsync(context, cancellation) is { } active && active != policy.BaseVersion ? new PolicyRefusal.BaseOutdated(policy.BaseVersion, active) : null;

    private static Task<long?> ActiveVersionAsync(SignupGuardDbContext context, CancellationToken cancellation) =>
        context.Policies.Where(policy => policy.Active).Select(policy => (long?)policy.Version).SingleOrDefaultAsync(cancellation);

    private static PolicyLife Life(StoredPolicy policy, bool? valid = null) => new()
    {
        State = policy.State,
        Valid = valid ?? policy.State != PolicyState.Draft,
        Backtested = policy.BacktestHash is { } hash && hash.AsSpan().SequenceEqual(policy.ContentHash),
        Shadow = policy.ShadowRun is not null,
        ChangedBy = policy.ChangedBy,
        RequestedBy = policy.RequestedBy,
        ApprovedBy = policy.ApprovedBy,
    };

    private static PolicyRefusal Refused(PolicyStepRefusal refusal, StoredPolicy policy, PolicyReading? reading = null) => refusal switch
    {
        PolicyStepRefusal.State => new PolicyRefusal.State(policy.State),
        PolicyStepRefusal.Invalid => new PolicyRefusal.Invalid((reading ?? Read(policy)).Issues),
        PolicyStepRefusal.BacktestRequired => new PolicyRefusal.BacktestRequired(),
        PolicyStepRefusal.SecondPersonRequired => new PolicyRefusal.SecondPersonRequired(),
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "A refusal without a name."),
    };

    private static void EndShadow(StoredPolicy policy)
    {
        policy.ShadowRun = null;
        policy.ShadowBy = null;
        policy.ShadowAt = null;
    }

    private static void EndRequest(StoredPolicy policy)
    {
        policy.RequestedBy = null;
        policy.RequestedAt = null;
        policy.RequestNote = null;
    }

    /// <summary>The hash alone: the text is in its version, and a draft's earlier texts are nobody's.</summary>
    private static string Digest(StoredPolicy policy) => $"sha256:{Convert.ToHexStringLower(policy.ContentHash)}";

    private static string? NameOf(string yaml) => PolicyReader.Parse(yaml, out _)?.Name is { Length: <= PolicyReader.NameCharactersMax } name ? name : null;

    private async Task<Change> BeginAsync(CancellationToken cancellation)
    {
        var context = await contexts.CreateDbContextAsync(cancellation);
        try
        {
            await context.Database.BeginTransactionAsync(cancellation);
            await context.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({AdvisoryLock})", cancellation);
            return new Change(context);
        }
        catch
        {
            await context.DisposeAsync();
            throw;
        }
    }

    /// <summary>A change under way: nobody else changes the policy meanwhile. Undone unless committed.</summary>
    private sealed class Change(SignupGuardDbContext context) : IAsyncDisposable
    {
        public SignupGuardDbContext Context => context;

        private NpgsqlConnection Connection => (NpgsqlConnection)context.Database.GetDbConnection();

        /// <param name="revision">Null: whichever.</param>
        public async Task<(StoredPolicy? Policy, PolicyRefusal? Refusal)> FindAsync(long version, long? revision, CancellationToken cancellation)
        {
            if (await context.Policies.SingleOrDefaultAsync(policy => policy.Version == version, cancellation) is not { } found) return (null, new PolicyRefusal.Unknown(version));
            if (revision is { } read && read != found.Revision) return (null, new PolicyRefusal.Changed(version));
            return (found, null);
        }

        /// <summary>Supersedes the active version, ends shadows that judged by another linkage, and puts this one in force.</summary>
        public async Task ActivateAsync(StoredPolicy policy, string kind, string by, string? reason, DateTimeOffset now, JsonObject change, CancellationToken cancellation)
        {
            var previous = await context.Policies.SingleOrDefaultAsync(other => other.Active, cancellation);
            if (previous is not null)
            {
                previous.State = Life(previous).Supersede().Life!.State;
                previous.Active = false;
                previous.Revision++;
                change["previous_version"] = previous.Version;
                // Before the other: at no moment are two active.
                await context.SaveChangesAsync(cancellation);
            }
            policy.State = PolicyState.Active;
            policy.Active = true;
            var document = PolicyReader.Parse(policy.Yaml, out _)!;
            foreach (var shadow in await context.Policies.Where(other => other.ShadowRun != null && other.Version != policy.Version).ToListAsync(cancellation))
            {
                if (PolicyReader.Parse(shadow.Yaml, out _) is { } shadowed && PolicyDiff.BeyondShadow(document, shadowed).Count == 0) continue;
                EndShadow(shadow);
                shadow.Revision++;
                await AuditAsync(shadow.Version, "policy.shadow_cleared", by, now, new JsonObject { ["because_active"] = policy.Version }, "Its linkage is not that of the version now active.", cancellation);
            }
            await context.Database.ExecuteSqlAsync(
                $"""
                INSERT INTO policy_activations (version, previous_version, kind, actor, reason, activated_at)
                VALUES ({policy.Version}, {previous?.Version}, {kind}, {by}, {reason}, {now})
                """,
                cancellation);
        }

        public async Task<PolicyChange> CommitAsync(
            StoredPolicy policy, PolicyReading? reading, string action, string by, DateTimeOffset now, JsonObject change, string? note, CancellationToken cancellation)
        {
            if (context.Entry(policy).State != EntityState.Added) policy.Revision++;
            await context.SaveChangesAsync(cancellation);
            await AuditAsync(policy.Version, action, by, now, change, note, cancellation);
            await ChangeChannel.NotifyAsync(context, ChangeTopic.Policy, cancellation);
            await context.Database.CommitTransactionAsync(cancellation);
            return new PolicyChange(policy, reading, null);
        }

        private Task AuditAsync(long version, string action, string by, DateTimeOffset now, JsonObject change, string? note, CancellationToken cancellation) =>
            AuditLog.AppendAsync(
                Connection,
                new AuditEntry
                {
                    Actor = by,
                    Action = action,
                    Subject = Subject(version),
                    Change = change.ToJsonString(JsonSerializerOptions.Default),
                    Note = note,
                },
                now,
                cancellation);

        public ValueTask DisposeAsync() => context.DisposeAsync();
    }
}
