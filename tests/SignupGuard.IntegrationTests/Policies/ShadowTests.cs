using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Policies;

public sealed class ShadowTests
{
    /// <summary>Denies whoever shares a device: of three on one device, the second and third.</summary>
    private static readonly string DeniesShared = TestAdmin.Changed(
        "rules:\n",
        "rules:\n  - { id: shared, when: link.device.accounts >= 2, verdict: deny, code: TRIED_SHARED, text: Shares a device., owner: ada }\n");

    private TestDatabase _database = null!;
    private TestService _service = null!;
    private TestAdmin _ada = null!;
    private TestAdmin _grace = null!;

    [SetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
        (_ada, _grace) = (new TestAdmin(_service, "ada"), new TestAdmin(_service, "grace"));
    }

    [TearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task A_shadow_judges_live_signups_without_effect_and_its_differences_are_counted_and_listed()
    {
        var shadow = await _ada.ShadowAsync(await _ada.DraftAsync(DeniesShared));
        Assert.That(shadow.Shadow.Actor, Is.EqualTo("ada"));
        await JudgingAsync(1);
        var signups = new[] { TestSignups.New("one", "device-1"), TestSignups.New("two", "device-1"), TestSignups.New("three", "device-1"), TestSignups.New("alone", "device-2") };
        foreach (var signup in signups) Assert.That((await _service.ScreenAsync(signup)) is { PolicyVersion: 1, Verdict: Verdict.Allow });
        // Sent again it is the same decision, and counts once.
        await _service.ScreenAsync(signups[1]);

        var found = await CountedAsync(shadow.Version, 4);
        Assert.That(found.Running, Is.True);
        Assert.That(found.Since, Is.EqualTo(shadow.Shadow.At));
        Assert.That(found.Moves.Select(move => (move.From, move.To, move.Signups)), Is.EquivalentTo(new[] { (Verdict.Allow, Verdict.Allow, 2L), (Verdict.Allow, Verdict.Deny, 2L) }));
        Assert.That(found.Differences.Select(difference => difference.SignupId), Is.EqualTo(new[] { "three", "two" }));
        Assert.That(found.Differences[0] is { From: Verdict.Allow, To: Verdict.Deny, ActiveVersion: 1 });
        Assert.That(found.Differences[0].ReasonCodes, Does.Contain("TRIED_SHARED"));

        var page = await ListAsync(shadow.Version, 1);
        Assert.That(page.Differences.Single().SignupId, Is.EqualTo("three"));
        page = await ListAsync(shadow.Version, 1, page.NextPageToken);
        Assert.That(page.Differences.Single().SignupId, Is.EqualTo("two"));
        Assert.That(page.NextPageToken, Is.Empty);
        Assert.That((await ListAsync(shadow.Version, 10, to: Verdict.Review)).Differences, Is.Empty);
        // It stays without effect afterwards, too.
        Assert.That((await _service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = "three" })).Decision.Verdict, Is.EqualTo(Verdict.Allow));
    }

    [Test]
    public async Task A_linkage_rule_may_be_tried_in_shadow_mode_and_judged_live_by_a_shadow()
    {
        var quiet = TestAdmin.Changed(@"\{ key: device, class: hard,[^}]*\}", "{ key: device, class: hard, tolerance: 0, half_life_days: 45, spread: owner, weight: 10, mode: shadow }");
        await _ada.PublishAsync(quiet, _grace);
        var loud = await _ada.DraftAsync(quiet.Replace("mode: shadow", "mode: live", StringComparison.Ordinal));
        await _ada.ShadowAsync(loud);
        await JudgingAsync(1);
        foreach (var id in new[] { "a", "b", "c" })
        {
            var signup = TestSignups.New(id, "device");
            // Colleagues would be explained.
            signup.Email.Address = $"{id}.person@gmail.com";
            Assert.That((await _service.ScreenAsync(signup)) is { PolicyVersion: 2, Verdict: Verdict.Allow });
        }
        var found = await CountedAsync(loud.Version, 3);
        Assert.That(found.Differences, Is.Not.Empty, found.ToString());
        Assert.That(found.Differences.SelectMany(difference => difference.ReasonCodes), Does.Contain("DEVICE_SHARED"));
    }

    [Test]
    public async Task Another_linkage_can_t_be_judged_by_the_active_links()
    {
        var draft = await _ada.DraftAsync(TestAdmin.Changed(@"key: phone, class: hard, tolerance: \d+", "key: phone, class: hard, tolerance: 7"));
        var refused = await TestAdmin.RefusedAsync(() => _ada.ShadowAsync(draft));
        Assert.That((refused.Code, refused.Reason), Is.EqualTo((StatusCode.FailedPrecondition, "SHADOW_LINKAGE_DIFFERS")));
        Assert.That(refused.Violations!.FieldViolations.Single() is { Field: "linkage.keys[phone]" });
        Assert.That(refused.Violations.FieldViolations.Single().Description, Does.Contain("tolerance"));
    }

    [Test]
    public async Task A_third_shadow_waits_until_one_ends()
    {
        var drafts = new List<PolicySummary>();
        for (var i = 0; i < 3; i++) drafts.Add(await _ada.DraftAsync(DeniesShared + $"# {i}"));
        var first = await _ada.ShadowAsync(drafts[0]);
        await _ada.ShadowAsync(drafts[1]);
        Assert.That((await TestAdmin.RefusedAsync(() => _ada.ShadowAsync(drafts[2]))).Reason, Is.EqualTo("SHADOWS_TAKEN"));
        await _ada.EndShadowAsync(first);
        Assert.That((await _ada.ShadowAsync(drafts[2])).Shadow, Is.Not.Null);
    }

    [Test]
    public async Task A_change_ends_the_shadow_and_a_new_run_begins_to_count_anew()
    {
        var shadow = await _ada.ShadowAsync(await _ada.DraftAsync(DeniesShared));
        await JudgingAsync(1);
        await _service.ScreenAsync(TestSignups.New());
        await CountedAsync(shadow.Version, 1);
        var changed = await _ada.UpdateAsync(shadow, DeniesShared + "# better");
        Assert.That(changed.Shadow, Is.Null);
        await JudgingAsync(0);
        var ended = await ListAsync(changed.Version, 10);
        Assert.That((ended.Running, ended.Moves.Sum(move => move.Signups)), Is.EqualTo((false, 1L)), "of the last run");
        await _ada.ShadowAsync(changed);
        Assert.That((await ListAsync(changed.Version, 10)).Moves, Is.Empty);
    }

    [Test]
    public async Task A_version_of_another_linkage_that_goes_live_ends_the_shadows()
    {
        var shadow = await _ada.ShadowAsync(await _ada.DraftAsync(DeniesShared));
        await _ada.PublishAsync(TestAdmin.Changed(@"key: phone, class: hard, tolerance: \d+", "key: phone, class: hard, tolerance: 7"), _grace);
        Assert.That((await _ada.GetAsync(shadow.Version)).Policy.Shadow, Is.Null);
        var entry = (await _ada.Client.ListAuditAsync(new ListAuditRequest { Action = "policy.shadow_cleared" })).Entries.Single();
        Assert.That((entry.Subject, entry.Actor), Is.EqualTo(("policies/2", "grace")));
    }

    [Test]
    public async Task A_rule_is_over_by_the_signup_s_own_time()
    {
        var now = DateTimeOffset.UtcNow;
        var expires = now.AddHours(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        await _ada.PublishAsync(TestAdmin.Changed("rules:\n", $"rules:\n  - {{ id: brief, when: 'true', verdict: review, code: BRIEF, text: For a time., owner: ada, expires: {expires} }}\n"), _grace);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await _service.ScreenAsync(TestSignups.New())).PolicyVersion != 2) limit.Token.ThrowIfCancellationRequested();
        Assert.That((await _service.ScreenAsync(TestSignups.New(at: now))).Verdict, Is.EqualTo(Verdict.Allow));
        Assert.That((await _service.ScreenAsync(TestSignups.New(at: now.AddHours(-2)))).Verdict, Is.EqualTo(Verdict.Review));
    }

    private async Task JudgingAsync(int shadows)
    {
        var active = (Service.Screening.ActivePolicy)_service.Host.Services.GetService(typeof(Service.Screening.ActivePolicy))!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (active.Snapshot.Shadows.Count != shadows) await Task.Delay(5, limit.Token);
    }

    private async Task<ListShadowDifferencesResponse> CountedAsync(long version, long signups)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var found = await ListAsync(version, 100);
            if (found.Moves.Sum(move => move.Signups) >= signups)
            {
                Assert.That(found.Moves.Sum(move => move.Signups), Is.EqualTo(signups));
                return found;
            }
            await Task.Delay(20, limit.Token);
        }
    }

    private async Task<ListShadowDifferencesResponse> ListAsync(long version, int pageSize, string token = "", Verdict to = Verdict.Unspecified) =>
        await _ada.Client.ListShadowDifferencesAsync(new ListShadowDifferencesRequest
        {
            Version = version,
            PageSize = pageSize,
            PageToken = token,
            To = to,
        });
}
