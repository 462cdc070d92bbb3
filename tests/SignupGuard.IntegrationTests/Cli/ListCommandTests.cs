using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;

namespace SignupGuard.IntegrationTests.Cli;

public sealed class ListCommandTests
{
    private TestDatabase _database = null!;
    private TestService _service = null!;
    private string _folder = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
        _folder = Directory.CreateTempSubdirectory("sg-lists-").FullName;
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        await using var process = SignupGuardProcess.Start(new Dictionary<string, string?>(), [.. arguments, .. arguments[0] == "list" ? (string[])["--address", _service.Host.GrpcAddress.ToString(), "--actor", "carla"] : []]);
        var (exitCode, output) = await process.EndAsync();
        return (exitCode, output.Trim(), process.Errors);
    }

    [Test]
    public async Task A_list_is_made_filled_shown_exported_imported_and_removed()
    {
        Assert.That(await RunAsync("list", "create", "bad-nets", "--type", "ip", "--effect", "deny", "--description", "abused"), Is.EqualTo((0, "bad-nets: deny ip, 0 entries; abused", "")));
        Assert.That(await RunAsync("list", "add", "bad-nets", "203.0.113.0/24", "198.51.100.7", "--reason", "seen", "--expires", "2099-01-01"), Is.EqualTo((0, "2 added, 0 changed, 0 unchanged.", "")));
        Assert.That((await RunAsync("list", "show", "bad-nets", "--value", "198.51.100.7")).Output, Does.StartWith("19***.7\tseen\tuntil 2099-01-01").And.Contain("carla"));
        var file = Path.Combine(_folder, "nets.csv");
        Assert.That((await RunAsync("list", "export", "bad-nets", "--out", file)).ExitCode, Is.Zero);
        Assert.That(await File.ReadAllTextAsync(file), Does.Contain("203.0.113.0/24").And.Contain("198.51.100.7"));
        if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That((await RunAsync("list", "remove", "bad-nets", "203.0.113.0/24")).Output, Is.EqualTo("1 removed."));
        Assert.That((await RunAsync("list", "import", "bad-nets", "--in", file, "--check")).Output, Is.EqualTo("2 lines, all good. Nothing was added."));
        Assert.That((await RunAsync("list", "import", "bad-nets", "--in", file)).Output, Is.EqualTo("2 lines: 1 added, 0 changed, 1 unchanged."));
        Assert.That((await RunAsync("list", "update", "bad-nets", "--effect", "watch")).Output, Is.EqualTo("bad-nets: watch ip, 2 entries; abused"));
        Assert.That((await RunAsync("list", "delete", "bad-nets")).Output, Is.EqualTo("bad-nets removed, with 2 entries."));
        Assert.That(await RunAsync("list", "show"), Is.EqualTo((0, "", "")));

        var audit = await _database.ScalarAsync<string>("SELECT string_agg(action || ' ' || actor || ' ' || subject, '; ' ORDER BY id) FROM audit WHERE subject = 'lists/bad-nets'");
        Assert.That(audit.Split("; ").Select(line => line.Split(' ')[0]), Is.EqualTo(new[] { "list.created", "list.entries_added", "list.exported", "list.entries_removed", "list.imported", "list.updated", "list.deleted" }));
        Assert.That(audit.Split("; "), Is.All.EndsWith(" carla lists/bad-nets"));
        Assert.That(await _database.ScalarAsync<string>("SELECT string_agg(change::text, ' ') FROM audit"), Does.Not.Contain("198.51.100.7"));
    }

    [Test]
    public async Task What_is_wrong_is_said_and_ends_with_1()
    {
        await RunAsync("list", "create", "numbers", "--type", "asn", "--effect", "watch");
        Assert.That(await RunAsync("list", "show", "nowhere"), Is.EqualTo((1, "", "There is no list of this name.")));
        var file = Path.Combine(_folder, "bad.csv");
        await File.WriteAllTextAsync(file, "value\nAS1\nnonsense\n");
        var (exitCode, _, errors) = await RunAsync("list", "import", "numbers", "--in", file);
        Assert.That((exitCode, errors.Contains("csv.line[3].value: The number of an autonomous system (AS64500).", StringComparison.Ordinal)), Is.EqualTo((1, true)), errors);
        Assert.That((await RunAsync("list", "import", "numbers", "--in", Path.Combine(_folder, "none.csv"))).ExitCode, Is.EqualTo(1));
        Assert.That((await RunAsync("list", "create", "x", "--type", "colour", "--effect", "deny")).Errors, Does.Contain("--type is one of email, domain, ip"));
    }

    /// <summary>docs/images show what the shipped policy does.</summary>
    [Test]
    public async Task The_plots_of_the_documents_are_those_of_the_shipped_policy()
    {
        var folder = Path.Combine(_folder, "plots");
        Assert.That((await RunAsync("linkage-plots", "--out", folder)).ExitCode, Is.Zero);
        var images = Path.Combine(Repository.Root(), "docs", "images");
        foreach (var file in Directory.GetFiles(folder, "*.svg"))
            Assert.That(await File.ReadAllTextAsync(Path.Combine(images, Path.GetFileName(file))), Is.EqualTo(await File.ReadAllTextAsync(file)), "signupguard linkage-plots --out docs/images");
        var document = await File.ReadAllTextAsync(Path.Combine(Repository.Root(), "docs", "linkage-rules.md"));
        foreach (var file in Directory.GetFiles(folder, "*.svg")) Assert.That(document, Does.Contain($"images/{Path.GetFileName(file)}"));
    }
}
