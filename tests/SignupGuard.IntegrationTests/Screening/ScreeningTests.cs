using Google.Protobuf;
using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

public sealed class ScreeningTests
{
    [Test]
    public async Task A_signup_gets_a_decision_that_can_be_read_again()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var decision = await service.ScreenAsync(TestSignups.New("first", device: "d"));

        Assert.That(decision.SignupId, Is.EqualTo("first"));
        Assert.That(decision.Verdict, Is.Not.EqualTo(Verdict.Unspecified));
        Assert.That(decision.PolicyVersion, Is.EqualTo(1));
        Assert.That(decision.Revision, Is.EqualTo(1));
        Assert.That(decision.Replayed, Is.False);
        Assert.That(decision.Completeness.Select(group => group.Group), Is.EqualTo(new[] { "email", "phone", "ip", "device", "payment", "links" }));
        Assert.That(decision.Completeness.Single(group => group.Group == "email").State, Is.EqualTo(SignalState.Present));
        Assert.That(decision.Completeness.Single(group => group.Group == "phone").State, Is.EqualTo(SignalState.Missing));

        var stored = await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = "first" });
        Assert.That(stored.Decision, Is.EqualTo(decision));
        Assert.That(stored.Changes.Single().Cause, Is.EqualTo(ChangeCause.Screened));
        Assert.That(stored.Changes.Single().PreviousVerdict, Is.EqualTo(Verdict.Unspecified));
    }

    [Test]
    public async Task Same_id_and_content_returns_the_stored_decision()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var signup = TestSignups.New();
        signup.Custom["a"] = new CustomValue { NumberValue = 1 };
        signup.Custom["b"] = new CustomValue { BoolValue = true };
        var first = await service.ScreenAsync(signup);

        // The same content in another order on the wire.
        var repeat = signup.Clone();
        repeat.Custom.Clear();
        repeat.Custom["b"] = new CustomValue { BoolValue = true };
        repeat.Custom["a"] = new CustomValue { NumberValue = 1 };
        Assert.That(repeat.ToByteArray(), Is.Not.EqualTo(signup.ToByteArray()));
        var second = await service.ScreenAsync(repeat);

        Assert.That(second.Replayed, Is.True);
        second.Replayed = false;
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public async Task Same_id_and_other_content_is_refused()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var first = await service.ScreenAsync(TestSignups.New("taken"));

        var refused = await Assert.ThrowsAsync<RpcException>(() => service.ScreenAsync(TestSignups.New("taken")));
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.AlreadyExists));
        Assert.That(refused.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>(), Is.EqualTo(new Google.Rpc.ErrorInfo { Domain = "signupguard", Reason = "SIGNUP_ID_REUSED" }));
        Assert.That((await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = "taken" })).Decision, Is.EqualTo(first));
    }

    [Test]
    public async Task The_same_id_a_thousand_times_in_parallel_gives_one_decision()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var one = await TestService.StartAsync(database);
        await using var two = await TestService.StartAsync(database);
        var signup = TestSignups.New(device: "d");

        var decisions = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => (i % 2 == 0 ? one : two).ScreenAsync(signup)));

        Assert.That(decisions.Select(decision => decision.DecisionId).Distinct().Count(), Is.EqualTo(1));
        Assert.That(decisions.Count(decision => !decision.Replayed), Is.EqualTo(1));
        Assert.That(decisions[0].Link("device").Accounts, Is.EqualTo(1));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions"), Is.EqualTo(1));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signups"), Is.EqualTo(1));
    }

    [Test]
    public async Task Sixty_four_callers_at_once_on_one_device_see_counts_from_1_to_64_over_two_services()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var one = await TestService.StartAsync(database);
        await using var two = await TestService.StartAsync(database);
        var at = DateTimeOffset.UtcNow;

        var decisions = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => (i % 2 == 0 ? one : two).ScreenAsync(TestSignups.New(device: "shared", at: at))));

        Assert.That(decisions.Select(decision => decision.Link("device").Accounts).Order(), Is.EqualTo(Enumerable.Range(1, 64).Select(count => (long)count)));
        Assert.That(decisions.Select(decision => decision.Link("device").Accounts1H).Order(), Is.EqualTo(Enumerable.Range(1, 64).Select(count => (long)count)));
    }

    [Test]
    public async Task Counts_are_in_the_time_of_the_signups()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var start = DateTimeOffset.UtcNow.AddDays(-30);
        var first = await service.ScreenAsync(TestSignups.New(device: "d", at: start));
        var second = await service.ScreenAsync(TestSignups.New(device: "d", at: start.AddMinutes(30)));
        var third = await service.ScreenAsync(TestSignups.New(device: "d", at: start.AddHours(26)));

        Assert.That(first.Link("device").Accounts1H, Is.EqualTo(1));
        Assert.That((second.Link("device").Accounts10M, second.Link("device").Accounts1H), Is.EqualTo((1, 2)));
        Assert.That((third.Link("device").Accounts, third.Link("device").Accounts1H), Is.EqualTo((3, 1)));
    }

    [Test]
    public async Task An_outcome_is_recorded_once_by_kind()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        await service.ScreenAsync(TestSignups.New("s"));
        var report = new ReportOutcomeRequest
        {
            SignupId = "s",
            Kind = OutcomeKind.Chargeback,
            OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
        };

        Assert.That((await service.Client.ReportOutcomeAsync(report)).Recorded, Is.True);
        Assert.That((await service.Client.ReportOutcomeAsync(report)).Recorded, Is.False);
        var stored = await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = "s" });
        Assert.That(stored.Outcomes.Single().Kind, Is.EqualTo(OutcomeKind.Chargeback));
    }

    [Test]
    public async Task An_unknown_signup_is_not_found()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);

        var unread = await Assert.ThrowsAsync<RpcException>(async () => await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = "none" }));
        var unreported = await Assert.ThrowsAsync<RpcException>(async () => await service.Client.ReportOutcomeAsync(new ReportOutcomeRequest { SignupId = "none", Kind = OutcomeKind.Verified }));
        Assert.That((unread!.StatusCode, unreported!.StatusCode), Is.EqualTo((StatusCode.NotFound, StatusCode.NotFound)));
    }

    [Test]
    public async Task A_policy_made_active_is_in_force_for_later_signups_without_a_restart()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:PolicyPollMs", "50"));
        Assert.That((await service.ScreenAsync(TestSignups.New())).PolicyVersion, Is.EqualTo(1));

        await database.ExecuteAsync(
            """
            UPDATE policies SET active = false, state = 'superseded';
            INSERT INTO policies (version, yaml, content_hash, state, active, author, created_at, changed_by, changed_at)
            SELECT 2, yaml, content_hash, 'active', true, 'test', now(), 'test', now() FROM policies WHERE version = 1
            """);
        long version;
        do version = (await service.ScreenAsync(TestSignups.New())).PolicyVersion;
        while (version == 1);
        Assert.That(version, Is.EqualTo(2));
    }
}
