using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.Core.Policies;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Storage.Policies;
using SignupGuard.V1;
using DifferenceKind = SignupGuard.V1.DifferenceKind;
using PolicyState = SignupGuard.V1.PolicyState;

namespace SignupGuard.IntegrationTests.Policies;

/// <summary>A version's way over real gRPC. One host and database; each test makes versions of its own and puts back what it published.</summary>
public sealed class PolicyLifeTests
{
    private TestDatabase _database = null!;
    private TestService _service = null!;
    private TestAdmin _ada = null!;
    private TestAdmin _grace = null!;

    [SetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
        _ada = new TestAdmin(_service, "ada");
        _grace = new TestAdmin(_service, "grace");
    }

    [TearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task A_draft_goes_live_by_two_people_decides_and_is_rolled_back()
    {
        var draft = await _ada.DraftAsync(TestAdmin.ReviewsAll, "capacity for a week of looking at everybody");
        Assert.That(draft is { Version: 2, State: PolicyState.Validated, BaseVersion: 1, Author: "ada", ChangedBy: "ada", Name: "default" });
        var requested = await _ada.RequestAsync(draft, "please");
        Assert.That(requested.State, Is.EqualTo(PolicyState.PublishRequested));
        Assert.That(requested.PublishRequest, Is.Not.Null);
        Assert.That((await _service.ScreenAsync(TestSignups.New())).PolicyVersion, Is.EqualTo(1));

        var active = await _grace.ApproveAsync(requested, "seen");
        Assert.That(active is { State: PolicyState.Active, SecondPerson: true, Approval.Actor: "grace", Approval.Note: "seen", PublishRequest.Actor: "ada" });
        await VersionAsync(2);
        Assert.That((await _service.ScreenAsync(TestSignups.New())).Verdict, Is.EqualTo(Verdict.Review));
        Assert.That((await _ada.GetAsync(1)).Policy.State, Is.EqualTo(PolicyState.Superseded));

        Assert.That((await _ada.RollbackAsync(1)).State, Is.EqualTo(PolicyState.Active));
        await VersionAsync(1);
        Assert.That((await _service.ScreenAsync(TestSignups.New())).Verdict, Is.EqualTo(Verdict.Allow));
        var first = await _ada.GetAsync(0);
        Assert.That(first.Policy.Version, Is.EqualTo(1));
        Assert.That(first.Activations.Select(activation => (activation.Kind, activation.PreviousVersion, activation.Actor)), Is.EqualTo(new[]
        {
            (ActivationKind.RolledBack, 2L, "ada"), (ActivationKind.Shipped, 0L, "shipped"),
        }));
        Assert.That((await _ada.GetAsync(2)).Policy.State, Is.EqualTo(PolicyState.Superseded));
    }

    [Test]
    public async Task Every_step_is_in_the_audit_with_who_when_and_why()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);
        var draft = await _ada.DraftAsync(DefaultPolicy.Yaml, "first try");
        draft = await _ada.UpdateAsync(draft, TestAdmin.ReviewsAll);
        draft = await _ada.ShadowAsync(draft);
        draft = await _ada.EndShadowAsync(draft);
        draft = await _ada.RejectAsync(await _ada.RequestAsync(draft), "not this week");
        await _grace.ApproveAsync(await _ada.RequestAsync(draft, "now?"), "yes");
        await _grace.RollbackAsync(1, "too many cases");

        var audit = await _ada.Client.ListAuditAsync(new ListAuditRequest());
        Assert.That(audit.Entries.Select(entry => (entry.Action, entry.Actor, entry.Subject)), Is.EqualTo(new[]
        {
            ("policy.rolled_back", "grace", "policies/1"),
            ("policy.published", "grace", "policies/2"),
            ("policy.publish_requested", "ada", "policies/2"),
            ("policy.publish_rejected", "ada", "policies/2"),
            ("policy.publish_requested", "ada", "policies/2"),
            ("policy.shadow_cleared", "ada", "policies/2"),
            ("policy.shadow_set", "ada", "policies/2"),
            ("policy.draft_updated", "ada", "policies/2"),
            ("policy.draft_created", "ada", "policies/2"),
        }));
        Assert.That(audit.Entries[0].Note, Is.EqualTo("too many cases"));
        Assert.That(audit.Entries[1].Change, Does.Contain("\"second_person\": true").And.Contain("\"second_person_required\": true").And.Contain("\"previous_version\": 1"));
        Assert.That(audit.Entries[7].Change, Does.Contain("\"before\": \"sha256:").And.Contain("\"after\": \"sha256:"));
        Assert.That(audit.Entries.All(entry => entry.At.ToDateTimeOffset() > before));

        var page = await _ada.Client.ListAuditAsync(new ListAuditRequest { PageSize = 4, Actor = "ada" });
        Assert.That(page.Entries.Select(entry => entry.Action), Is.EqualTo(new[] { "policy.publish_requested", "policy.publish_rejected", "policy.publish_requested", "policy.shadow_cleared" }));
        page = await _ada.Client.ListAuditAsync(new ListAuditRequest { PageSize = 4, Actor = "ada", PageToken = page.NextPageToken });
        Assert.That(page.Entries.Select(entry => entry.Action), Is.EqualTo(new[] { "policy.shadow_set", "policy.draft_updated", "policy.draft_created" }));
        Assert.That(page.NextPageToken, Is.Empty);
        Assert.That((await _ada.Client.ListAuditAsync(new ListAuditRequest { Subject = "policies/1", Action = "policy" })).Entries, Has.Count.EqualTo(1));
        Assert.That((await _ada.Client.ListAuditAsync(new ListAuditRequest { Until = Timestamp.FromDateTimeOffset(before) })).Entries, Is.Empty);
    }

    [Test]
    public async Task A_document_is_kept_to_the_letter()
    {
        var yaml = "# why we do this: ünïcödé\r\n" + DefaultPolicy.Yaml + "\n\n# the end";
        var draft = await _ada.DraftAsync(yaml);
        Assert.That((await _ada.GetAsync(draft.Version)).Yaml, Is.EqualTo(yaml));
        var copy = (await _ada.Client.CreateDraftAsync(new CreateDraftRequest { FromVersion = draft.Version }, _ada.Headers)).Policy;
        Assert.That((await _ada.GetAsync(copy.Version)).Yaml, Is.EqualTo(yaml));
        Assert.That(copy.ContentHash, Is.EqualTo(draft.ContentHash));
    }

    [Test]
    public async Task Only_someone_else_approves()
    {
        var linus = new TestAdmin(_service, "linus");
        var requested = await linus.RequestAsync(await _ada.DraftAsync(TestAdmin.ReviewsAll));
        foreach (var involved in new[] { _ada, linus })
        {
            var refused = await TestAdmin.RefusedAsync(() => involved.ApproveAsync(requested));
            Assert.That((refused.Code, refused.Reason), Is.EqualTo((StatusCode.FailedPrecondition, "SECOND_PERSON_REQUIRED")));
        }
        Assert.That((await _grace.ApproveAsync(requested)).State, Is.EqualTo(PolicyState.Active));
    }

    [Test]
    public async Task A_team_of_one_approves_alone_and_the_audit_says_so()
    {
        await using var alone = await TestService.StartAsync(_database, ("Policies:SecondPerson", "false"));
        var ada = new TestAdmin(alone, "ada");
        var active = await ada.ApproveAsync(await ada.RequestAsync(await ada.DraftAsync(TestAdmin.ReviewsAll)));
        Assert.That(active is { State: PolicyState.Active, SecondPerson: false });
        var entry = (await ada.Client.ListAuditAsync(new ListAuditRequest { Action = "policy.published" })).Entries.Single();
        Assert.That(entry.Change, Does.Contain("\"second_person\": false").And.Contain("\"second_person_required\": false"));
    }

    [Test]
    public async Task Where_a_backtest_is_required_one_of_exactly_the_content_must_be_there()
    {
        await using var strict = await TestService.StartAsync(_database, ("Policies:RequireBacktest", "true"));
        var (ada, grace) = (new TestAdmin(strict, "ada"), new TestAdmin(strict, "grace"));
        var store = (PolicyStore)strict.Host.Services.GetService(typeof(PolicyStore))!;
        var draft = await ada.DraftAsync(TestAdmin.ReviewsAll);
        Assert.That((await TestAdmin.RefusedAsync(() => ada.RequestAsync(draft))).Reason, Is.EqualTo("BACKTEST_REQUIRED"));

        async Task<PolicyChange> RecordAsync(string content) =>
            await store.RecordBacktestAsync(draft.Version, PolicyStore.ContentHash(content), """{"signups": 10}""", "ada", DateTimeOffset.UtcNow, CancellationToken.None);
        Assert.That((await RecordAsync("another document")).Refusal, Is.TypeOf<PolicyRefusal.Changed>());
        Assert.That((await RecordAsync(TestAdmin.ReviewsAll)).Refusal, Is.Null);
        var backtested = (await ada.GetAsync(draft.Version)).Policy;
        Assert.That(backtested is { State: PolicyState.Backtested, Backtest.Actor: "ada" });
        Assert.That(await store.BacktestReportAsync(draft.Version, CancellationToken.None), Does.Contain("10"));

        // A comment is a change, too: nobody ran this text.
        var changed = await ada.UpdateAsync(backtested, TestAdmin.ReviewsAll + "# and a word");
        Assert.That(changed is { State: PolicyState.Validated, Backtest: null });
        Assert.That(await store.BacktestReportAsync(draft.Version, CancellationToken.None), Is.Null);
        Assert.That((await TestAdmin.RefusedAsync(() => ada.RequestAsync(changed))).Reason, Is.EqualTo("BACKTEST_REQUIRED"));

        var again = await ada.UpdateAsync(changed, TestAdmin.ReviewsAll);
        await RecordAsync(TestAdmin.ReviewsAll);
        again = (await ada.GetAsync(again.Version)).Policy;
        Assert.That((await grace.ApproveAsync(await ada.RequestAsync(again))).State, Is.EqualTo(PolicyState.Active));
    }

    [Test]
    public async Task Whoever_read_an_older_version_is_told()
    {
        var draft = await _ada.DraftAsync(DefaultPolicy.Yaml);
        await _grace.UpdateAsync(draft, TestAdmin.ReviewsAll);
        var refused = await TestAdmin.RefusedAsync(() => _ada.UpdateAsync(draft, DefaultPolicy.Yaml));
        Assert.That((refused.Code, refused.Reason), Is.EqualTo((StatusCode.Aborted, "POLICY_CHANGED")));
        Assert.That((await TestAdmin.RefusedAsync(() => _ada.RequestAsync(draft))).Reason, Is.EqualTo("POLICY_CHANGED"));
        Assert.That((await _ada.GetAsync(draft.Version)).Yaml, Is.EqualTo(TestAdmin.ReviewsAll));
    }

    [Test]
    public async Task Nobody_approves_what_was_changed_meanwhile()
    {
        var requested = await _ada.RequestAsync(await _ada.DraftAsync(TestAdmin.ReviewsAll));
        await _ada.UpdateAsync(requested, DefaultPolicy.Yaml);
        Assert.That((await TestAdmin.RefusedAsync(() => _grace.ApproveAsync(requested))).Reason, Is.EqualTo("POLICY_CHANGED"));
        Assert.That((await _ada.GetAsync(requested.Version)).Policy is { State: PolicyState.Validated, PublishRequest: null });
    }

    [Test]
    public async Task A_draft_that_another_publication_overtook_is_brought_up_to_date_first()
    {
        var late = await _ada.DraftAsync(TestAdmin.Changed(@"\bdeny: [\d.]+", "deny: 99.9"));
        await _ada.PublishAsync(TestAdmin.ReviewsAll, _grace);
        var refused = await TestAdmin.RefusedAsync(() => _ada.RequestAsync(late));
        Assert.That((refused.Code, refused.Reason), Is.EqualTo((StatusCode.FailedPrecondition, "POLICY_BASE_OUTDATED")));
        Assert.That((await TestAdmin.RefusedAsync(() => _ada.UpdateAsync(late, TestAdmin.ReviewsAll, baseVersion: 1))).Reason, Is.EqualTo("POLICY_CHANGED"), "no longer active either");

        var merged = await _ada.UpdateAsync(late, TestAdmin.Changed(@"\bdeny: [\d.]+", "deny: 99.9", TestAdmin.ReviewsAll), baseVersion: 3);
        Assert.That(merged.BaseVersion, Is.EqualTo(3));
        Assert.That((await _grace.ApproveAsync(await _ada.RequestAsync(merged))).State, Is.EqualTo(PolicyState.Active));
    }

    [Test]
    public async Task Of_many_who_update_at_once_one_wins_and_all_others_are_told()
    {
        var draft = await _ada.DraftAsync(DefaultPolicy.Yaml);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            var admin = new TestAdmin(_service, $"admin-{i}");
            try
            {
                return (await admin.UpdateAsync(draft, DefaultPolicy.Yaml + $"# {i}")).ChangedBy;
            }
            catch (RpcException refused)
            {
                Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.Aborted));
                return null;
            }
        }));
        var winner = outcomes.OfType<string>().Single();
        Assert.That((await _ada.GetAsync(draft.Version)).Policy.ChangedBy, Is.EqualTo(winner));
    }

    [Test]
    public async Task Of_two_drafts_approved_at_once_one_goes_live()
    {
        var requests = new List<PolicySummary>();
        for (var i = 0; i < 6; i++) requests.Add(await _ada.RequestAsync(await _ada.DraftAsync(DefaultPolicy.Yaml + $"# {i}")));
        var outcomes = await Task.WhenAll(requests.Select(async request =>
        {
            try
            {
                return (await _grace.ApproveAsync(request)).Version;
            }
            catch (RpcException refused)
            {
                Assert.That(refused.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>().Reason, Is.EqualTo("POLICY_BASE_OUTDATED"));
                return 0;
            }
        }));
        var live = outcomes.Single(version => version != 0);
        Assert.That(await _database.ScalarAsync<long>("SELECT version FROM policies WHERE active"), Is.EqualTo(live));
        Assert.That(await _database.ScalarAsync<long>("SELECT count(*) FROM audit WHERE action = 'policy.published'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Of_two_who_roll_back_at_once_one_does_it()
    {
        await _ada.PublishAsync(TestAdmin.ReviewsAll, _grace);
        await _ada.PublishAsync(TestAdmin.ReviewsAll + "# again", _grace);
        var outcomes = await Task.WhenAll(new[] { 1L, 2L }.Select(async version =>
        {
            try
            {
                return (await _ada.RollbackAsync(version, expected: 3)).Version;
            }
            catch (RpcException refused)
            {
                Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.Aborted));
                return 0;
            }
        }));
        Assert.That(outcomes.Count(version => version != 0), Is.EqualTo(1));
    }

    [Test]
    public async Task What_does_not_validate_is_kept_and_can_t_go_on()
    {
        var answer = await _ada.Client.CreateDraftAsync(new CreateDraftRequest { Yaml = TestAdmin.Changed(@"when: ip\.tor,", "when: ip.tro,") }, _ada.Headers);
        var draft = answer.Policy;
        Assert.That(draft.State, Is.EqualTo(PolicyState.Draft));
        var issue = answer.Issues.Single();
        Assert.That(issue is { RuleId: "ip_tor", Line: 1, Column: 1, Suggestion: "ip.tor" }, issue.ToString());
        foreach (var step in new Func<Task>[] { () => _ada.RequestAsync(draft), () => _ada.ShadowAsync(draft) })
        {
            var refused = await TestAdmin.RefusedAsync(step);
            Assert.That((refused.Code, refused.Reason), Is.EqualTo((StatusCode.FailedPrecondition, "POLICY_INVALID")));
            var violation = refused.Violations!.FieldViolations.Single();
            Assert.That(violation.Field, Is.EqualTo(issue.Path).And.Match(@"^rules\[\d+\]\.when$"));
            Assert.That(violation.Reason, Is.EqualTo("INVALID_EXPRESSION"));
            Assert.That(violation.Description, Does.StartWith("1:1: ").And.EndsWith("did you mean `ip.tor`?"));
        }
        var mended = await _ada.UpdateAsync(draft, DefaultPolicy.Yaml);
        Assert.That(mended.State, Is.EqualTo(PolicyState.Validated));
    }

    [Test]
    public async Task Steps_that_the_state_does_not_allow_are_refused()
    {
        var active = await _ada.PublishAsync(TestAdmin.ReviewsAll, _grace);
        var first = (await _ada.GetAsync(1)).Policy;
        var draft = await _ada.DraftAsync(DefaultPolicy.Yaml);
        var refused = new Func<Task>[]
        {
            () => _ada.UpdateAsync(active, DefaultPolicy.Yaml),
            () => _ada.UpdateAsync(first, DefaultPolicy.Yaml),
            () => _ada.RequestAsync(active),
            () => _grace.ApproveAsync(draft),
            () => _grace.RejectAsync(draft, "no"),
            () => _ada.ShadowAsync(first),
            () => _ada.EndShadowAsync(draft),
            () => _ada.RollbackAsync(draft.Version),
            () => _ada.RollbackAsync(active.Version),
        };
        foreach (var step in refused) Assert.That((await TestAdmin.RefusedAsync(step)).Reason, Is.EqualTo("POLICY_STATE"));
        Assert.That((await TestAdmin.RefusedAsync(() => _ada.GetAsync(99))), Is.EqualTo((StatusCode.NotFound, "POLICY_UNKNOWN", (Google.Rpc.BadRequest?)null)));
        Assert.That((await TestAdmin.RefusedAsync(() => _ada.RollbackAsync(99))).Reason, Is.EqualTo("POLICY_UNKNOWN"));
    }

    [Test]
    public async Task Versions_are_listed_newest_first_by_page_and_state()
    {
        for (var i = 0; i < 4; i++) await _ada.DraftAsync(DefaultPolicy.Yaml);
        await _ada.DraftAsync("name: [");
        var page = await _ada.Client.ListPoliciesAsync(new ListPoliciesRequest { PageSize = 4 });
        Assert.That(page.Policies.Select(policy => policy.Version), Is.EqualTo(new[] { 6L, 5, 4, 3 }));
        page = await _ada.Client.ListPoliciesAsync(new ListPoliciesRequest { PageSize = 4, PageToken = page.NextPageToken });
        Assert.That(page.Policies.Select(policy => (policy.Version, policy.State)), Is.EqualTo(new[] { (2L, PolicyState.Validated), (1L, PolicyState.Active) }));
        Assert.That(page.NextPageToken, Is.Empty);
        Assert.That((await _ada.Client.ListPoliciesAsync(new ListPoliciesRequest { States = { PolicyState.Draft, PolicyState.Active } })).Policies.Select(policy => policy.Version), Is.EqualTo(new[] { 6L, 1L }));
    }

    [Test]
    public async Task Differences_are_told_between_versions_and_documents()
    {
        var draft = await _ada.DraftAsync(TestAdmin.ReviewsAll);
        var answer = await _ada.Client.DiffPoliciesAsync(new DiffPoliciesRequest { FromVersion = 0, ToVersion = draft.Version });
        var difference = answer.Differences.Single();
        Assert.That(difference is { Section: "thresholds", Kind: DifferenceKind.Changed });
        Assert.That(difference.Fields.Single() is { Field: "review", Old.Length: > 0, New: "0.0001" });
        Assert.That((await _ada.Client.DiffPoliciesAsync(new DiffPoliciesRequest { FromYaml = TestAdmin.ReviewsAll, ToVersion = draft.Version })).Differences, Is.Empty);
        var refused = await TestAdmin.RefusedAsync(async () => await _ada.Client.DiffPoliciesAsync(new DiffPoliciesRequest { FromYaml = "a: [", ToVersion = 1 }));
        Assert.That((refused.Code, refused.Reason), Is.EqualTo((StatusCode.InvalidArgument, "POLICY_INVALID")));
    }

    private async Task VersionAsync(long version)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await _service.ScreenAsync(TestSignups.New())).PolicyVersion != version) limit.Token.ThrowIfCancellationRequested();
    }
}
