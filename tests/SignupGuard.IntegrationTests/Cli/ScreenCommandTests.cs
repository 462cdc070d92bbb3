using System.Text.Json;
using Google.Protobuf;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Cli;

/// <summary>The program in a process of its own, as users run it.</summary>
public sealed class ScreenCommandTests
{
    private string _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("sg-cli-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    private string In => Path.Combine(_folder, "in.jsonl");

    private string Out => Path.Combine(_folder, "out.jsonl");

    private async Task<List<Decision>> DecisionsAsync() =>
        [.. (await File.ReadAllLinesAsync(Out)).Select(line => JsonParser.Default.Parse<ScreenSignupResponse>(line).Decision)];

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(IReadOnlyDictionary<string, string?> settings, params string[] arguments)
    {
        await using var process = SignupGuardProcess.Start(settings, arguments);
        var (exitCode, output) = await process.EndAsync();
        return (exitCode, output, process.Errors);
    }

    private static readonly Dictionary<string, string?> NoSettings = [];

    [Test]
    public async Task A_file_of_signups_becomes_a_file_of_decisions_in_order_without_its_bad_lines()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var signups = Enumerable.Range(0, 500).Select(i => TestSignups.New($"s{i}")).ToList();
        // Signups alone and wrapped in requests, windows' line ends, an empty line, and the bad ones: lines 2, 4, 6, 8.
        var lines = signups.Select((signup, i) => i % 2 == 0 ? JsonFormatter.Default.Format(signup) : JsonFormatter.Default.Format(new ScreenSignupRequest { Signup = signup })).ToList();
        lines.Insert(1, "{\"signupId\": \"cut");
        lines.Insert(3, "{\"signupId\": \"slip\", \"emial\": {}}");
        lines.Insert(5, "{\"signupId\": \"bounds\", \"network\": {\"ip\": \"1\"}}");
        lines.Insert(7, "{\"signupId\": \"\xff\"}");
        lines.Insert(9, "");
        await using (var file = File.Create(In))
        {
            // Latin-1, so that line 8 is no UTF-8.
            foreach (var line in lines) await file.WriteAsync(System.Text.Encoding.Latin1.GetBytes(line + "\r\n"));
        }

        var (exitCode, output, errors) = await RunAsync(NoSettings, "screen", "--in", In, "--out", Out, "--address", service.Host.GrpcAddress.ToString(), "--json");

        Assert.That(exitCode, Is.EqualTo(2), errors);
        Assert.That((await DecisionsAsync()).Select(decision => decision.SignupId), Is.EqualTo(signups.Select(signup => signup.SignupId)));
        var summary = JsonDocument.Parse(output).RootElement;
        Assert.That((summary.GetProperty("screened").GetInt64(), summary.GetProperty("left_out").GetInt64()), Is.EqualTo((500, 4)));
        Assert.That(summary.GetProperty("bad_lines").EnumerateArray().Select(line => line.GetProperty("line").GetInt64()), Is.EqualTo(new[] { 2, 4, 6, 8 }));
        Assert.That(errors, Does.Contain("line 2: UNREADABLE_LINE: No JSON"));
        Assert.That(errors, Does.Contain("line 4: signup.emial: UNKNOWN_FIELD"));
        Assert.That(errors, Does.Contain("line 6: signup.network.ip: INVALID_IP"));
        Assert.That(errors, Does.Contain("line 6: signup.occurred_at: REQUIRED"));
        Assert.That(errors, Does.Contain("line 8: "));
    }

    [Test]
    public async Task Running_it_again_gives_the_same_decisions()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        await File.WriteAllLinesAsync(In, Enumerable.Range(0, 20).Select(i => JsonFormatter.Default.Format(TestSignups.New($"s{i}"))));
        string[] arguments = ["screen", "--in", In, "--out", Out, "--address", service.Host.GrpcAddress.ToString()];

        var (first, output, _) = await RunAsync(NoSettings, arguments);
        var decisions = await DecisionsAsync();
        var (second, _, _) = await RunAsync(NoSettings, arguments);
        var again = await DecisionsAsync();

        Assert.That((first, second), Is.EqualTo((0, 0)));
        Assert.That(output, Does.StartWith("20 screened"));
        Assert.That(again.Select(decision => decision.DecisionId), Is.EqualTo(decisions.Select(decision => decision.DecisionId)));
        Assert.That(again.Select(decision => decision.Replayed), Has.All.True);
    }

    [Test]
    public async Task Without_an_address_it_starts_a_service_of_its_own_and_stops_it()
    {
        // Also where Postgres's user can enter.
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await File.WriteAllLinesAsync(In, [JsonFormatter.Default.Format(TestSignups.New("own"))]);
        var (exitCode, _, errors) = await RunAsync(TestService.Settings(database), "screen", "--in", In, "--out", Out);
        Assert.That(exitCode, Is.Zero, errors);
        Assert.That((await DecisionsAsync()).Single().SignupId, Is.EqualTo("own"));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signup_ids WHERE signup_id = 'own'"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_empty_file_is_no_failure()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        await File.WriteAllTextAsync(In, "");
        var (exitCode, _, _) = await RunAsync(NoSettings, "screen", "--in", In, "--out", Out, "--address", service.Host.GrpcAddress.ToString());
        Assert.That((exitCode, new FileInfo(Out).Length), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task What_can_not_be_done_ends_with_1_and_leaves_no_file()
    {
        await File.WriteAllTextAsync(In, "{}");
        var missing = await RunAsync(NoSettings, "screen", "--in", Path.Combine(_folder, "none"), "--out", Out, "--address", "http://127.0.0.1:1");
        var same = await RunAsync(NoSettings, "screen", "--in", In, "--out", In, "--address", "http://127.0.0.1:1");
        var address = await RunAsync(NoSettings, "screen", "--in", In, "--out", Out, "--address", "localhost");
        var unreachable = await RunAsync(NoSettings, "screen", "--in", In, "--out", Out, "--address", "http://127.0.0.1:1");
        Assert.That((missing.ExitCode, same.ExitCode, address.ExitCode, unreachable.ExitCode), Is.EqualTo((1, 1, 1, 1)));
        Assert.That(Directory.GetFiles(_folder), Is.EqualTo(new[] { In }));
        Assert.That(await File.ReadAllTextAsync(In), Is.EqualTo("{}"));
    }

    [Test]
    public async Task A_service_that_is_killed_and_comes_back_costs_no_line()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var settings = TestService.Settings(database);
        await using var first = SignupGuardProcess.Start(settings, "serve");
        var address = await first.AddressAsync();
        await File.WriteAllLinesAsync(In, Enumerable.Range(0, 5_000).Select(i => JsonFormatter.Default.Format(TestSignups.New($"s{i}"))));

        await using var command = SignupGuardProcess.Start(NoSettings, "screen", "--in", In, "--out", Out, "--address", address.ToString());
        while (await database.ScalarAsync<long>("SELECT count(*) FROM signup_ids") < 500) await Task.Delay(10);
        // With the lane held nothing is committed any more, so the kill comes in the middle.
        await using (await HeldLane.TakeAsync(database)) first.Kill();
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM signup_ids"), Is.LessThan(5_000));
        settings["Listen:GrpcPort"] = address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await using var second = SignupGuardProcess.Start(settings, "serve");
        var (exitCode, _) = await command.EndAsync();

        Assert.That(exitCode, Is.Zero, $"{command.Errors}\n{second.Errors}");
        Assert.That((await DecisionsAsync()).Select(decision => decision.SignupId), Is.EqualTo(Enumerable.Range(0, 5_000).Select(i => $"s{i}")));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM decisions WHERE revision = 1"), Is.EqualTo(5_000));
    }
}
