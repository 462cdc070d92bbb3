using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Transport;

public sealed class StreamTests
{
    [Test]
    public async Task Answers_come_in_order_and_a_bad_signup_gets_its_error_in_its_place()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        await service.ScreenAsync(TestSignups.New("taken"));
        var signups = Enumerable.Range(0, 1_000).Select(i => TestSignups.New($"s{i}")).ToList();
        signups[10].Network = new Network { Ip = "broken" };
        signups[20] = TestSignups.New("taken");
        signups[30] = signups[29];

        var answers = await ScreenAsync(service, signups);

        Assert.That(answers.Select(answer => answer.SignupId), Is.EqualTo(signups.Select(signup => signup.SignupId)));
        Assert.That(answers[10].Error, Is.Not.Null);
        Assert.That((answers[10].Error.Code, answers[10].Error.Reason), Is.EqualTo((3, "INVALID_SIGNUP")));
        Assert.That(answers[10].Error.FieldErrors.Single(), Has.Property("Field").EqualTo("signup.network.ip").And.Property("Code").EqualTo("INVALID_IP"));
        Assert.That((answers[20].Error.Code, answers[20].Error.Reason), Is.EqualTo((6, "SIGNUP_ID_REUSED")));
        Assert.That(answers[30].Decision.Replayed, Is.True);
        Assert.That(answers.Count(answer => answer.Decision is { Replayed: false }), Is.EqualTo(997));
    }

    [Test]
    public async Task A_backfill_counts_in_the_order_it_is_sent_and_in_the_time_of_the_signups()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:BatchMax", "16"));
        var start = DateTimeOffset.UtcNow.AddDays(-100);
        // One account every six minutes on one device: at most ten in any hour.
        var signups = Enumerable.Range(0, 60).Select(i => TestSignups.New(device: "d", at: start.AddMinutes(6 * i))).ToList();

        var answers = await ScreenAsync(service, signups);

        Assert.That(answers.Select(answer => answer.Decision.Link("device").Accounts), Is.EqualTo(Enumerable.Range(1, 60).Select(count => (long)count)));
        Assert.That(answers.Select(answer => answer.Decision.Link("device").Accounts1H).Max(), Is.LessThanOrEqualTo(11));
    }

    [Test]
    public async Task A_sender_that_reads_no_answers_is_held_back()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:StreamInFlightMax", "8"));
        using var call = service.Client.ScreenSignups();
        // Answers of some kilobytes each fill what the connection holds for a reader that does not read.
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var sent = 0;
        try
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(new ScreenSignupsRequest { Signup = TestSignups.New(device: "d") }, giveUp.Token);
                sent++;
            }
        }
        catch (Exception held) when (held is OperationCanceledException or Grpc.Core.RpcException)
        {
            // Held back until it gave up.
        }
        Assert.That(sent, Is.LessThan(20_000));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signup_ids"), Is.LessThan(20_000));
        // The service still serves others.
        Assert.That((await service.ScreenAsync(TestSignups.New())).DecisionId, Is.Not.Empty);
    }

    private static async Task<List<ScreenSignupsResponse>> ScreenAsync(TestService service, List<Signup> signups)
    {
        using var call = service.Client.ScreenSignups();
        var sending = Task.Run(async () =>
        {
            foreach (var signup in signups) await call.RequestStream.WriteAsync(new ScreenSignupsRequest { Signup = signup });
            await call.RequestStream.CompleteAsync();
        });
        var answers = new List<ScreenSignupsResponse>();
        while (await call.ResponseStream.MoveNext(CancellationToken.None)) answers.Add(call.ResponseStream.Current);
        await sending;
        return answers;
    }
}
