using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Lists;
using SignupGuard.Service.Screening.Collectors;
using SignupGuard.Service.Telemetry;
using SignupGuard.Service.Transport;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Screening;

/// <summary>
/// The way of one signup, in nine steps.
/// <code>
///  1 authenticate, validate   the call's interceptors; RequestValidation        a request that breaks a bound goes no further
///  2 canonicalise             SignupMap                                          absent is null from here on
///  3 collect signals          SignalCollection                                   each group present, missing, stale, timed out or failed
///  4 derive link keys         Core: LinkKeyDerivation                            identifiers leave as keyed hashes; the lists they are on
///    ─────────── GroupCommit: many waiting signups, one transaction ───────────
///  5 read keys and clusters   Storage: ScreeningStore
///  6 link                     Core: Linker                                       each signup sees all those before it
///  7 evaluate the policy      Core: Policy.Judge                                 6 and 7 together: Core, Screener
///  8 write, COMMIT            Storage: ScreeningStore
///    ───────────────────────────────────────────────────────────────────────────
///  9 answer                   only now: what the caller hears is on the disk
/// </code>
/// Steps 1 to 4 run on the caller's own task and overlap with other signups' commits.
/// </summary>
public sealed class ScreeningPipeline(
    RequestValidation validation,
    SignalCollection collection,
    ActivePolicy policies,
    ActiveLists lists,
    FactsCipher cipher,
    GroupCommit commit,
    IOptions<ScreeningOptions> options,
    TimeProvider clock,
    ILogger<ScreeningPipeline> log)
{
    /// <summary>Screens one signup within its caller's time, <see cref="TimeSpan.MaxValue"/> for a caller without a deadline.</summary>
    /// <exception cref="OperationCanceledException">The caller went away. The signup may be stored or not; the same id may be sent again.</exception>
    public async Task<ScreeningOutcome> ScreenAsync(string tenant, V1.Signup? message, TimeSpan time, CancellationToken cancellation)
    {
        var preparation = await PrepareAsync(tenant, message, cancellation);
        return await await CommitAsync(preparation, TimeFor(time), waitForRoom: false, cancellation);
    }

    /// <summary>Steps 1 to 4. A fault in them is this signup's alone.</summary>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    internal async Task<Preparation> PrepareAsync(string tenant, V1.Signup? message, CancellationToken cancellation)
    {
        var arrived = clock.GetTimestamp();
        try
        {
            // 1 (who calls is settled before)
            var violations = validation.Check(message);
            if (violations.Count > 0) return new Preparation(arrived, null, null, new ScreeningOutcome.Invalid(violations));
            // 2
            var signup = SignupMap.ToCore(message!);
            // 3
            var signals = await collection.CollectAsync(signup, cancellation);
            // 4
            var policy = policies.Snapshot;
            var keys = policy.Keys.Derive(tenant, signup, signals);
            var linkable = new LinkableSignup(signup, signals, keys) { Lists = lists.Match(tenant, signup, signals, keys, policy.Policy.Linkage.Rules) };

            var content = ContentHash.Canonical(message!);
            var prepared = new PreparedSignup
            {
                Tenant = tenant,
                Linkable = linkable,
                ContentHash = ContentHash.Of(content),
                Facts = cipher.Seal(tenant, new SignupFacts(content, signals)),
            };
            return new Preparation(arrived, prepared, policy, null);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            var reference = Fault.NewReference();
            ScreeningLog.SignupFailed(log, reference, Fault.Describe(failure));
            return new Preparation(arrived, null, null, new ScreeningOutcome.Failed(reference));
        }
    }

    /// <summary>Steps 5 to 9. The outer task ends when the signup has its place in the queue, the inner one when it is decided.</summary>
    internal async Task<Task<ScreeningOutcome>> CommitAsync(Preparation preparation, TimeSpan time, bool waitForRoom, CancellationToken cancellation)
    {
        // 5 to 8
        var outcome = preparation is { Signup: { } signup, Policy: { } policy }
            ? await commit.EnqueueAsync(signup, policy, time, waitForRoom, cancellation)
            : Task.FromResult(preparation.Refusal!);
        // 9
        return RecordAsync(outcome, preparation.Arrived);
    }

    /// <summary>A signup on its way to the commit, or why it has none.</summary>
    internal sealed record Preparation(long Arrived, PreparedSignup? Signup, PolicySnapshot? Policy, ScreeningOutcome? Refusal);

    private TimeSpan TimeFor(TimeSpan callers)
    {
        var (unset, max) = (TimeSpan.FromMilliseconds(options.Value.TimeMsUnset), TimeSpan.FromMilliseconds(options.Value.TimeMsMax));
        return callers == TimeSpan.MaxValue ? unset : callers < max ? callers : max;
    }

    private async Task<ScreeningOutcome> RecordAsync(Task<ScreeningOutcome> pending, long arrived)
    {
        var outcome = await pending;
        var tags = new TagList { { "outcome", Name(outcome) } };
        Instruments.ScreeningSeconds.Record(clock.GetElapsedTime(arrived).TotalSeconds, tags);
        if (outcome is ScreeningOutcome.Decided decided)
            Instruments.Signups.Add(1, new TagList { { "verdict", decided.Decision.Body.Verdict.ToString().ToLowerInvariant() }, { "replayed", decided.Replayed } });
        return outcome;
    }

    private static string Name(ScreeningOutcome outcome) => outcome switch
    {
        ScreeningOutcome.Decided => "decided",
        ScreeningOutcome.Invalid => "invalid",
        ScreeningOutcome.IdReused => "id_reused",
        ScreeningOutcome.Overloaded => "overloaded",
        ScreeningOutcome.Unavailable => "unavailable",
        ScreeningOutcome.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An outcome without a name."),
    };
}
