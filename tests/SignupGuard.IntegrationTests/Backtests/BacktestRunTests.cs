using SignupGuard.Core.Backtests;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Policies;
using SignupGuard.IntegrationTests.Clusters;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service.Backtests;
using SignupGuard.Storage.Screening;

namespace SignupGuard.IntegrationTests.Backtests;

/// <summary>Backtests of what a real database holds, screened and decided again as the service does it.</summary>
public sealed class BacktestRunTests
{
    private const int Batch = 40;
    private static readonly BacktestWindow All = new(null, null);

    private static readonly List<PreparedSignup> Signups =
        ClusterBench.Simulate(21, 420, 3, ("hydra", 60), ("datacentre_script", 40), ("virtual_bin", 40), ("several_doors", 20)).ConvertAll(ClusterBench.Prepare);

    [Test]
    public async Task Replaying_under_the_active_policy_gives_the_stored_verdicts_and_networks()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(Signups, Batch, drain: true);

        var report = await RunAsync(bench, ClusterBench.Policy, All);
        Assert.That(report.Signups, Is.EqualTo(Signups.Count));
        Assert.That((report.WarmUp.Signups, report.WarmUp.Complete, report.Unreadable), Is.EqualTo((0L, true, 0L)));
        Assert.That((report.FirstAsStored!.Value, report.FirstAsStored.Of), Is.EqualTo((1d, (long)Signups.Count)));
        Assert.That(report.InForceAsStored!.Value, Is.EqualTo(1));
        Assert.That(report.Moves.Where(move => move.From != move.To).Sum(move => move.Signups), Is.Zero);
        var networks = await database.ScalarAsync<long>("SELECT count(*) FROM clusters");
        Assert.That((report.Clusters.Baseline, report.Clusters.Candidate, report.Clusters.Merged, report.Clusters.Split), Is.EqualTo((networks, networks, 0L, 0L)));
        // It would prove little if nothing had happened.
        Assert.That((await bench.DecisionsAsync()).Count(decision => decision.Revision > 1), Is.GreaterThan(20));
        Assert.That(networks, Is.GreaterThan(2));
    }

    [Test]
    public async Task Labels_speak_from_when_they_were_told()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var half = Signups.Count / 2;
        await bench.ScreenAsync(Signups[..half], Batch, drain: true);
        var flagged = (await bench.DecisionsAsync()).GroupBy(decision => decision.Ordinal).Where(revisions => revisions.Last().Verdict == Verdict.Review).Select(revisions => (int)revisions.Key).Take(6).ToList();
        foreach (var ordinal in flagged) await bench.ReportAsync(Signups[ordinal - 1].SignupId, Label.Bad);
        await bench.DrainAsync();
        await bench.ScreenAsync(Signups[half..], Batch, drain: true);

        var report = await RunAsync(bench, ClusterBench.Policy, All);
        Assert.That((report.FirstAsStored!.Value, report.InForceAsStored!.Value), Is.EqualTo((1d, 1d)));
        Assert.That((report.CandidateMeasures!.Bad, report.CandidateMeasures.Good), Is.EqualTo(((long)flagged.Count, 0L)));
        Assert.That(report.CandidateMeasures.FlaggedRecall!.Value, Is.EqualTo(1));
        Assert.That(flagged, Has.Count.EqualTo(6));
    }

    [Test]
    public async Task A_stricter_rule_moves_exactly_the_signups_it_holds_for()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(Signups, Batch, drain: true);
        // Reviewing changes no network, so that nothing else can follow from it.
        var stricter = Candidate("  - { id: every_ios, when: \"event.channel == 'ios'\", verdict: review, code: EVERY_IOS, text: Everybody on iOS. }\n");
        var inForce = (await bench.DecisionsAsync()).GroupBy(decision => decision.Ordinal).ToDictionary(revisions => revisions.Key, revisions => revisions.Last().Verdict);
        var expected = Signups.Where((signup, index) => signup.Linkable.Signup.Event.Channel == "ios" && inForce[index + 1] == Verdict.Allow).Select(signup => signup.SignupId).ToList();
        Assert.That(expected, Has.Count.GreaterThan(20));

        var report = await RunAsync(bench, stricter, All);
        Assert.That(report.Moves.Where(move => move.From != move.To && move.Signups > 0).Select(move => (move.From, move.To, move.Signups)), Is.EqualTo(new[] { (Verdict.Allow, Verdict.Review, (long)expected.Count) }));
        var samples = report.Moves.Single(move => move is { From: Verdict.Allow, To: Verdict.Review }).Samples;
        Assert.That(samples.Select(sample => sample.SignupId), Is.SubsetOf(expected));
        Assert.That(samples, Has.Count.GreaterThanOrEqualTo(Backtest.SamplesMax / 2));
        Assert.That(samples.Select(sample => sample.ReasonCodes), Has.All.Contains("EVERY_IOS"));
        var rule = report.Rules.Single(effect => effect.RuleId == "every_ios");
        Assert.That((rule.Hits, rule.Marginal), Is.EqualTo(((long)Signups.Count(signup => signup.Linkable.Signup.Event.Channel == "ios"), (long?)expected.Count)));
        var ios = report.Populations.Single(part => part is { Dimension: "channel", Value: "ios" });
        Assert.That((ios.MoreSevere, ios.LessSevere), Is.EqualTo(((long)expected.Count, 0L)));
        Assert.That(report.Days.Sum(day => day.CandidateReviews - day.BaselineReviews), Is.EqualTo(expected.Count));
    }

    [Test]
    public async Task Other_linkage_rules_have_keys_of_their_own()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(Signups, Batch, drain: true);
        var unlinked = PolicyReader.Read(DefaultPolicy.Yaml.Replace("    - { key: fingerprint+bin, ", "    - { key: fingerprint+bin, mode: off, ", StringComparison.Ordinal), 2);
        Assert.That(unlinked.Issues, Is.Empty);

        var report = await RunAsync(bench, unlinked.Policy!, All);
        Assert.That((report.FirstAsStored!.Value, report.InForceAsStored!.Value), Is.EqualTo((1d, 1d)), "the baseline is as before");
        Assert.That(report.Rules.Select(rule => rule.RuleId), Has.None.EqualTo("link.fingerprint_bin"));
    }

    [Test]
    public async Task A_window_reports_on_its_signups_with_those_before_in_memory()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(Signups, Batch, drain: true);
        var (from, until) = (Signups[200].Linkable.Signup.OccurredAt, Signups[400].Linkable.Signup.OccurredAt);

        var report = await RunAsync(bench, ClusterBench.Policy, new BacktestWindow(from, until));
        Assert.That((report.Signups, report.WarmUp.Signups, report.WarmUp.Complete), Is.EqualTo((200L, 200L, true)));
        Assert.That(report.FirstAsStored!.Value, Is.EqualTo(1));
    }

    [Test]
    public async Task Facts_that_cannot_be_opened_are_counted_and_left_out()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(Signups[..80], Batch, drain: true);
        await database.ExecuteAsync("UPDATE signups SET facts = set_byte(facts, 40, get_byte(facts, 40) # 1) WHERE ordinal IN (3, 80)");
        var report = await RunAsync(bench, ClusterBench.Policy, All);
        Assert.That((report.Signups, report.Unreadable), Is.EqualTo((78L, 2L)));
    }

    [Test]
    public async Task Nothing_stored_gives_an_empty_report()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        var report = await RunAsync(bench, ClusterBench.Policy, All);
        Assert.That((report.Signups, report.FirstAsStored, report.CandidateMeasures, report.WarmUp.FromMs), Is.EqualTo((0L, (Share?)null, (LabelMeasures?)null, (long?)null)));
    }

    [Test]
    public async Task One_runs_at_a_time_and_a_cancelled_one_leaves_room_for_the_next()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var bench = await ClusterBench.StartAsync(database);
        await bench.ScreenAsync(Signups[..200], Batch, drain: true);
        // Holds the first one where it reads.
        await using var holding = await database.Source.OpenConnectionAsync();
        await using var transaction = await holding.BeginTransactionAsync();
        await using (var command = new Npgsql.NpgsqlCommand("LOCK TABLE labels IN ACCESS EXCLUSIVE MODE", holding)) await command.ExecuteNonQueryAsync();
        using var cancelling = new CancellationTokenSource();
        var first = bench.Backtests.RunAsync(ClusterBench.Tenant, ClusterBench.Policy, ClusterBench.Policy, All, null, cancelling.Token);
        Assert.That(await bench.Backtests.RunAsync(ClusterBench.Tenant, ClusterBench.Policy, ClusterBench.Policy, All, null, CancellationToken.None), Is.InstanceOf<BacktestOutcome.Busy>());
        await cancelling.CancelAsync();
        await Assert.ThrowsAsync(Is.InstanceOf<OperationCanceledException>(), () => first);
        await transaction.RollbackAsync();
        Assert.That((await RunAsync(bench, ClusterBench.Policy, All)).Signups, Is.EqualTo(200));
    }

    private static Policy Candidate(string rule)
    {
        var reading = PolicyReader.Read(DefaultPolicy.Yaml.Replace("\nrules:\n", $"\nrules:\n{rule}", StringComparison.Ordinal), 2);
        Assert.That(reading.Issues, Is.Empty);
        return reading.Policy!;
    }

    private static async Task<BacktestReport> RunAsync(ClusterBench bench, Policy candidate, BacktestWindow window)
    {
        var outcome = await bench.Backtests.RunAsync(ClusterBench.Tenant, ClusterBench.Policy, candidate, window, null, CancellationToken.None);
        Assert.That(outcome, Is.InstanceOf<BacktestOutcome.Finished>());
        return ((BacktestOutcome.Finished)outcome).Report;
    }
}
