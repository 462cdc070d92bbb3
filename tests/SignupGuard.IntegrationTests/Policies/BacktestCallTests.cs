using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.Core.Policies;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;
using PolicyState = SignupGuard.V1.PolicyState;

namespace SignupGuard.IntegrationTests.Policies;

/// <summary>Backtests over real gRPC, on signups that this service screened.</summary>
public sealed class BacktestCallTests
{
    private const int Signups = 12;

    private TestDatabase _database = null!;
    private TestService _service = null!;
    private TestAdmin _ada = null!;
    private TestAdmin _grace = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database, ("Policies:RequireBacktest", "true"));
        _ada = new TestAdmin(_service, "ada");
        _grace = new TestAdmin(_service, "grace");
        for (var i = 0; i < Signups; i++) await _service.ScreenAsync(TestSignups.New());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async Task<BacktestReport> BacktestAsync(BacktestPolicyRequest request)
    {
        using var call = _ada.Client.BacktestPolicy(request, _ada.Headers);
        BacktestReport? report = null;
        await foreach (var answer in call.ResponseStream.ReadAllAsync())
        {
            Assert.That(report, Is.Null, "the report is last");
            report = answer.Report;
        }
        return report!;
    }

    [Test]
    public async Task A_draft_is_backtested_on_what_was_screened_and_only_then_may_be_asked_for()
    {
        var draft = await _ada.DraftAsync(TestAdmin.ReviewsAll);
        Assert.That((await TestAdmin.RefusedAsync(() => _ada.RequestAsync(draft))).Reason, Is.EqualTo("BACKTEST_REQUIRED"));
        Assert.That((await TestAdmin.RefusedAsync(async () => await _ada.Client.GetBacktestAsync(new GetBacktestRequest { Version = draft.Version }))).Reason, Is.EqualTo("BACKTEST_UNKNOWN"));

        var report = await BacktestAsync(new BacktestPolicyRequest { Version = draft.Version });
        Assert.That((report.Version, report.BaseVersion, report.Signups, report.Complete), Is.EqualTo((draft.Version, 1L, (long)Signups, true)));
        Assert.That(report.BaseFirstAsStored.Value, Is.EqualTo(1), "replayed, the active version decides as it did");
        var moved = report.Moves.Single(move => move.Signups > 0);
        Assert.That((moved.From, moved.To, moved.Signups, moved.Samples.Count), Is.EqualTo((Verdict.Allow, Verdict.Review, (long)Signups, Signups)));
        Assert.That(moved.Samples.Select(sample => sample.SignupId), Is.All.StartsWith("signup-"));
        Assert.That(report.Days.Sum(day => day.VersionReviews), Is.EqualTo(Signups));
        Assert.That(report.BaseMeasures, Is.Null, "nothing is labelled");

        Assert.That((await _ada.Client.GetBacktestAsync(new GetBacktestRequest { Version = draft.Version })).Report, Is.EqualTo(report), "whoever approves sees the same");
        var stored = (await _ada.GetAsync(draft.Version)).Policy;
        Assert.That(stored is { State: PolicyState.Backtested, Backtest.Actor: "ada" });
        Assert.That((await _grace.ApproveAsync(await _ada.RequestAsync(stored))).State, Is.EqualTo(PolicyState.Active));
        Assert.That((await _ada.RollbackAsync(1)).State, Is.EqualTo(PolicyState.Active));
    }

    [Test]
    public async Task A_changed_draft_has_no_backtest_any_more()
    {
        var draft = await _ada.DraftAsync(TestAdmin.ReviewsAll);
        await BacktestAsync(new BacktestPolicyRequest { Version = draft.Version });
        draft = (await _ada.GetAsync(draft.Version)).Policy;
        draft = await _ada.UpdateAsync(draft, TestAdmin.Changed(@"\breview: [\d.]+", "review: 0.0002"));
        Assert.That(draft is { State: PolicyState.Validated, Backtest: null });
        Assert.That((await TestAdmin.RefusedAsync(async () => await _ada.Client.GetBacktestAsync(new GetBacktestRequest { Version = draft.Version }))).Reason, Is.EqualTo("BACKTEST_UNKNOWN"));
    }

    [Test]
    public async Task A_backtest_of_part_of_the_time_is_shown_and_not_stored()
    {
        var draft = await _ada.DraftAsync(TestAdmin.ReviewsAll);
        var report = await BacktestAsync(new BacktestPolicyRequest { Version = draft.Version, Until = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.AddDays(-1)) });
        Assert.That(report.Signups, Is.Zero);
        Assert.That((await _ada.GetAsync(draft.Version)).Policy.State, Is.EqualTo(PolicyState.Validated));
    }

    [Test]
    public async Task What_can_not_be_replayed_is_refused_with_its_reason()
    {
        Task Run(BacktestPolicyRequest request) => BacktestAsync(request);
        Assert.That((await TestAdmin.RefusedAsync(() => Run(new BacktestPolicyRequest { Version = 99_999 }))).Reason, Is.EqualTo("POLICY_UNKNOWN"));
        var broken = await _ada.DraftAsync(DefaultPolicy.Yaml.Replace("when: email.disposable", "when: email.dispossable", StringComparison.Ordinal));
        var (code, reason, violations) = await TestAdmin.RefusedAsync(() => Run(new BacktestPolicyRequest { Version = broken.Version }));
        Assert.That((code, reason), Is.EqualTo((StatusCode.FailedPrecondition, "POLICY_INVALID")));
        Assert.That(violations!.FieldViolations.Single().Field, Is.EqualTo("rules[0].when"));
        var now = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow);
        var (_, _, times) = await TestAdmin.RefusedAsync(() => Run(new BacktestPolicyRequest { Version = 1, From = now, Until = now }));
        Assert.That(times!.FieldViolations.Single().Field, Is.EqualTo("until"));
    }
}
