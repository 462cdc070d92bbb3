using System.Collections.Concurrent;
using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

/// <summary>What was answered is there, whoever is killed.</summary>
public sealed class KillTests
{
    private const int Callers = 32;
    private const int AnsweredBeforeKill = 300;

    [Test]
    public async Task A_killed_service_loses_no_answered_decision()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var process = SignupGuardProcess.Start(TestService.Settings(database), "serve");
        var (channel, client) = await process.ConnectAsync();
        using var _ = channel;
        var answered = new ConcurrentDictionary<string, string>();
        var unanswered = new ConcurrentBag<Signup>();

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            while (true)
            {
                var signup = TestSignups.New(device: $"device-{caller % 8}");
                try
                {
                    answered[signup.SignupId] = (await client.ScreenSignupAsync(new ScreenSignupRequest { Signup = signup })).Decision.DecisionId;
                }
                catch (RpcException)
                {
                    unanswered.Add(signup);
                    return;
                }
                if (answered.Count >= AnsweredBeforeKill) process.Kill();
            }
        }));

        Assert.That(answered, Has.Count.GreaterThanOrEqualTo(AnsweredBeforeKill));
        Assert.That(unanswered, Has.Count.EqualTo(Callers));
        await using var next = await TestService.StartAsync(database);
        foreach (var (signupId, decisionId) in answered)
        {
            var stored = await next.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = signupId });
            Assert.That(stored.Changes[0].Decision.DecisionId, Is.EqualTo(decisionId));
        }
        // Those without an answer may be stored or not; sent again they are counted once.
        foreach (var signup in unanswered) await next.ScreenAsync(signup);
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signup_ids"), Is.EqualTo(answered.Count + unanswered.Count));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions WHERE revision = 1"), Is.EqualTo(answered.Count + unanswered.Count));
    }

    [Test]
    public async Task A_killed_Postgres_loses_no_answered_decision_and_the_service_goes_on()
    {
        await using var server = await TestPostgres.StartOwnAsync(durable: true);
        var database = await server.NewDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var answered = new ConcurrentDictionary<string, string>();
        var killed = 0;

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            var after = 0;
            while (after < 5)
            {
                var signup = TestSignups.New(device: $"device-{caller % 8}");
                try
                {
                    answered[signup.SignupId] = (await service.ScreenAsync(signup)).DecisionId;
                    if (Volatile.Read(ref killed) == 1) after++;
                }
                catch (RpcException away) when (away.StatusCode == StatusCode.Unavailable)
                {
                    // The caller would send it again; here the next one is as good.
                }
                if (answered.Count >= AnsweredBeforeKill && Interlocked.Exchange(ref killed, 1) == 0) server.Kill();
            }
        }));

        Assert.That(killed, Is.EqualTo(1));
        foreach (var (signupId, decisionId) in answered)
        {
            var stored = await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = signupId });
            Assert.That(stored.Changes[0].Decision.DecisionId, Is.EqualTo(decisionId));
        }
    }
}
