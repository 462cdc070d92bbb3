using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Simulation;

/// <summary><c>signupguard simulate</c> as a process of its own.</summary>
public sealed class SimulateCommandTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("simulate-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Two_processes_write_the_same_bytes_whatever_their_language_and_zone()
    {
        string[] options = ["simulate", "--seed", "11", "--benign", "800", "--days", "3"];
        var first = await RunAsync([.. options, "--out", PathOf("a"), "--labels", PathOf("a.labels")], ("LC_ALL", "C"), ("TZ", "UTC"));
        (string, string)[] elsewhere = [("LC_ALL", "de_DE.UTF-8"), ("TZ", "Asia/Tokyo"), ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")];
        var second = await RunAsync([.. options, "--out", PathOf("b"), "--labels", PathOf("b.labels")], elsewhere);
        Assert.That((first.Exit, second.Exit), Is.EqualTo((0, 0)), first.Errors + second.Errors);
        Assert.That(await File.ReadAllBytesAsync(PathOf("a")), Is.EqualTo(await File.ReadAllBytesAsync(PathOf("b"))));
        Assert.That(await File.ReadAllBytesAsync(PathOf("a.labels")), Is.EqualTo(await File.ReadAllBytesAsync(PathOf("b.labels"))));

        // And they are the library's signups, in the contract's own JSON.
        var lines = await File.ReadAllLinesAsync(PathOf("a"));
        var expected = SimulationRun.Of(new SimulationOptions { Seed = 11, Benign = 800, Days = 3 }).ToList();
        Assert.That(lines.Select(line => JsonParser.Default.Parse<Signup>(line)), Is.EqualTo(expected.Select(s => s.Signup)));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task What_is_no_ordinary_file_is_written_to_and_not_replaced(CancellationToken limit)
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Named pipes lie elsewhere there.");
        using (var made = Process.Start("mkfifo", [PathOf("pipe")])) await made.WaitForExitAsync(limit);
        var reading = Task.Run(() => File.ReadAllLinesAsync(PathOf("pipe"), limit), limit);
        var run = await RunAsync(["simulate", "--seed", "2", "--benign", "30", "--days", "1", "--out", PathOf("pipe"), "--json"]);
        Assert.That(run.Exit, Is.Zero, run.Errors);
        using var summary = JsonDocument.Parse(run.Output);
        Assert.That(await reading, Has.Length.EqualTo(summary.RootElement.GetProperty("signups").GetInt32()));
        Assert.That(Directory.GetFiles(_folder).Select(Path.GetFileName), Is.EqualTo(new[] { "pipe" }));
    }

    [Test]
    public async Task Every_signup_has_one_label_and_the_signups_do_not_tell()
    {
        var run = await RunAsync(
        [
            "simulate", "--seed", "2", "--benign", "300", "--days", "2", "--family", "hydra=40", "--family", "crowd_workers=10", "--parameters", "held-out",
            "--out", PathOf("s"), "--labels", PathOf("l"), "--json",
        ]);
        Assert.That(run.Exit, Is.Zero, run.Errors);
        using var summary = JsonDocument.Parse(run.Output);
        Assert.That(summary.RootElement.GetProperty("signups").GetInt64(), Is.EqualTo(350));
        Assert.That(summary.RootElement.GetProperty("fraud").GetInt64(), Is.EqualTo(50));
        Assert.That(summary.RootElement.GetProperty("parameters").GetString(), Is.EqualTo("held-out"));

        var ids = (await File.ReadAllLinesAsync(PathOf("s"))).Select(line => JsonParser.Default.Parse<Signup>(line).SignupId).ToList();
        var labels = (await File.ReadAllLinesAsync(PathOf("l"))).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.That(labels.Select(label => label.GetProperty("signup_id").GetString()), Is.EqualTo(ids));
        foreach (var label in labels)
        {
            var names = label.EnumerateObject().Select(property => property.Name).ToList();
            if (label.GetProperty("label").GetString() == "fraud") Assert.That(names, Is.EqualTo(new[] { "signup_id", "label", "family", "campaign" }));
            else Assert.That((label.GetProperty("label").GetString(), string.Join(',', names)), Is.EqualTo(("benign", "signup_id,label,population")));
        }
        Assert.That(labels.Count(label => label.TryGetProperty("family", out var family) && family.GetString() == "hydra"), Is.EqualTo(40));
        var text = await File.ReadAllTextAsync(PathOf("s"));
        foreach (var word in Families.All.Concat(["fraud", "benign"])) Assert.That(text, Does.Not.Contain($"\"{word}"));
    }

    [Test]
    public async Task Wrong_usage_is_told_and_leaves_no_file()
    {
        var family = await RunAsync(["simulate", "--benign", "10", "--family", "hydro=3", "--out", PathOf("x")]);
        Assert.That(family.Exit, Is.Not.Zero);
        Assert.That(family.Errors, Does.Contain("hydro").And.Contain(Families.Hydra));
        var count = await RunAsync(["simulate", "--benign", "10", "--family", "hydra=many", "--out", PathOf("x")]);
        Assert.That((count.Exit != 0, count.Errors.Contains("NAME=COUNT", StringComparison.Ordinal)), Is.EqualTo((true, true)), count.Errors);
        var same = await RunAsync(["simulate", "--benign", "10", "--out", PathOf("x"), "--labels", PathOf("x")]);
        Assert.That(same.Exit, Is.Not.Zero);
        var folder = await RunAsync(["simulate", "--benign", "10", "--out", Path.Combine(PathOf("nowhere"), "x")]);
        Assert.That(folder.Exit, Is.Not.Zero);
        Assert.That(Directory.GetFiles(_folder), Is.Empty);
    }

    [Test]
    public async Task Parameters_are_listed_with_both_ranges()
    {
        var run = await RunAsync(["simulate", "--list-parameters", "--json"]);
        using var list = JsonDocument.Parse(run.Output);
        Assert.That(list.RootElement.EnumerateArray().Select(p => p.GetProperty("name").GetString()), Is.EqualTo(Parameter.All.Select(p => p.Name)));
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private static async Task<(int Exit, string Output, string Errors)> RunAsync(string[] arguments, params (string Name, string Value)[] environment)
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
