using System.Text.Json;
using SignupGuard.IntegrationTests.Reviews;
using SignupGuard.IntegrationTests.Screening;

namespace SignupGuard.IntegrationTests.Cli;

public sealed class ReviewCommandTests
{
    private ReviewBench _bench = null!;
    private IReadOnlyList<Flagged> _flagged = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _bench = await ReviewBench.StartAsync();
        var hostile = ReviewBench.Marked("review");
        hostile.SignupId = "[red]\u001b[2Jid";
        _flagged = await _bench.FlagAsync([ReviewBench.Marked("review"), hostile, ReviewBench.Marked("deny")]);
        await _bench.FlagAsync(Enumerable.Range(0, 10).Select(_ => ReviewBench.Marked("review", card: "card-cli", device: "device-cli")));
    }

    [OneTimeTearDown]
    public async Task Stop() => await _bench.DisposeAsync();

    [Test]
    public async Task A_reviewer_takes_the_next_case_reads_it_notes_and_resolves_it()
    {
        var listed = JsonDocument.Parse((await RunAsync("list", "--json")).Output).RootElement.GetProperty("cases").EnumerateArray().Select(one => one.GetProperty("caseId").GetString()).ToList();
        Assert.That(listed, Is.EquivalentTo(_flagged.Take(2).Select(flagged => flagged.CaseId)));
        var next = await RunAsync("next");
        Assert.That(next.Output, Does.StartWith($"case {listed[0]}  open, held by carla until ").And.Contain("MARKED_REVIEW").And.Contain("A test wants it reviewed."));
        Assert.That((await RunAsync("list", "--mine")).Output, Does.Contain(listed[0]).And.Contain("open, carla").And.EndWith("1 case."));
        Assert.That((await RunAsync("note", listed[0]!, "seen")).Output, Is.EqualTo("Noted."));
        Assert.That((await RunAsync("resolve", listed[0]!, "allow", "--reason", "KNOWN_CUSTOMER", "--note", "called")).Output, Is.EqualTo($"case {listed[0]}: resolved, allow by carla"));
        Assert.That((await RunAsync("show", listed[0]!)).Output, Does.Contain("allow by carla, ").And.Contain("KNOWN_CUSTOMER").And.Contain("carla: seen").And.Contain("carla: called"));
        Assert.That((await RunAsync("stats")).Output, Does.Match(@"carla\s+1\s+1\s+0\s+0").And.Contain("MARKED_REVIEW"));
    }

    [Test]
    public async Task What_a_caller_sent_does_not_steer_the_terminal()
    {
        var shown = await RunAsync("search", "'MARKED_REVIEW' in decision.reasons && case.signups == 1", "--order", "oldest");
        Assert.That(shown.Output, Does.Contain("[red]\uFFFD[2Jid").And.Not.Contain('\u001b'));
        Assert.That((await RunAsync("show", "--signup", _flagged[1].SignupId)).Output, Does.Contain("signup [red]\uFFFD[2Jid"));
    }

    [Test]
    public async Task A_network_is_shown_with_its_keys_and_an_export_is_whole_or_not_there()
    {
        var cluster = await _bench.Database.ScalarAsync<long>("SELECT id FROM clusters");
        Assert.That((await RunAsync("cluster", $"{cluster}", "--members", "4")).Output, Does.Contain($"network {cluster}  10 accounts").And.Contain("device").And.EndWith("4 members of 10, the first that came."));
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"export-{Guid.NewGuid():N}.csv");
        try
        {
            Assert.That(await RunAsync("export", "signups", "--filter", $"cluster.id == {cluster}", "--out", file), Is.EqualTo((0, "", "")));
            Assert.That(await File.ReadAllLinesAsync(file), Has.Length.EqualTo(11));
            Assert.That((await RunAsync("export", "cases", "--filter", "1 +", "--out", file + ".bad")).ExitCode, Is.EqualTo(1));
            Assert.That(Directory.GetFiles(TestContext.CurrentContext.WorkDirectory, Path.GetFileName(file) + ".*d*"), Is.Empty);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task A_bad_filter_fails_with_its_place_and_what_was_meant()
    {
        var (exitCode, output, errors) = await RunAsync("search", "decision.scor > 1");
        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.Contain("filter: 1:1: ").And.Contain("did you mean `decision.score`"));
        Assert.That((await RunAsync("list", "--state", "opened")).ExitCode, Is.Not.Zero);
    }

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        await using var process = SignupGuardProcess.Start(new Dictionary<string, string?>(), ["review", .. arguments, "--address", _bench.Service.Host.GrpcAddress.ToString(), "--actor", "carla"]);
        var (exitCode, output) = await process.EndAsync();
        return (exitCode, output.Trim(), process.Errors);
    }
}
