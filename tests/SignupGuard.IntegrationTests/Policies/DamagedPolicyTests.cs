using SignupGuard.Core.Policies;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Policies;

/// <summary>Whatever stands in the table, the service goes on by the last good version, and says so.</summary>
public sealed class DamagedPolicyTests
{
    private const int Unusable = 5101;
    private const int FellBack = 5102;
    private const int FellBackToShipped = 5103;

    /// <summary>Texts that are no policy, with the hash that goes with them: as if they had been saved so.</summary>
    private static readonly string[] NoPolicies =
    [
        "''", "'{'", "'name: x'", "'just text'", "repeat('a: &a [*a, *a] ', 10)", "replace(yaml, 'base_rate: 0', 'base_rate: 7')", "replace(yaml, 'ip.tor', 'ip.rot')",
        "yaml || E'\\nsurprise: 1'", "'!!System.Diagnostics.Process {}'", "repeat('[', 5000)",
    ];

    [Test]
    public async Task A_stored_version_that_is_changed_by_hand_is_not_used([Values] bool hashToo)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:PolicyPollMs", "50"));
        await database.ExecuteAsync(hashToo
            ? "UPDATE policies SET yaml = 'name: x', content_hash = sha256('name: x')"
            : "UPDATE policies SET yaml = replace(yaml, 'name: default', 'name: mine')");
        await SaidAsync(service, Unusable);
        Assert.That((await service.ScreenAsync(TestSignups.New())) is { PolicyVersion: 1, Verdict: Verdict.Allow });
        Assert.That(await HealthAsync(service), Is.EqualTo("Degraded"));
        Assert.That((await new TestAdmin(service, "ada").GetAsync(1)).Damaged, Is.EqualTo(!hashToo));
        Assert.That(service.Logs.Lines.Count(line => line.Event == Unusable), Is.EqualTo(1), "loudly, and once");

        await database.ExecuteAsync($"UPDATE policies SET yaml = $yaml${DefaultPolicy.Yaml}$yaml$, content_hash = sha256(convert_to($yaml${DefaultPolicy.Yaml}$yaml$, 'UTF8'))");
        await SaidAsync(service, 5107);
        Assert.That(await HealthAsync(service), Is.EqualTo("Healthy"));
    }

    [TestCaseSource(nameof(NoPolicies))]
    public async Task A_start_with_such_a_version_falls_back_to_the_last_that_can_be_used(string text)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using (var service = await TestService.StartAsync(database))
        {
            await new TestAdmin(service, "ada").PublishAsync(TestAdmin.ReviewsAll, new TestAdmin(service, "grace"));
        }
        await database.ExecuteAsync($"UPDATE policies SET yaml = {text} WHERE version = 2; UPDATE policies SET content_hash = sha256(convert_to(yaml, 'UTF8')) WHERE version = 2");

        using var counted = new Counted("signupguard.policies.unusable");
        await using var again = await TestService.StartAsync(database);
        Assert.That(again.Logs.Lines.Select(line => line.Event), Does.Contain(Unusable).And.Contain(FellBack));
        Assert.That(counted.Total, Is.GreaterThan(0));
        Assert.That((await again.ScreenAsync(TestSignups.New())).PolicyVersion, Is.EqualTo(1));
        Assert.That(await HealthAsync(again), Is.EqualTo("Degraded"));
        // A way out without a database tool: back to the version that is used anyway.
        Assert.That((await new TestAdmin(again, "ada").RollbackAsync(1)).State, Is.EqualTo(V1.PolicyState.Active));
    }

    [Test]
    public async Task With_no_usable_version_at_all_the_policy_of_the_program_decides_as_version_0()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using (await TestService.StartAsync(database))
        {
        }
        await database.ExecuteAsync("UPDATE policies SET yaml = ''");
        await using var service = await TestService.StartAsync(database);
        Assert.That(service.Logs.Lines.Select(line => line.Event), Does.Contain(FellBackToShipped));
        Assert.That((await service.ScreenAsync(TestSignups.New())).PolicyVersion, Is.Zero);
        var (ada, grace) = (new TestAdmin(service, "ada"), new TestAdmin(service, "grace"));
        await ada.PublishAsync(DefaultPolicy.Yaml, grace);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await service.ScreenAsync(TestSignups.New())).PolicyVersion != 2) limit.Token.ThrowIfCancellationRequested();
    }

    [TestCaseSource(nameof(NoPolicies))]
    public async Task No_way_leads_from_such_a_text_to_the_policy_in_force(string text)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var (ada, grace) = (new TestAdmin(service, "ada"), new TestAdmin(service, "grace"));
        var validated = await ada.DraftAsync(TestAdmin.ReviewsAll);
        var requested = await ada.RequestAsync(await ada.DraftAsync(TestAdmin.ReviewsAll + "# other"));
        await ada.PublishAsync(TestAdmin.ReviewsAll, grace);
        await ada.RollbackAsync(1);
        // Version 4 was in force; 2 and 3 are on their way.
        await database.ExecuteAsync(
            $"""
            UPDATE policies SET yaml = {text} WHERE version > 1;
            UPDATE policies SET content_hash = sha256(convert_to(yaml, 'UTF8')) WHERE version > 1
            """);
        foreach (var step in new Func<Task>[] { () => ada.RequestAsync(validated), () => ada.ShadowAsync(validated), () => grace.ApproveAsync(requested), () => ada.RollbackAsync(4) })
            Assert.That((await TestAdmin.RefusedAsync(step)).Reason, Is.EqualTo("POLICY_INVALID"));
        Assert.That(await database.ScalarAsync<long>("SELECT version FROM policies WHERE active"), Is.EqualTo(1));
        Assert.That((await service.ScreenAsync(TestSignups.New())).PolicyVersion, Is.EqualTo(1));
    }

    [Test]
    public async Task The_table_takes_no_longer_text_than_the_reader()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.ExecuteAsync($"UPDATE policies SET yaml = yaml || repeat('#', {PolicyReader.DocumentCharactersMax})"));
        Assert.That(refused!.SqlState, Is.EqualTo(Npgsql.PostgresErrorCodes.StringDataRightTruncation));
    }

    private static async Task SaidAsync(TestService service, int id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (service.Logs.Lines.All(line => line.Event != id)) await Task.Delay(10, limit.Token);
    }

    private static async Task<string> HealthAsync(TestService service)
    {
        using var answer = await service.Http.GetAsync("/readyz");
        Assert.That(answer.IsSuccessStatusCode, "it screens all the same");
        return await answer.Content.ReadAsStringAsync();
    }
}
