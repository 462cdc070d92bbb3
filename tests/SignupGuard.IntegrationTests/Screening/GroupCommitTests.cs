using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

public sealed class GroupCommitTests
{
    private static async Task QueuedAsync(TestService service, int signups)
    {
        var commit = service.Host.Services.GetRequiredService<GroupCommit>();
        while (commit.Queued < signups) await Task.Delay(10);
    }

    /// <summary>Sends the first and waits until its commit waits for the lane; the others then wait behind it.</summary>
    private static async Task<List<Task<Decision>>> SendBehindAsync(TestDatabase database, TestService service, Signup first, IEnumerable<Signup> others)
    {
        var calls = new List<Task<Decision>> { service.ScreenAsync(first) };
        await HeldLane.AwaitedAsync(database);
        calls.AddRange(others.Select(service.ScreenAsync));
        await QueuedAsync(service, calls.Count - 1);
        return calls;
    }

    [Test]
    public async Task Signups_that_wait_for_a_commit_go_into_the_next_one_together()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        List<Task<Decision>> calls;
        await using (await HeldLane.TakeAsync(database))
            calls = await SendBehindAsync(database, service, TestSignups.New(), Enumerable.Range(0, 100).Select(_ => TestSignups.New()));
        await Task.WhenAll(calls);

        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions"), Is.EqualTo(101));
        Assert.That(await database.ScalarAsync<long>("SELECT count(DISTINCT xid::text) FROM decisions"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_batch_is_bounded()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:BatchMax", "7"));
        List<Task<Decision>> calls;
        await using (await HeldLane.TakeAsync(database))
            calls = await SendBehindAsync(database, service, TestSignups.New(), Enumerable.Range(0, 30).Select(_ => TestSignups.New()));
        await Task.WhenAll(calls);

        Assert.That(await database.ScalarAsync<long>("SELECT max(n) FROM (SELECT count(*) AS n FROM decisions GROUP BY xid::text) AS batches"), Is.EqualTo(7));
    }

    [Test]
    public async Task A_poisonous_signup_in_a_batch_fails_alone()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        await service.ScreenAsync(TestSignups.New(device: "poisoned"));
        // A damaged row: what reads it must fail, and not take it for a device never seen.
        await database.ExecuteAsync("UPDATE link_keys SET state = '\\x00' WHERE kind = 3");

        List<Task<Decision>> calls;
        await using (await HeldLane.TakeAsync(database))
        {
            var others = Enumerable.Range(0, 40).Select(i => i == 17 ? TestSignups.New("poisonous", device: "poisoned") : TestSignups.New(device: $"own-{i}"));
            calls = await SendBehindAsync(database, service, TestSignups.New(), others);
        }
        await Task.WhenAll(calls.Select(call => call.ContinueWith(_ => { }, TaskScheduler.Default)));

        var failed = calls.Where(call => call.IsFaulted).ToList();
        Assert.That(calls.IndexOf(failed.Single()), Is.EqualTo(18));
        var refused = (RpcException)failed[0].Exception!.InnerException!;
        Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.Internal));
        Assert.That(refused.GetRpcStatus()!.GetDetail<ErrorInfo>().Reason, Is.EqualTo("SIGNUP_FAILED"));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signup_ids"), Is.EqualTo(41));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signup_ids WHERE signup_id = 'poisonous'"), Is.Zero);
        Assert.That(service.Logs.Lines.Select(line => line.Event), Does.Contain(2004), "the batch was split");
    }

    [Test]
    public async Task Beyond_the_queue_signups_are_refused_at_once_and_may_come_again()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:QueueMax", "3"));
        List<Task<Decision>> calls;
        var late = TestSignups.New("late");
        await using (await HeldLane.TakeAsync(database))
        {
            calls = await SendBehindAsync(database, service, TestSignups.New(), Enumerable.Range(0, 3).Select(_ => TestSignups.New()));
            var refused = await Assert.ThrowsAsync<RpcException>(() => service.ScreenAsync(late));
            Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted));
            Assert.That(refused.GetRpcStatus()!.GetDetail<ErrorInfo>().Reason, Is.EqualTo("OVERLOADED"));
            Assert.That(refused.GetRpcStatus()!.GetDetail<RetryInfo>().RetryDelay.ToTimeSpan(), Is.GreaterThan(TimeSpan.Zero));
        }
        await Task.WhenAll(calls);
        Assert.That((await service.ScreenAsync(late)).Replayed, Is.False);
    }

    [Test]
    public async Task A_caller_whose_time_ends_hears_that_nothing_was_decided_and_may_come_again()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var signup = TestSignups.New(device: "d");
        await using (await HeldLane.TakeAsync(database))
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () =>
                await service.Client.ScreenSignupAsync(new ScreenSignupRequest { Signup = signup }, deadline: DateTime.UtcNow.AddSeconds(2)));
            // The service answers shortly before the deadline; on a machine too busy for that, the client's own clock comes first.
            Assert.That(refused!.StatusCode, Is.AnyOf(StatusCode.Unavailable, StatusCode.DeadlineExceeded));
        }
        Assert.That((await service.ScreenAsync(signup)).Link("device").Accounts, Is.EqualTo(1));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_caller_that_goes_away_leaves_nobody_waiting()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var gone = TestSignups.New(device: "d");
        Task<Decision> other;
        await using (await HeldLane.TakeAsync(database))
        {
            using var cancellation = new CancellationTokenSource();
            var first = service.ScreenAsync(TestSignups.New());
            await HeldLane.AwaitedAsync(database);
            var call = service.Client.ScreenSignupAsync(new ScreenSignupRequest { Signup = gone }, cancellationToken: cancellation.Token).ResponseAsync;
            await QueuedAsync(service, 1);
            await cancellation.CancelAsync();
            Assert.That((await Assert.ThrowsAsync<RpcException>(() => call))!.StatusCode, Is.EqualTo(StatusCode.Cancelled));
            other = service.ScreenAsync(TestSignups.New());
            await QueuedAsync(service, 2);
        }
        await other;
        Assert.That((await service.ScreenAsync(gone)).Link("device").Accounts, Is.EqualTo(1));
    }

    [Test]
    public async Task Without_its_database_the_service_says_so_and_goes_on_when_it_is_back()
    {
        await using var server = await TestPostgres.StartOwnAsync(durable: false);
        var database = await server.NewDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:TimeMsUnset", "1000"));
        await service.ScreenAsync(TestSignups.New("before"));
        await server.StopAsync();

        var signup = TestSignups.New("during");
        var refused = await Assert.ThrowsAsync<RpcException>(() => service.ScreenAsync(signup));
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.Unavailable));
        Assert.That(refused.GetRpcStatus()!.GetDetail<ErrorInfo>().Reason, Is.EqualTo("DATABASE_UNAVAILABLE"));
        Assert.That(refused.GetRpcStatus()!.GetDetail<RetryInfo>(), Is.Not.Null);
        var unread = await Assert.ThrowsAsync<RpcException>(async () => await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = "before" }));
        Assert.That(unread!.StatusCode, Is.EqualTo(StatusCode.Unavailable));
        using (var ready = await service.Http.GetAsync("/readyz")) Assert.That((int)ready.StatusCode, Is.EqualTo(503));
        using (var alive = await service.Http.GetAsync("/healthz")) Assert.That((int)alive.StatusCode, Is.EqualTo(200));

        await server.StartAsync();
        Decision? decision = null;
        while (decision is null)
        {
            try
            {
                decision = await service.ScreenAsync(signup);
            }
            catch (RpcException again) when (again.StatusCode == StatusCode.Unavailable)
            {
                // Not yet.
            }
        }
        Assert.That(decision.SignupId, Is.EqualTo("during"));
        Assert.That((await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = "before" })).Decision.SignupId, Is.EqualTo("before"));
    }

    [Test]
    public async Task A_stop_commits_those_that_wait_before_the_service_ends()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var service = await TestService.StartAsync(database);
        List<Task<Decision>> calls;
        Task stopped;
        await using (await HeldLane.TakeAsync(database))
        {
            calls = await SendBehindAsync(database, service, TestSignups.New(), Enumerable.Range(0, 5).Select(_ => TestSignups.New()));
            stopped = service.Host.DisposeAsync().AsTask();
        }
        await Task.WhenAll(calls);
        await stopped;
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions"), Is.EqualTo(6));
        service.Channel.Dispose();
        service.Http.Dispose();
    }
}
