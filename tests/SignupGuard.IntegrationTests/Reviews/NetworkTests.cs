using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.IntegrationTests.Policies;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Reviews;

public sealed class NetworkTests
{
    private ReviewBench _bench = null!;

    private ReviewService.ReviewServiceClient Client => _bench.Client;

    [OneTimeSetUp]
    public async Task Start() => _bench = await ReviewBench.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _bench.DisposeAsync();

    /// <summary>Signups on one card and one device, and the network they are.</summary>
    private async Task<(long Cluster, IReadOnlyList<Flagged> Members)> NetworkAsync(string name, int members)
    {
        var flagged = await _bench.FlagAsync(Enumerable.Range(0, members).Select(_ => ReviewBench.Marked(null, $"card-{name}", $"device-{name}")));
        var cluster = await _bench.Database.ScalarAsync<long>($"SELECT m.cluster FROM cluster_members m JOIN signup_ids i USING (tenant, ordinal) WHERE i.signup_id = '{flagged[^1].SignupId}'");
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT size FROM clusters WHERE id = {cluster}"), Is.EqualTo(members));
        return (cluster, flagged);
    }

    private async Task<PreviewClusterResolutionResponse> PreviewAsync(long cluster, Resolution resolution, params string[] only) =>
        await Client.PreviewClusterResolutionAsync(new PreviewClusterResolutionRequest { ClusterId = cluster, Resolution = resolution, SignupIds = { only } });

    private static ResolveClusterRequest Request(long cluster, string etag, Resolution resolution, params string[] only) => new()
    {
        ClusterId = cluster,
        Etag = etag,
        Resolution = resolution,
        Reason = "CARD_RING",
        Note = "One hand.",
        SignupIds = { only },
    };

    private static async Task<List<ResolveClusterResponse>> ResolveAsync(ReviewService.ReviewServiceClient client, ResolveClusterRequest request, string by = "lin")
    {
        using var call = client.ResolveCluster(request, ReviewBench.As(by));
        var answers = new List<ResolveClusterResponse>();
        while (await call.ResponseStream.MoveNext(CancellationToken.None)) answers.Add(call.ResponseStream.Current);
        return answers;
    }

    private Task<List<ResolveClusterResponse>> ResolveAsync(ResolveClusterRequest request, string by = "lin") => ResolveAsync(Client, request, by);

    private async Task<Verdict> VerdictAsync(string signupId) => (await _bench.Service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = signupId })).Decision.Verdict;

    [Test]
    public async Task A_network_is_decided_as_it_was_previewed_with_all_that_follows_for_each_member()
    {
        var (cluster, members) = await NetworkAsync("whole", 24);
        var preview = await PreviewAsync(cluster, Resolution.Allow);
        Assert.That((preview.Members, preview.AllowedNow, preview.DecidedByPeople, preview.Cases), Is.EqualTo((24L, 0L, 0L, 1L)));
        Assert.That(preview.ReviewedNow + preview.DeniedNow, Is.EqualTo(await _bench.Database.ScalarAsync<long>($"SELECT sum(signups)::bigint FROM cases WHERE cluster = {cluster}")));
        var id = await _bench.CaseOfAsync(members[^1].SignupId);

        var answers = await ResolveAsync(Request(cluster, preview.Etag, Resolution.Allow));
        Assert.That((answers[0].Done, answers[0].Total, answers[0].Finished), Is.EqualTo((0L, 24L, false)));
        Assert.That((answers[^1].Done, answers[^1].Changed, answers[^1].Skipped, answers[^1].Finished), Is.EqualTo((24L, preview.ReviewedNow + preview.DeniedNow, 0L, true)));
        foreach (var member in members) Assert.That(await VerdictAsync(member.SignupId), Is.EqualTo(Verdict.Allow));
        var change = await _bench.ChangeOfAsync(members[^1].SignupId, ChangeCause.Review);
        Assert.That(change.Verdict, Is.EqualTo(Verdict.Allow));
        Assert.That(await _bench.CaseAsync(id, "state, resolution, resolved_by, resolution_reason"), Is.EqualTo("3 1 lin CARD_RING"));
        Assert.That(await _bench.EventsAsync(id), Does.EndWith("resolved lin"));
        Assert.That(await _bench.Database.ScalarAsync<string>($"SELECT denied || ' ' || confirmed_good FROM clusters WHERE id = {cluster}"), Is.EqualTo("0 24"));
        Assert.That(await _bench.Database.ScalarAsync<string>($"SELECT text FROM case_notes WHERE case_id = '{id}'"), Is.EqualTo("One hand."));
        Assert.That(await _bench.AuditAsync($"clusters/{cluster}"), Is.EqualTo("cluster.resolution_started lin, cluster.resolved lin"));

        // The network goes on growing: those who were cleared stay in, those who come are judged for themselves.
        await _bench.FlagAsync(Enumerable.Range(0, 10).Select(_ => ReviewBench.Marked(null, "card-whole", "device-whole")));
        await _bench.Database.ExecuteAsync("INSERT INTO second_looks (tenant, cluster, requested_at) SELECT tenant, id, now() FROM clusters ON CONFLICT DO NOTHING");
        await _bench.SettleAsync();
        foreach (var member in members) Assert.That(await VerdictAsync(member.SignupId), Is.EqualTo(Verdict.Allow));
        // Nobody decided the newcomers: the case is no longer one that a person resolved.
        Assert.That(await _bench.CaseAsync(id, "state"), Is.Not.EqualTo("3"));
    }

    [Test]
    public async Task A_preview_is_good_for_who_was_there_and_stale_when_anything_of_them_changed()
    {
        var (cluster, members) = await NetworkAsync("stale", 14);
        var preview = await PreviewAsync(cluster, Resolution.Deny);
        Assert.That((await Client.GetClusterAsync(new GetClusterRequest { ClusterId = cluster })).Etag, Is.EqualTo(preview.Etag));
        // Whoever joins later is not decided.
        var late = (await _bench.FlagAsync(ReviewBench.Marked(null, "card-stale", "device-stale"))).Single();
        var answers = await ResolveAsync(Request(cluster, preview.Etag, Resolution.Deny, members[0].SignupId, late.SignupId));
        Assert.That((answers[^1].Total, answers[^1].Done), Is.EqualTo((1L, 1L)));

        // One was judged meanwhile.
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(Request(cluster, preview.Etag, Resolution.Deny))), Is.EqualTo("Aborted CLUSTER_CHANGED"));
        var again = await PreviewAsync(cluster, Resolution.Deny);
        Assert.That((again.Members, again.DecidedByPeople), Is.EqualTo((15L, 1L)));
        // One was taken out.
        await Client.SplitClusterAsync(new SplitClusterRequest { ClusterId = cluster, SignupIds = { members[5].SignupId }, Reason = "a relative" }, ReviewBench.As("max"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(Request(cluster, again.Etag, Resolution.Deny))), Is.EqualTo("Aborted CLUSTER_CHANGED"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await PreviewAsync(987_654_321, Resolution.Deny)), Is.EqualTo("NotFound CLUSTER_UNKNOWN"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(Request(987_654_321, again.Etag, Resolution.Deny))), Is.EqualTo("NotFound CLUSTER_UNKNOWN"));
    }

    [Test]
    public async Task What_people_decided_before_stays_unless_the_reviewer_says_otherwise()
    {
        var (cluster, members) = await NetworkAsync("people", 14);
        await ResolveAsync(Request(cluster, (await PreviewAsync(cluster, Resolution.Allow)).Etag, Resolution.Allow, members[2].SignupId, members[3].SignupId), by: "max");
        var preview = await PreviewAsync(cluster, Resolution.Deny);
        Assert.That(preview.DecidedByPeople, Is.EqualTo(2));
        var answers = await ResolveAsync(Request(cluster, preview.Etag, Resolution.Deny));
        Assert.That((answers[^1].Done, answers[^1].Skipped), Is.EqualTo((14L, 2L)));
        Assert.That((await VerdictAsync(members[2].SignupId), await VerdictAsync(members[4].SignupId)), Is.EqualTo((Verdict.Allow, Verdict.Deny)));
        // People decided all, but not alike.
        var id = await _bench.CaseOfAsync(members[^1].SignupId);
        Assert.That(await _bench.CaseAsync(id, "state, resolution IS NULL, resolved_by"), Is.EqualTo("3 t lin"));

        var overriding = Request(cluster, (await PreviewAsync(cluster, Resolution.Deny)).Etag, Resolution.Deny);
        overriding.OverridePeople = true;
        Assert.That((await ResolveAsync(overriding))[^1].Changed, Is.EqualTo(2));
        Assert.That(await VerdictAsync(members[2].SignupId), Is.EqualTo(Verdict.Deny));
        Assert.That(await _bench.CaseAsync(id, "state, resolution"), Is.EqualTo("3 2"));
    }

    [Test]
    public async Task A_network_whose_case_another_holds_is_not_decided()
    {
        var (cluster, members) = await NetworkAsync("held", 12);
        await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = await OpenCaseAsync(members) }, ReviewBench.As("max"));
        var preview = await PreviewAsync(cluster, Resolution.Deny);
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(Request(cluster, preview.Etag, Resolution.Deny))), Is.EqualTo("FailedPrecondition CASE_CLAIMED"));
        Assert.That((await ResolveAsync(Request(cluster, preview.Etag, Resolution.Deny), by: "max"))[^1].Finished, Is.True);

        // Denied by the policy, so nobody could claim it: an objection opens it.
        async Task<string> OpenCaseAsync(IReadOnlyList<Flagged> of)
        {
            await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = of[^1].First.OutwardCode, Text = "?" }, ReviewBench.As("support"));
            return await _bench.CaseOfAsync(of[^1].SignupId);
        }
    }

    [Test]
    public async Task A_member_confirmed_bad_has_its_network_looked_at_again()
    {
        // Four on one card: suspicious, not denied.
        var members = await _bench.FlagAsync(Enumerable.Range(0, 4).Select(_ => ReviewBench.Marked(null, "card-bad")));
        var cluster = await _bench.Database.ScalarAsync<long>($"SELECT m.cluster FROM cluster_members m JOIN signup_ids i USING (tenant, ordinal) WHERE i.signup_id = '{members[0].SignupId}'");
        var before = await Task.WhenAll(members.Select(member => VerdictAsync(member.SignupId)));
        await ResolveAsync(Request(cluster, (await PreviewAsync(cluster, Resolution.Deny)).Etag, Resolution.Deny, members[1].SignupId));
        await _bench.SettleAsync();
        var after = await Task.WhenAll(members.Select(member => VerdictAsync(member.SignupId)));
        Assert.That(after[1], Is.EqualTo(Verdict.Deny));
        var changed = Enumerable.Range(0, 4).Where(i => i != 1 && after[i] > before[i]).ToList();
        Assert.That(changed, Is.Not.Empty);
        foreach (var i in changed) Assert.That((await _bench.ChangeOfAsync(members[i].SignupId, ChangeCause.Network)).Verdict, Is.EqualTo(after[i]));
    }

    [Test]
    public async Task A_decision_that_is_cancelled_or_crashes_goes_on_on_another_host_and_decides_each_member_once()
    {
        const int Members = 330;
        var (cluster, members) = await NetworkAsync("many", Members);
        var preview = await PreviewAsync(cluster, Resolution.Allow);
        var ordinals = await _bench.Database.ScalarAsync<long[]>($"SELECT array_agg(ordinal ORDER BY ordinal) FROM cluster_members WHERE cluster = {cluster}");
        string id;

        // Crash: the second hundred waits for a label that somebody else is writing, and its connection is lost.
        await using (await HoldLabelAsync(ordinals[150]))
        {
            using var call = Client.ResolveCluster(Request(cluster, preview.Etag, Resolution.Allow), ReviewBench.As("lin"));
            await DoneAsync(call, 100);
            id = call.ResponseStream.Current.ResolutionId;
            await WaitingAsync();
            await _bench.Database.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO labels%'");
            await Assert.ThrowsAsync<RpcException>(async () => await DoneAsync(call, Members));
        }
        Assert.That(await DecidedAsync(id), Is.EqualTo(100));
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM decisions WHERE ordinal = ANY(ARRAY[{string.Join(',', ordinals)}]) AND cause = 'review'"), Is.LessThanOrEqualTo(100));

        // Cancelled: the hundred on its way is finished, and no more.
        using (var cancelling = new CancellationTokenSource())
        {
            await using (await HoldLabelAsync(ordinals[150]))
            {
                using var call = Client.ResolveCluster(new ResolveClusterRequest { ClusterId = cluster, ResolutionId = id }, ReviewBench.As("max"), cancellationToken: cancelling.Token);
                await DoneAsync(call, 100);
                await WaitingAsync();
                await cancelling.CancelAsync();
                await Assert.ThrowsAsync<RpcException>(async () => await DoneAsync(call, Members));
            }
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (await DecidedAsync(id) < 200) await Task.Delay(10, limit.Token);
        }
        Assert.That(await _bench.Database.ScalarAsync<bool>($"SELECT finished_at IS NULL FROM cluster_resolutions WHERE id = '{id}'"), Is.True);

        // Two hosts at once go on with the rest.
        await using var other = await TestService.StartAsync(_bench.Database);
        var both = await Task.WhenAll(
            ResolveAsync(new ResolveClusterRequest { ClusterId = cluster, ResolutionId = id }),
            ResolveAsync(new ReviewService.ReviewServiceClient(other.Channel), new ResolveClusterRequest { ClusterId = cluster, ResolutionId = id }));
        foreach (var answers in both) Assert.That((answers[^1].Finished, answers[^1].Done, answers[^1].Changed), Is.EqualTo((true, (long)Members, preview.ReviewedNow + preview.DeniedNow)));
        Assert.That(await _bench.Database.ScalarAsync<bool>($"SELECT bool_and(changes <= 1) FROM (SELECT count(*) AS changes FROM decisions WHERE ordinal = ANY(ARRAY[{string.Join(',', ordinals)}]) AND cause = 'review' GROUP BY ordinal) c"), Is.True);
        foreach (var member in members) Assert.That(await VerdictAsync(member.SignupId), Is.EqualTo(Verdict.Allow));
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT confirmed_good FROM clusters WHERE id = {cluster}"), Is.EqualTo(Members));

        // Done is done: asked again, it says so.
        Assert.That((await ResolveAsync(new ResolveClusterRequest { ClusterId = cluster, ResolutionId = id })).Single().Finished, Is.True);
        Assert.That(await ReviewBench.RefusedAsync(async () => await ResolveAsync(new ResolveClusterRequest { ClusterId = cluster, ResolutionId = Guid.NewGuid().ToString() })), Is.EqualTo("NotFound RESOLUTION_UNKNOWN"));

        async Task<long> DecidedAsync(string resolution) => await _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM cluster_resolution_members WHERE resolution_id = '{resolution}' AND result <> 0");

        static async Task DoneAsync(AsyncServerStreamingCall<ResolveClusterResponse> call, long done)
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                if (call.ResponseStream.Current.Done >= done) return;
            }
        }

        async Task WaitingAsync()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (await _bench.Database.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO labels%'") == 0)
                await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>Keeps whoever labels the account waiting.</summary>
    private async Task<Npgsql.NpgsqlConnection> HoldLabelAsync(long ordinal)
    {
        var connection = await _bench.Database.Source.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"BEGIN; INSERT INTO labels (tenant, ordinal, label, labelled_at) VALUES ('default', {ordinal}, 0, now())";
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    [Test]
    public async Task A_member_taken_out_has_a_case_of_its_own_and_is_not_decided_with_the_rest()
    {
        var (cluster, members) = await NetworkAsync("split", 14);
        var split = await Client.SplitClusterAsync(new SplitClusterRequest { ClusterId = cluster, SignupIds = { members[^1].SignupId, "nobody" }, Reason = "a relative" }, ReviewBench.As("max"));
        Assert.That(split.TakenOut, Is.EqualTo(1));
        await _bench.SettleAsync();
        var (own, network) = (await _bench.CaseOfAsync(members[^1].SignupId), await _bench.CaseOfAsync(members[^2].SignupId));
        Assert.That(own, Is.Not.EqualTo(network));
        Assert.That(await _bench.CaseAsync(own, "cluster IS NULL, signups"), Is.EqualTo("t 1"));
        await ResolveAsync(Request(cluster, (await PreviewAsync(cluster, Resolution.Deny)).Etag, Resolution.Deny));
        Assert.That((await Client.ResolveCaseAsync(new ResolveCaseRequest { CaseId = own, Resolution = Resolution.Allow, Reason = "RELATIVE" }, ReviewBench.As("max"))).Decision.Verdict, Is.EqualTo(Verdict.Allow));
        Assert.That(await _bench.AuditAsync($"clusters/{cluster}"), Does.StartWith("cluster.split max"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.SplitClusterAsync(new SplitClusterRequest { ClusterId = 987_654_321, SignupIds = { "x" }, Reason = "x" }, ReviewBench.As("max"))), Is.EqualTo("NotFound CLUSTER_UNKNOWN"));
    }

    [Test]
    public async Task An_exempt_key_ties_nobody_until_its_exemption_ends()
    {
        var members = await _bench.FlagAsync(Enumerable.Range(0, 12).Select(_ => ReviewBench.Marked(null, "card-office")));
        var step = members[^1].First.Reasons.SelectMany(reason => reason.Path).First(step => step.KeyKind == "card");
        var exempt = (await Client.ExemptKeyAsync(
            new ExemptKeyRequest
            {
                KeyRef = step.KeyRef,
                Reason = "The office's card.",
                ExpiresAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.AddDays(90)),
            },
            ReviewBench.As("max"))).Exemption;
        Assert.That((exempt.KeyRef, exempt.KeyKind, exempt.Author, exempt.EndedAt), Is.EqualTo((step.KeyRef, "card", "max", (Timestamp?)null)));
        Assert.That(await TiedAsync(), Is.Zero);
        Assert.That((await _bench.FlagAsync(ReviewBench.Marked(null, "card-office"))).Single().First.Verdict, Is.EqualTo(Verdict.Allow));
        await Client.EndExemptionAsync(new EndExemptionRequest { KeyRef = step.KeyRef }, ReviewBench.As("lin"));
        Assert.That(await TiedAsync(), Is.GreaterThan(10));
        Assert.That(await _bench.AuditAsync($"keys/{step.KeyRef}"), Is.EqualTo("key.exempted max, key.exemption_ended lin"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.EndExemptionAsync(new EndExemptionRequest { KeyRef = step.KeyRef }, ReviewBench.As("lin"))), Is.EqualTo("NotFound KEY_UNKNOWN"));

        Task<long> TiedAsync() => _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM cluster_members m JOIN signup_ids i USING (tenant, ordinal) WHERE i.signup_id = ANY(ARRAY[{string.Join(',', members.Select(member => $"'{member.SignupId}'"))}])");
    }

    [Test]
    public async Task A_case_folded_into_its_networks_brings_what_people_did_to_it()
    {
        var first = (await _bench.FlagAsync(ReviewBench.Marked("review", card: "card-fold"))).Single();
        var second = (await _bench.FlagAsync(ReviewBench.Marked("review", device: "device-fold"))).Single();
        var read = await _bench.EtagAsync(first.CaseId);
        await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = second.First.OutwardCode, Text = "It was me." }, ReviewBench.As("support"));
        await Client.EscalateCaseAsync(new EscalateCaseRequest { CaseId = second.CaseId, Note = "A ring?" }, ReviewBench.As("lin"));
        await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = second.CaseId }, ReviewBench.As("senior"));

        await NetworkOfAsync(first, second);
        Assert.That(await _bench.CaseOfAsync(second.SignupId), Is.EqualTo(first.CaseId));
        Assert.That(await _bench.CaseAsync(first.CaseId, "state, appealed, claimed_by, cluster IS NOT NULL"), Is.EqualTo("2 t senior t"));
        Assert.That(await _bench.EventsAsync(first.CaseId), Does.Contain("appealed support").And.Contain("escalated lin").And.Contain("claimed senior").And.Contain("joined"));
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM appeals WHERE case_id = '{first.CaseId}'"), Is.EqualTo(1));
        // What was read of the one account's case is no longer what there is.
        Assert.That(await _bench.EtagAsync(first.CaseId), Is.Not.EqualTo(read));
        // The old id leads to it.
        await Client.AddNoteAsync(new AddNoteRequest { CaseId = second.CaseId, Text = "It is." }, ReviewBench.As("lin"));
        Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT count(*) FROM case_notes WHERE case_id = '{first.CaseId}'"), Is.EqualTo(2));

        async Task NetworkOfAsync(params Flagged[] flagged)
        {
            await _bench.FlagAsync(Enumerable.Range(0, 14).Select(_ => ReviewBench.Marked(null, "card-fold", "device-fold")));
            Assert.That(await _bench.Database.ScalarAsync<long>($"SELECT count(DISTINCT m.cluster) FROM cluster_members m JOIN signup_ids i USING (tenant, ordinal) WHERE i.signup_id IN ('{flagged[0].SignupId}', '{flagged[1].SignupId}')"), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task Each_bad_field_is_named()
    {
        await BadAsync("cluster_id REQUIRED, resolution REQUIRED, signup_ids[0] REQUIRED", async headers => await Client.PreviewClusterResolutionAsync(new PreviewClusterResolutionRequest { SignupIds = { "" } }, headers));
        await BadAsync("cluster_id OUT_OF_RANGE, etag INVALID_TOKEN, resolution REQUIRED, reason REQUIRED", async _ => await ResolveAsync(new ResolveClusterRequest { ClusterId = -1, Etag = "1.2" }));
        await BadAsync("etag REQUIRED, reason INVALID_FORMAT, note TOO_LONG, signup_ids TOO_MANY", async _ => await ResolveAsync(new ResolveClusterRequest
        {
            ClusterId = 1,
            Resolution = Resolution.Deny,
            Reason = "Card ring",
            Note = new string('x', 4_001),
            SignupIds = { Enumerable.Repeat("s", 10_001) },
        }));
        await BadAsync("resolution_id INVALID_FORMAT, etag INVALID_VALUE, resolution INVALID_VALUE, reason INVALID_VALUE, note INVALID_VALUE, signup_ids INVALID_VALUE, override_people INVALID_VALUE", async _ =>
        {
            var request = Request(1, "1.1.0000000000000000", Resolution.Deny, "s");
            request.ResolutionId = "x";
            request.OverridePeople = true;
            await ResolveAsync(request);
        });
        await BadAsync("cluster_id REQUIRED, signup_ids REQUIRED, reason REQUIRED", async headers => await Client.SplitClusterAsync(new SplitClusterRequest(), headers));
        await BadAsync("key_ref REQUIRED, reason REQUIRED, expires_at REQUIRED", async headers => await Client.ExemptKeyAsync(new ExemptKeyRequest(), headers));
        foreach (var expires in (DateTimeOffset[])[DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddYears(11)])
        {
            await BadAsync("key_ref INVALID_FORMAT, expires_at OUT_OF_RANGE", async headers => await Client.ExemptKeyAsync(
                new ExemptKeyRequest
                {
                    KeyRef = "XYZ",
                    Reason = "x",
                    ExpiresAt = Timestamp.FromDateTimeOffset(expires),
                },
                headers));
        }
        await BadAsync("key_ref REQUIRED", async headers => await Client.EndExemptionAsync(new EndExemptionRequest(), headers));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.EndExemptionAsync(new EndExemptionRequest { KeyRef = "0123456789ab" }, ReviewBench.As("lin"))), Is.EqualTo("NotFound KEY_UNKNOWN"));
    }

    private static async Task BadAsync(string violations, Func<Metadata, Task> call)
    {
        var (_, reason, details) = await TestAdmin.RefusedAsync(() => call(ReviewBench.As("lin")));
        Assert.That(reason, Is.EqualTo("INVALID_REQUEST"));
        Assert.That(details!.FieldViolations.Select(violation => $"{violation.Field} {violation.Reason}"), Is.EquivalentTo(violations.Split(", ")));
    }
}
