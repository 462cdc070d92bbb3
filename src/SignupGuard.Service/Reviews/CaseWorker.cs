using Microsoft.Extensions.Logging;
using SignupGuard.Service.Hosting;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>Opens and updates cases after the answer, in the decisions' commit order, each decision once.</summary>
public sealed class CaseWorker(CaseStore store, FactsCipher cipher, TimeProvider clock, ILogger<CaseWorker> log) : TenantWorker(clock, IdlePause)
{
    /// <summary>Pause while nothing is new: a case shows within a second of its decision.</summary>
    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(250);

    /// <summary>Transactions for one tenant before the others get their turn.</summary>
    private const int ChunksPerTurn = 20;

    protected override Task<IReadOnlyList<string>> TenantsWithWorkAsync(CancellationToken cancellation) => store.TenantsWithWorkAsync(cancellation);

    protected override void LogFailed(string fault) => CaseLog.Failed(log, fault);

    protected override async Task<bool> TurnAsync(string tenant, CancellationToken cancellation)
    {
        var any = false;
        for (var chunk = 0; chunk < ChunksPerTurn && await store.FollowAsync(tenant, stored => CaseFacts.Open(cipher, tenant, stored, log), cancellation) > 0; chunk++) any = true;
        return any;
    }
}

/// <summary>A signup's stored facts, for its case.</summary>
internal static class CaseFacts
{
    /// <returns>Null when they can't be opened. A case is opened all the same: a flagged account must not stay unseen because a key is gone.</returns>
    public static OpenedFacts? Open(FactsCipher cipher, string tenant, byte[] stored, ILogger log)
    {
        var opened = StoredFacts.TryOpen(cipher, tenant, stored);
        if (opened is null) CaseLog.Unreadable(log);
        return opened;
    }
}

internal static partial class CaseLog
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Error, Message = "Cases could not follow decisions and wait: {Fault}")]
    public static partial void Failed(ILogger logger, string fault);

    [LoggerMessage(EventId = 501, Level = LogLevel.Error, Message = "A case shows no country, network class or channel: its signup's stored facts can't be opened; is a retired facts key missing?")]
    public static partial void Unreadable(ILogger logger);

    [LoggerMessage(EventId = 502, Level = LogLevel.Information, Message = "{Count} flagged accounts were forgotten: retention dropped their signups")]
    public static partial void Forgotten(ILogger logger, long count);

    [LoggerMessage(EventId = 503, Level = LogLevel.Error, Message = "Cases whose signups are gone could not be forgotten: {Fault}")]
    public static partial void ForgettingFailed(ILogger logger, string fault);
}
