using System.Net;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using SignupGuard.IntegrationTests.Policies;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Reviews;

public sealed class ResolveTests
{
    private ReviewBench _bench = null!;

    private ReviewService.ReviewServiceClient Client => _bench.Client;

    [OneTimeSetUp]
    public async Task Start() => _bench = await ReviewBench.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _bench.DisposeAsync();

    private async Task<ResolveCaseResponse> ResolveAsync(string caseId, Resolution resolution, string by = "lin", string etag = "", string note = "") =>
        await Client.ResolveCaseAsync(
            new ResolveCaseRequest
            {
                CaseId = caseId,
                Etag = etag,
                Resolution = resolution,
                Reason = "KNOWN_CUSTOMER",
                Note = note,
            },
            ReviewBench.As(by));

    [Test]
    public async Task A_resolution_is_a_label_a_decision_change_a_resolved_case_its_history_and_an_audit_entry()
    {
        var flagged = await _bench.FlagAsync();
        var claimed = (await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("lin"))).Case;
        var resolved = await ResolveAsync(flagged.CaseId, Resolution.Allow, etag: claimed.Etag, note: "Called them.");

        Assert.That((resolved.Case.State, resolved.Case.Resolution, resolved.Case.ResolvedBy, resolved.Case.ResolutionReason), Is.EqualTo((CaseState.Resolved, Resolution.Allow, "lin", "KNOWN_CUSTOMER")));
        Assert.That((resolved.Case.ClaimedBy, resolved.Case.Verdict), Is.EqualTo(("", Verdict.Allow)));
        Assert.That(resolved.Case.ReasonCodes, Does.Contain("MARKED_REVIEW"));
        Assert.That((resolved.Decision.Verdict, resolved.Decision.Revision, resolved.Decision.OutwardCode), Is.EqualTo((Verdict.Allow, 2, flagged.First.OutwardCode)));
        Assert.That(resolved.Decision.Reasons[0].Code, Is.EqualTo("REVIEW_ALLOWED"));

        var change = await _bench.ChangeOfAsync(flagged.SignupId);
        Assert.That((change.Cause, change.PreviousVerdict, change.Verdict, change.Decision.DecisionId), Is.EqualTo((ChangeCause.Review, Verdict.Review, Verdict.Allow, resolved.Decision.DecisionId)));
        Assert.That(await _bench.Database.ScalarAsync<string>($"SELECT l.label || ' ' || l.labelled_by FROM labels l JOIN signup_ids i USING (tenant, ordinal) WHERE i.signup_id = '{flagged.SignupId}'"), Is.EqualTo("2 lin"));
        Assert.That(await _bench.EventsAsync(flagged.CaseId), Is.EqualTo("opened, claimed lin, resolved lin"));
        Assert.That(await _bench.AuditAsync($"cases/{flagged.CaseId}"), Is.EqualTo("case.claimed lin, case.resolved lin"));
        Assert.That(await _bench.Database.ScalarAsync<string>($"SELECT text FROM case_notes WHERE case_id = '{flagged.CaseId}'"), Is.EqualTo("Called them."));

        // The worker, which reads the same change from the stream, finds it done.
        await _bench.SettleAsync();
        Assert.That(await _bench.CaseAsync(flagged.CaseId, "state, 'r' || revision"), Is.EqualTo($"3 {resolved.Case.Etag}"));
    }

    [Test]
    public async Task Whoever_read_another_case_than_there_is_decides_nothing()
    {
        var flagged = await _bench.FlagAsync();
        var read = await _bench.EtagAsync(flagged.CaseId);
        await ResolveAsync(flagged.CaseId, Resolution.Deny, etag: read);
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(flagged.CaseId, Resolution.Allow, by: "max", etag: read)), Is.EqualTo("Aborted CASE_CHANGED"));
        Assert.That(await _bench.CaseAsync(flagged.CaseId, "resolution, resolved_by"), Is.EqualTo("2 lin"));
    }

    [Test]
    public async Task What_another_holds_is_decided_by_nobody_else()
    {
        var flagged = await _bench.FlagAsync();
        await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("lin"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(flagged.CaseId, Resolution.Allow, by: "max")), Is.EqualTo("FailedPrecondition CASE_CLAIMED"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.EscalateCaseAsync(new EscalateCaseRequest { CaseId = flagged.CaseId, Note = "x" }, ReviewBench.As("max"))), Is.EqualTo("FailedPrecondition CASE_CLAIMED"));
        Assert.That(await _bench.CaseAsync(flagged.CaseId, "state"), Is.EqualTo("1"));
    }

    [Test]
    public async Task Of_many_who_decide_the_case_they_read_one_does()
    {
        var flagged = await _bench.FlagAsync();
        var read = await _bench.EtagAsync(flagged.CaseId);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async number =>
        {
            try
            {
                await ResolveAsync(flagged.CaseId, number % 2 == 0 ? Resolution.Allow : Resolution.Deny, by: $"r{number}", etag: read);
                return "done";
            }
            catch (RpcException refused)
            {
                return refused.StatusCode.ToString();
            }
        }));
        Assert.That(answers.Count(answer => answer == "done"), Is.EqualTo(1));
        Assert.That(answers.Count(answer => answer == "Aborted"), Is.EqualTo(11));
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM decisions WHERE signup_id = '{flagged.SignupId}'"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_resolved_case_is_resolved_again_the_other_way()
    {
        var flagged = await _bench.FlagAsync();
        await ResolveAsync(flagged.CaseId, Resolution.Deny);
        var again = await ResolveAsync(flagged.CaseId, Resolution.Allow, by: "max");
        Assert.That((again.Case.State, again.Case.Resolution, again.Case.ResolvedBy, again.Decision.Verdict, again.Decision.Revision), Is.EqualTo((CaseState.Resolved, Resolution.Allow, "max", Verdict.Allow, 3)));
        Assert.That(await _bench.EventsAsync(flagged.CaseId), Is.EqualTo("opened, resolved lin, resolved max"));
        // Nothing of the first label is left on its keys.
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM labels l JOIN signup_ids i USING (tenant, ordinal) WHERE i.signup_id = '{flagged.SignupId}' AND label = 2"), Is.EqualTo(1));
    }

    [Test]
    public async Task Denying_what_the_policy_denied_confirms_it_without_another_decision()
    {
        var flagged = await _bench.FlagAsync("deny");
        Assert.That(await _bench.CaseAsync(flagged.CaseId, "state"), Is.EqualTo("4"));
        var resolved = await ResolveAsync(flagged.CaseId, Resolution.Deny);
        Assert.That((resolved.Case.State, resolved.Case.Resolution, resolved.Decision.Revision), Is.EqualTo((CaseState.Resolved, Resolution.Deny, 1)));
    }

    [Test]
    public async Task A_cleared_account_stays_in_however_its_network_grows()
    {
        var cleared = (await _bench.FlagAsync(ReviewBench.Marked("review", "card-cleared", "device-cleared"))).Single();
        await ResolveAsync(cleared.CaseId, Resolution.Allow);
        await _bench.FlagAsync(Enumerable.Range(0, 30).Select(_ => ReviewBench.Marked(null, "card-cleared", "device-cleared")));
        await _bench.Database.ExecuteAsync("INSERT INTO second_looks (tenant, cluster, requested_at) SELECT tenant, id, now() FROM clusters ON CONFLICT DO NOTHING");
        await _bench.SettleAsync();

        var inForce = await _bench.Service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = cleared.SignupId });
        Assert.That((inForce.Decision.Verdict, inForce.Changes.Count), Is.EqualTo((Verdict.Allow, 2)));
        // It is in the network, and the network is denied around it.
        Assert.That(
            await _bench.Database.ScalarAsync<string>($"SELECT (c.size > 20) || ' ' || (c.denied > 10) || ' ' || c.confirmed_good FROM clusters c JOIN cluster_members m ON m.cluster = c.id JOIN signup_ids i ON i.ordinal = m.ordinal WHERE i.signup_id = '{cleared.SignupId}'"),
            Is.EqualTo("true true 1"));
        // Its case became the network's: what people decided of it does not make the network's case one that people resolved.
        var id = await _bench.CaseOfAsync(cleared.SignupId);
        Assert.That(await _bench.CaseAsync(id, "state, resolved_by, cluster IS NOT NULL"), Does.Not.StartWith("3").And.EndsWith("t"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(id, Resolution.Allow)), Is.EqualTo("FailedPrecondition CASE_STATE"));
    }

    [Test]
    public async Task An_escalated_case_leaves_the_common_queue_for_that_of_seniors()
    {
        var flagged = await _bench.FlagAsync();
        await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("lin"));
        var escalated = (await Client.EscalateCaseAsync(new EscalateCaseRequest { CaseId = flagged.CaseId, Note = "Beyond me." }, ReviewBench.As("lin"))).Case;
        Assert.That((escalated.State, escalated.ClaimedBy), Is.EqualTo((CaseState.Escalated, "")));
        Assert.That(await _bench.EtagAsync(flagged.CaseId), Is.EqualTo(escalated.Etag));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.EscalateCaseAsync(new EscalateCaseRequest { CaseId = flagged.CaseId, Note = "Again." }, ReviewBench.As("lin"))), Is.EqualTo("FailedPrecondition CASE_STATE"));
        var taken = new List<string>();
        while ((await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("max"))).Case is { } next) taken.Add(next.CaseId);
        Assert.That(taken, Does.Not.Contain(flagged.CaseId));
        Assert.That((await Client.ClaimNextAsync(new ClaimNextRequest { States = { CaseState.Escalated } }, ReviewBench.As("senior"))).Case.CaseId, Is.EqualTo(flagged.CaseId));
        Assert.That((await ResolveAsync(flagged.CaseId, Resolution.Deny, by: "senior")).Case.State, Is.EqualTo(CaseState.Resolved));
        Assert.That(await _bench.EventsAsync(flagged.CaseId), Is.EqualTo("opened, claimed lin, escalated lin, claimed senior, resolved senior"));
    }

    [Test]
    public async Task An_objection_finds_the_case_by_the_code_the_applicant_was_given_and_comes_first()
    {
        var denied = await _bench.FlagAsync("deny");
        await _bench.FlagAsync();
        var code = denied.First.OutwardCode.ToLowerInvariant();
        var appealed = await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = $"{code[..5]}-{code[5..]} ", Text = "My name is Zoë, let me in" }, ReviewBench.As("support"));
        Assert.That(appealed.CaseId, Is.EqualTo(denied.CaseId));
        var more = await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = code, Text = "Please" }, ReviewBench.As("support"));
        Assert.That(more.CaseId, Is.EqualTo(denied.CaseId));

        var next = (await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("lin"))).Case;
        Assert.That((next.CaseId, next.Appealed, next.State), Is.EqualTo((denied.CaseId, true, CaseState.Open)));
        Assert.That(await _bench.EventsAsync(denied.CaseId), Is.EqualTo("opened, appealed support, reopened, appealed support, claimed lin"));
        // Their words are sealed, and shown to who says why.
        Assert.That(await _bench.Database.ScalarAsync<bool>("SELECT bool_and(position(convert_to('Zo', 'UTF8') IN text) = 0) FROM appeals"), Is.True);
        var revealed = await Client.RevealSignupAsync(new RevealSignupRequest { SignupId = denied.SignupId, Reason = "appeal" }, ReviewBench.As("lin"));
        Assert.That(revealed.Appeals, Is.EqualTo(new[] { "My name is Zoë, let me in", "Please" }));

        var resolved = (await ResolveAsync(denied.CaseId, Resolution.Allow)).Case;
        Assert.That((resolved.State, resolved.Appealed), Is.EqualTo((CaseState.Resolved, false)));
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM appeals WHERE case_id = '{denied.CaseId}' AND closed_at IS NULL"), Is.Zero);
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = "2222222222", Text = "x" }, ReviewBench.As("support"))), Is.EqualTo("NotFound CASE_UNKNOWN"));
    }

    [Test]
    public async Task A_rejected_objection_leaves_the_denial_and_tells_who_confirmed_it()
    {
        var denied = await _bench.FlagAsync("deny");
        await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = denied.First.OutwardCode, Text = "no" }, ReviewBench.As("support"));
        var resolved = await ResolveAsync(denied.CaseId, Resolution.Deny);
        Assert.That((resolved.Case.State, resolved.Case.ResolvedBy, resolved.Decision.Verdict, resolved.Decision.Revision), Is.EqualTo((CaseState.Resolved, "lin", Verdict.Deny, 1)));
    }

    [Test]
    public async Task What_was_sent_is_shown_with_a_reason_and_each_look_is_recorded()
    {
        var flagged = await _bench.FlagAsync();
        var revealed = await Client.RevealSignupAsync(new RevealSignupRequest { SignupId = flagged.SignupId, Reason = "They called us." }, ReviewBench.As("lin"));
        Assert.That(JsonDocument.Parse(revealed.Signup).RootElement.GetProperty("email").GetProperty("address").GetString(), Does.EndWith("@gmail.com"));
        Assert.That(await _bench.AuditAsync($"signups/{flagged.SignupId}"), Is.EqualTo("signup.revealed lin"));
        Assert.That(await _bench.Database.ScalarAsync<string>($"SELECT note FROM audit WHERE subject = 'signups/{flagged.SignupId}'"), Is.EqualTo("They called us."));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.RevealSignupAsync(new RevealSignupRequest { SignupId = "nobody", Reason = "x" }, ReviewBench.As("lin"))), Is.EqualTo("NotFound SIGNUP_UNKNOWN"));
    }

    [Test]
    public async Task Outcomes_resolve_cases_too_also_where_the_policy_had_denied_already()
    {
        var flagged = await _bench.FlagAsync("deny");
        await _bench.Service.Client.ReportOutcomeAsync(new ReportOutcomeRequest { SignupId = flagged.SignupId, Kind = OutcomeKind.Chargeback });
        await _bench.SettleAsync();
        Assert.That(await _bench.CaseAsync(flagged.CaseId, "state, resolution, resolved_by IS NULL, resolution_reason"), Is.EqualTo("3 2 t OUTCOME_CHARGEBACK"));
    }

    [Test]
    public async Task A_case_is_resolved_over_JSON()
    {
        var flagged = await _bench.FlagAsync();
        using var content = new StringContent($$"""{"resolution":"RESOLUTION_ALLOW","reason":"KNOWN_CUSTOMER","etag":"{{await _bench.EtagAsync(flagged.CaseId)}}"}""", Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/cases/{flagged.CaseId}:resolve") { Content = content, Headers = { { "signupguard-actor", "lin" } } };
        using var response = await _bench.Service.Http.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.That(body.GetProperty("case").GetProperty("state").GetString(), Is.EqualTo("CASE_STATE_RESOLVED"));
        Assert.That(body.GetProperty("decision").GetProperty("verdict").GetString(), Is.EqualTo("VERDICT_ALLOW"));
    }

    [Test]
    public async Task Each_bad_field_is_named()
    {
        var id = Guid.NewGuid().ToString();
        await BadAsync("case_id REQUIRED, lease_seconds OUT_OF_RANGE", async headers => await Client.ClaimCaseAsync(new ClaimCaseRequest { LeaseSeconds = 59 }, headers));
        await BadAsync("states[0] INVALID_VALUE, states[1] REQUIRED, states[2] UNKNOWN_ENUM_VALUE, lease_seconds OUT_OF_RANGE", async headers => await Client.ClaimNextAsync(
            new ClaimNextRequest
            {
                States = { CaseState.Denied, CaseState.Unspecified, (CaseState)77 },
                LeaseSeconds = 86_401,
            },
            headers));
        await BadAsync("case_id INVALID_FORMAT", async headers => await Client.ReleaseCaseAsync(new ReleaseCaseRequest { CaseId = "7" }, headers));
        await BadAsync("text REQUIRED", async headers => await Client.AddNoteAsync(new AddNoteRequest { CaseId = id }, headers));
        await BadAsync("text TOO_LONG", async headers => await Client.AddNoteAsync(new AddNoteRequest { CaseId = id, Text = new string('x', 4_001) }, headers));
        await BadAsync("text INVALID_CHARACTERS", async headers => await Client.AddNoteAsync(new AddNoteRequest { CaseId = id, Text = "a\0b" }, headers));
        await BadAsync("etag INVALID_TOKEN, resolution REQUIRED, reason REQUIRED", async headers => await Client.ResolveCaseAsync(new ResolveCaseRequest { CaseId = id, Etag = "7" }, headers));
        await BadAsync("resolution UNKNOWN_ENUM_VALUE, reason INVALID_FORMAT, note TOO_LONG", async headers => await Client.ResolveCaseAsync(
            new ResolveCaseRequest
            {
                CaseId = id,
                Resolution = (Resolution)9,
                Reason = "known customer",
                Note = new string('x', 4_001),
            },
            headers));
        await BadAsync("note REQUIRED", async headers => await Client.EscalateCaseAsync(new EscalateCaseRequest { CaseId = id }, headers));
        await BadAsync("outward_code INVALID_FORMAT, text TOO_LONG", async headers => await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = "123", Text = new string('x', 4_001) }, headers));
        await BadAsync("signup_id REQUIRED, reason REQUIRED", async headers => await Client.RevealSignupAsync(new RevealSignupRequest(), headers));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.ClaimNextAsync(new ClaimNextRequest())), Is.EqualTo("Unauthenticated ACTOR_REQUIRED"));
    }

    private static async Task BadAsync(string violations, Func<Metadata, Task> call)
    {
        var (_, reason, details) = await TestAdmin.RefusedAsync(() => call(ReviewBench.As("lin")));
        Assert.That(reason, Is.EqualTo("INVALID_REQUEST"));
        Assert.That(details!.FieldViolations.Select(violation => $"{violation.Field} {violation.Reason}"), Is.EquivalentTo(violations.Split(", ")));
    }
}
