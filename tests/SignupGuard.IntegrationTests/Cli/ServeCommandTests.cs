using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Cli;

public sealed class ServeCommandTests
{
    [Test]
    public async Task It_serves_until_it_is_told_to_stop_and_then_ends_well()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var process = SignupGuardProcess.Start(TestService.Settings(database), "serve");
        var (channel, client) = await process.ConnectAsync();
        using (channel)
        {
            var decision = (await client.ScreenSignupAsync(new ScreenSignupRequest { Signup = TestSignups.New() })).Decision;
            Assert.That(decision.Verdict, Is.Not.EqualTo(Verdict.Unspecified));
        }
        process.Terminate();
        var (exitCode, output) = await process.EndAsync();
        Assert.That(exitCode, Is.Zero, process.Errors);
        Assert.That(output, Is.Empty, "the standard output is for results");
    }

    [Test]
    public async Task A_start_that_can_not_be_ends_with_1_and_one_clear_line()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var settings = TestService.Settings(database);
        settings.Remove("Secrets:LinkKey");
        await using var process = SignupGuardProcess.Start(settings, "serve");
        var (exitCode, _) = await process.EndAsync();
        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(process.Errors, Does.StartWith("Secrets:LinkKey").And.Not.Contain("   at "));
    }

    [Test]
    public async Task The_private_database_keeps_its_decisions_from_one_run_to_the_next()
    {
        var data = TestFolders.Create();
        try
        {
            Decision? first = null;
            var signup = TestSignups.New("kept");
            for (var run = 0; run < 2; run++)
            {
                await using var process = SignupGuardProcess.Start(
                    new Dictionary<string, string?>(), "serve", "--data", data, "--grpc-port", "0", "--http-port", "0", "--console-port", "0");
                var (channel, client) = await process.ConnectAsync();
                using (channel)
                {
                    var decision = (await client.ScreenSignupAsync(new ScreenSignupRequest { Signup = signup })).Decision;
                    first ??= decision;
                    Assert.That(decision.DecisionId, Is.EqualTo(first.DecisionId));
                    Assert.That(decision.Replayed, Is.EqualTo(run == 1));
                }
                process.Terminate();
                Assert.That((await process.EndAsync()).ExitCode, Is.Zero);
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
