using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Transport;

public sealed class WatchTests
{
    private static async Task<List<DecisionChange>> WatchAsync(TestService service, WatchDecisionsRequest request, int count)
    {
        using var call = service.Client.WatchDecisions(request);
        var changes = new List<DecisionChange>();
        while (changes.Count < count && await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (call.ResponseStream.Current.Change is { } change) changes.Add(change);
        }
        return changes;
    }

    [Test]
    public async Task A_watch_goes_on_after_any_token_and_misses_nothing_while_two_services_write()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var one = await TestService.StartAsync(database);
        await using var two = await TestService.StartAsync(database);
        var ids = Enumerable.Range(0, 400).Select(i => $"s{i}").ToList();
        var live = WatchAsync(one, new WatchDecisionsRequest(), ids.Count);
        await Task.WhenAll(ids.Select((id, i) => (i % 2 == 0 ? one : two).ScreenAsync(TestSignups.New(id))));

        var seen = await live;
        Assert.That(seen.Select(change => change.SignupId), Is.EquivalentTo(ids));
        foreach (var from in new[] { 0, 1, 137, 399 })
        {
            if (from == 399) await one.ScreenAsync(TestSignups.New("later"));
            var rest = await WatchAsync(two, new WatchDecisionsRequest { After = seen[from].Token }, ids.Count - from - 1 + (from == 399 ? 1 : 0));
            Assert.That(rest.Select(change => change.SignupId), Is.EqualTo(from == 399 ? ["later"] : seen.Skip(from + 1).Select(change => change.SignupId)));
        }
    }

    [Test]
    public async Task Changes_alone_can_be_watched()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        await service.ScreenAsync(TestSignups.New("stays"));
        await service.ScreenAsync(TestSignups.New("changes"));
        await service.Client.ReportOutcomeAsync(new ReportOutcomeRequest { SignupId = "changes", Kind = OutcomeKind.AbuseConfirmed });

        var change = (await WatchAsync(service, new WatchDecisionsRequest { ChangesOnly = true }, 1)).Single();
        Assert.That(change.SignupId, Is.EqualTo("changes"));
        Assert.That((change.PreviousVerdict, change.Verdict, change.Cause), Is.EqualTo((Verdict.Allow, Verdict.Deny, ChangeCause.Outcome)));
        Assert.That((change.Decision.Verdict, change.Decision.Revision), Is.EqualTo((Verdict.Deny, 2)));
    }

    [Test]
    public async Task A_stopping_service_ends_its_watches_so_that_they_go_on_elsewhere()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var service = await TestService.StartAsync(database);
        using var call = service.Client.WatchDecisions(new WatchDecisionsRequest());
        await service.ScreenAsync(TestSignups.New());
        Assert.That(await call.ResponseStream.MoveNext(CancellationToken.None), Is.True);
        var stopped = service.Host.DisposeAsync().AsTask();
        var ended = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.That(ended!.StatusCode, Is.EqualTo(StatusCode.Unavailable));
        await stopped;
        service.Channel.Dispose();
        service.Http.Dispose();
    }
}
