using System.Diagnostics;
using System.Text.Json;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;

namespace SignupGuard.IntegrationTests.Cli;

/// <summary><c>signupguard bench</c> as a process of its own. Shows that every figure is measured and that they fit together, not how fast anything is.</summary>
public sealed class BenchCommandTests
{
    [Test]
    public async Task A_short_run_with_references_gives_every_figure()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var run = await RunAsync(
            ["bench", "--rate", "20", "--concurrency", "4", "--duration", "2", "--warm-up", "1", "--fill", "100", "--replicas", "2", "--reference", "--json"],
            [.. TestService.Settings(database).Select(setting => (setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value!))]);
        Assert.That(run.Exit, Is.EqualTo(0).Or.EqualTo(2), run.Errors);
        using var figures = JsonDocument.Parse(run.Output);
        var root = figures.RootElement;
        double Number(string name) => root.GetProperty(name).GetDouble();

        Assert.That(run.Exit, Is.EqualTo(Number("errors") == 0 ? 0 : 2), run.Errors);
        Assert.That(Number("durable_per_second"), Is.Positive, run.Output);
        Assert.That(Number("pgbench_single_per_second"), Is.Positive, run.Output);
        Assert.That(Number("database_batch_ceiling_per_second"), Is.Positive, run.Output);
        Assert.That(Number("ratio_to_pgbench"), Is.EqualTo(Number("durable_per_second") / Number("pgbench_single_per_second")).Within(0.01));
        Assert.That(Number("core_only_per_second"), Is.Positive);
        Assert.That(Number("rss_mb_max"), Is.InRange(20, 4_000));
        foreach (var name in new[] { "20", "closed" })
        {
            var latency = root.GetProperty("latency_ms").GetProperty(name);
            Assert.That(latency.GetProperty("p50").GetDouble(), Is.Positive);
            Assert.That(latency.GetProperty("p99").GetDouble(), Is.GreaterThanOrEqualTo(latency.GetProperty("p50").GetDouble()));
            Assert.That(latency.GetProperty("p999").GetDouble(), Is.GreaterThanOrEqualTo(latency.GetProperty("p99").GetDouble()));
        }

        // What was counted as durable is in the database, under the service's tenant; the references kept to tenants of their own.
        var answered = root.GetProperty("runs").EnumerateArray().Sum(item => item.GetProperty("answered").GetInt64());
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions WHERE tenant = 'default'"), Is.GreaterThanOrEqualTo(answered));
        Assert.That(await database.ScalarAsync<long>("SELECT count(DISTINCT tenant) FROM decisions WHERE tenant LIKE 'bench-single-%'"), Is.InRange(1, 4));
        var (keys, fresh) = (root.GetProperty("reference_rows").GetProperty("keys_per_signup").GetDouble(), root.GetProperty("reference_rows").GetProperty("fresh_keys_per_signup").GetDouble());
        Assert.That(keys, Is.InRange(10, 60));
        Assert.That(fresh, Is.InRange(1, keys));
    }

    [Test]
    public async Task A_running_service_is_measured_at_its_address()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var run = await RunAsync(["bench", "--address", service.Host.GrpcAddress.ToString(), "--mix", "replays", "--concurrency", "2", "--duration", "10", "--warm-up", "0", "--json"], []);
        Assert.That(run.Exit, Is.EqualTo(0).Or.EqualTo(2), run.Errors);
        using var figures = JsonDocument.Parse(run.Output);

        var sent = figures.RootElement.GetProperty("runs")[0].GetProperty("answered").GetInt64();
        Assert.That(sent, Is.Positive, run.Errors);
        Assert.That(figures.RootElement.TryGetProperty("rss_mb_max", out _), Is.False);
        Assert.That(figures.RootElement.TryGetProperty("pgbench_single_per_second", out _), Is.False);
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions"), Is.Positive.And.LessThanOrEqualTo(sent + 2));
    }

    [TestCase("--rate", "0")]
    [TestCase("--duration", "0.5")]
    [TestCase("--replicas", "0")]
    [TestCase("--mix", "quiet")]
    public async Task Wrong_usage_is_told(string option, string value)
    {
        var run = await RunAsync(["bench", option, value], []);
        Assert.That(run.Exit, Is.Not.Zero);
        Assert.That(run.Errors, Does.Contain(option));
    }

    private static async Task<(int Exit, string Output, string Errors)> RunAsync(string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(TestContext.CurrentContext.TestDirectory, "signupguard.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
