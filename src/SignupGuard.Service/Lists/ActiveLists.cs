using System.Collections.Frozen;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Screening;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Changes;
using SignupGuard.Storage.Lists;

namespace SignupGuard.Service.Lists;

/// <summary>
/// The lists in force, of all tenants: an index each, swapped as a whole. What changed is read when another replica tells of a change, and
/// every <see cref="ScreeningOptions.ListPollMs"/> anyway; while the database can't be reached the last lists stay.
/// </summary>
public sealed class ActiveLists(
    ListStore store,
    KeyHasher hasher,
    ChangeNotifications changes,
    IOptions<ScreeningOptions> options,
    ILogger<ActiveLists> log) : BackgroundService
{
    private readonly ListMatcher _matcher = new(hasher);
    private volatile FrozenDictionary<string, ListIndex> _indexes = FrozenDictionary<string, ListIndex>.Empty;

    public ListIndex For(string tenant) => _indexes.GetValueOrDefault(tenant, ListIndex.Empty);

    /// <summary>The lists that a signup is on, as known now.</summary>
    /// <param name="rules">That its keys were derived by.</param>
    public ListHits Match(string tenant, Signup signup, SignupSignals signals, DerivedKeys keys, IReadOnlyList<LinkageRule> rules) =>
        _matcher.Match(For(tenant), tenant, signup, signals, keys, rules);

    /// <inheritdoc cref="Match(string, Signup, SignupSignals, DerivedKeys, IReadOnlyList{LinkageRule})"/>
    public ListHits Match(string tenant, LinkableSignup signup, IReadOnlyList<LinkageRule> rules) => Match(tenant, signup.Signup, signup.Signals, signup.Keys, rules);

    /// <summary>The first load is part of the start: without its lists a replica would let in whom they deny.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => changes.FollowAsync(
        ChangeTopic.Lists,
        TimeSpan.FromMilliseconds(options.Value.ListPollMs),
        RefreshAsync,
        failure => ListLog.RefreshFailed(log, Fault.Describe(failure)),
        stoppingToken);

    private async Task RefreshAsync(CancellationToken cancellation)
    {
        Dictionary<string, ListIndex>? changed = null;
        foreach (var (tenant, revision) in await store.RevisionsAsync(cancellation))
        {
            var index = For(tenant);
            if (index.Revision == revision) continue;
            // A database that went back to an earlier time, from a backup, has a lower one.
            var delta = await store.ChangesAsync(tenant, index.Revision < revision ? index.Revision : 0, cancellation);
            var next = (delta.FromScratch ? ListIndex.Empty : index).Apply(delta.Changes);
            (changed ??= new Dictionary<string, ListIndex>(_indexes))[tenant] = next;
            ListLog.Loaded(log, next.Revision, next.Lists.Count(), delta.Changes.Entries.Count, delta.Changes.RemovedEntries.Count, next.Count);
        }
        if (changed is not null) _indexes = changed.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

/// <summary>Events 6000 to 6099.</summary>
internal static partial class ListLog
{
    [LoggerMessage(6001, LogLevel.Debug, "Lists of revision {Revision} are in force: {Lists} lists, {Changed} entries new or changed, {Removed} removed, {Rows} in memory")]
    public static partial void Loaded(ILogger log, long revision, int lists, int changed, int removed, int rows);

    [LoggerMessage(6002, LogLevel.Error, "Changes of lists can't be read; the last ones stay in force: {Fault}")]
    public static partial void RefreshFailed(ILogger log, string fault);

    [LoggerMessage(6003, LogLevel.Information, "{Count} entries of lists were cleared away, removed or expired long ago")]
    public static partial void Purged(ILogger log, long count);

    [LoggerMessage(6004, LogLevel.Error, "Removed and expired entries of lists could not be cleared away: {Fault}")]
    public static partial void PurgeFailed(ILogger log, string fault);
}
