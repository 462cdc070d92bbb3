using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Reviews;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>Searches, exports and counts over gRPC, of a service whose cases people decide.</summary>
public sealed class ReviewStatisticsTests
{
    private ReviewBench _bench = null!;
    private IReadOnlyList<Flagged> _reviewed = null!;
    private IReadOnlyList<Flagged> _network = null!;

    private ReviewService.ReviewServiceClient Client => _bench.Client;

    [OneTimeSetUp]
    public async Task Start()
    {
        _bench = await ReviewBench.StartAsync();
        _reviewed = await _bench.FlagAsync(Enumerable.Range(0, 6).Select(_ => ReviewBench.Marked("review")));
        await _bench.FlagAsync(Enumerable.Range(0, 3).Select(_ => ReviewBench.Marked("deny")));
        await _bench.FlagAsync(Enumerable.Range(0, 5).Select(_ => ReviewBench.Marked(null)));
        _network = await _bench.FlagAsync(Enumerable.Range(0, 10).Select(_ => ReviewBench.Marked("review", card: "card-s", device: "device-s")));
        var formula = ReviewBench.Marked("review");
        formula.SignupId = "=HYPERLINK(\"http://example.com\")";
        formula.Event = new Event { Product = "a,\"b\"" };
        await _bench.FlagAsync([formula]);
        await ResolveAsync(_reviewed[0], "lin", Resolution.Allow);
        await ResolveAsync(_reviewed[1], "lin", Resolution.Deny);
        await ResolveAsync(_reviewed[2], "lin", Resolution.Deny);
        // Decided the other way by another.
        await ResolveAsync(_reviewed[2], "max", Resolution.Allow);
        await _bench.SettleAsync();
    }

    [OneTimeTearDown]
    public async Task Stop() => await _bench.DisposeAsync();

    [Test]
    public async Task Reviewers_are_counted_by_their_last_words_and_by_what_others_made_of_them()
    {
        var stats = await Client.ReviewStatsAsync(new ReviewStatsRequest());
        Assert.That(
            stats.Reviewers.Select(reviewer => (reviewer.Reviewer, reviewer.Resolved, reviewer.Allowed, reviewer.Denied, reviewer.Overturned)),
            Is.EqualTo(new[] { ("lin", 3L, 1L, 2L, 1L), ("max", 1L, 1L, 0L, 0L) }));
        var rule = stats.Rules.Single(rule => rule.Code == "MARKED_REVIEW");
        Assert.That((rule.Resolved, rule.Allowed), Is.EqualTo((3L, 2L)));
        Assert.That(stats.Rules.Select(one => one.Code), Has.None.Contains("REVIEW_"));
        Assert.That(stats.Days.Sum(day => day.Resolved), Is.EqualTo(3));
        Assert.That(stats.Days.Sum(day => day.Opened), Is.EqualTo(await _bench.Database.ScalarAsync<long>("SELECT count(*) FROM cases WHERE merged_into IS NULL")));
        Assert.That(stats.ResolveSecondsMedian, Is.InRange(0, 600));
        Assert.That(stats.Waiting.Select(band => band.UnderSeconds), Is.EqualTo(new[] { 3_600L, 14_400, 86_400, 259_200, 604_800, 0 }));
        Assert.That(stats.Waiting.Select(band => band.Cases), Is.EqualTo(new[] { await _bench.Database.ScalarAsync<long>("SELECT count(*) FROM cases WHERE state < 3 AND merged_into IS NULL"), 0, 0, 0, 0, 0 }));
        await _bench.Database.ExecuteAsync($"UPDATE cases SET opened_at = now() - interval '2 days' WHERE id = '{_reviewed[5].CaseId}'; UPDATE cases SET opened_at = now() - interval '60 days' WHERE id = '{_reviewed[4].CaseId}'");
        var later = await Client.ReviewStatsAsync(new ReviewStatsRequest());
        Assert.That(later.Waiting.Select(band => band.Cases), Is.EqualTo(new[] { stats.Waiting[0].Cases - 2, 0, 0, 1, 0, 1 }));

        var before = new ReviewStatsRequest { From = Ago(40), Until = Ago(20) };
        Assert.That(await Client.ReviewStatsAsync(before) is { Reviewers.Count: 0, Rules.Count: 0, Days.Count: 0, HasResolveSecondsMedian: false });
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.ReviewStatsAsync(new ReviewStatsRequest { From = Ago(1), Until = Ago(2) })), Is.EqualTo("InvalidArgument INVALID_REQUEST"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.ReviewStatsAsync(new ReviewStatsRequest { From = Ago(1_000) })), Is.EqualTo("InvalidArgument INVALID_REQUEST"));
    }

    [Test]
    public async Task The_overview_adds_up_to_the_decisions_there_are()
    {
        var week = await Client.GetOverviewAsync(new GetOverviewRequest());
        Assert.That(week.Points, Has.Count.InRange(7, 9));
        var day = await Client.GetOverviewAsync(new GetOverviewRequest { From = Ago(1) });
        Assert.That(day.Points, Has.Count.InRange(24, 26));
        foreach (var overview in new[] { week, day })
        {
            Assert.That(
                string.Join(' ', overview.Points.Sum(point => point.Allowed), overview.Points.Sum(point => point.Reviewed), overview.Points.Sum(point => point.Denied), overview.Points.Sum(point => point.Changed)),
                Is.EqualTo(await _bench.Database.ScalarAsync<string>(
                    """
                    SELECT concat_ws(' ', count(*) FILTER (WHERE revision = 1 AND verdict = 1), count(*) FILTER (WHERE revision = 1 AND verdict = 2), count(*) FILTER (WHERE revision = 1 AND verdict = 3),
                                     count(*) FILTER (WHERE revision > 1)) FROM decisions
                    """)));
            Assert.That(
                string.Join(',', overview.Scores),
                Is.EqualTo(await _bench.Database.ScalarAsync<string>(
                    "SELECT string_agg((SELECT count(*) FROM decisions WHERE revision = 1 AND least(floor(score / 5), 19) = band)::text, ',' ORDER BY band) FROM generate_series(0, 19) AS band")));
            Assert.That(overview.Reasons.Single(reason => reason.Code == "MARKED_REVIEW").Signups, Is.EqualTo(_reviewed.Count + _network.Count + 1));
            Assert.That(overview.Reasons.Single(reason => reason.Code == "MARKED_DENY").Signups, Is.EqualTo(3));
            Assert.That(overview.Reasons.Select(reason => reason.Signups), Is.Ordered.Descending);
            Assert.That(overview.Clusters.Single().Size, Is.EqualTo(_network.Count));
            Assert.That((overview.Judged, overview.FalsePositiveShare), Is.EqualTo((3L, 2 / 3.0)));
            Assert.That((overview.FalsePositiveLow, overview.FalsePositiveHigh), Is.EqualTo((0.207, 0.939)).Using<(double, double)>((one, two) => Math.Abs(one.Item1 - two.Item1) + Math.Abs(one.Item2 - two.Item2) < 0.01));
        }
        var past = await Client.GetOverviewAsync(new GetOverviewRequest { From = Ago(40), Until = Ago(35) });
        Assert.That(past.Points.Sum(point => point.Allowed + point.Changed) + past.Scores.Sum() + past.Reasons.Count + past.Clusters.Count + past.Judged, Is.Zero);
        Assert.That(past.HasFalsePositiveShare, Is.False);
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.GetOverviewAsync(new GetOverviewRequest { From = Ago(93) })), Is.EqualTo("InvalidArgument INVALID_REQUEST"));
    }

    [Test]
    public async Task Signups_are_searched_by_what_an_index_answers_and_by_what_only_their_facts_tell()
    {
        var all = await Client.SearchSignupsAsync(new SearchSignupsRequest { PageSize = 500 });
        var ids = await _bench.Database.ScalarAsync<string[]>("SELECT array_agg(signup_id ORDER BY ordinal DESC) FROM signup_ids");
        Assert.That(all.Signups.Select(signup => signup.SignupId), Is.EqualTo(ids));
        Assert.That((all.NextPageToken, all.Examined), Is.EqualTo(("", (long)ids.Length)));

        foreach (var filter in (string[])["", "email.domain == 'gmail.com'", "decision.verdict != 'allow'", "has(custom.mark) && decision.score >= 0.0"])
        {
            var (paged, token) = (new List<string>(), "");
            do
            {
                var page = await Client.SearchSignupsAsync(new SearchSignupsRequest { Filter = filter, PageSize = 4, PageToken = token });
                paged.AddRange(page.Signups.Select(signup => signup.SignupId));
                token = page.NextPageToken;
            }
            while (token.Length > 0);
            var whole = await Client.SearchSignupsAsync(new SearchSignupsRequest { Filter = filter, PageSize = 500 });
            Assert.That(paged, Is.EqualTo(whole.Signups.Select(signup => signup.SignupId)).And.Not.Empty, filter);
        }
        var members = await Client.SearchSignupsAsync(new SearchSignupsRequest { Filter = $"cluster.id == {await ClusterAsync()}" });
        Assert.That(members.Signups.Select(signup => signup.SignupId), Is.EqualTo(_network.Select(member => member.SignupId).Reverse()));
        Assert.That(members.Examined, Is.EqualTo(_network.Count));
        var marked = await Client.SearchSignupsAsync(new SearchSignupsRequest { Filter = "custom.mark == 'deny'", PageSize = 500 });
        Assert.That(marked.Signups, Has.Count.EqualTo(3));
        var honest = await Client.SearchSignupsAsync(new SearchSignupsRequest { Filter = "signup.label == 'good'" });
        Assert.That(honest.Signups.Select(signup => (signup.SignupId, signup.Label)), Is.EquivalentTo(new[] { (_reviewed[0].SignupId, AccountLabel.Good), (_reviewed[2].SignupId, AccountLabel.Good) }));
        var scored = await Client.SearchSignupsAsync(new SearchSignupsRequest { Order = SignupOrder.Score, PageSize = 500 });
        Assert.That(scored.Signups.Select(signup => signup.Score), Is.Ordered.Descending);
        Assert.That(scored.Signups.Select(signup => signup.CaseId), Has.All.Not.Empty);
        Assert.That((await Client.SearchSignupsAsync(new SearchSignupsRequest { Until = Ago(1) })).Signups, Is.Empty);
        Assert.That((await Client.ListCasesAsync(new ListCasesRequest { Filter = "email.domain == 'gmail.com' && case.priority < 101", PageSize = 500 })).Cases, Is.Not.Empty);
        Assert.That((await Client.ListCasesAsync(new ListCasesRequest { Filter = "email.domain == 'elsewhere.example'" })) is { Cases.Count: 0, NextPageToken: "" });

        var (_, reason, violations) = await Policies.TestAdmin.RefusedAsync(async () => await Client.SearchSignupsAsync(new SearchSignupsRequest { Filter = "decision.scor > 1" }));
        Assert.That((reason, violations!.FieldViolations.Single().Field, violations.FieldViolations.Single().Reason), Is.EqualTo(("INVALID_REQUEST", "filter", "INVALID_EXPRESSION")));
        Assert.That(violations.FieldViolations.Single().Description, Does.StartWith("1:1: ").And.Contain("did you mean `decision.score`"));
    }

    [Test]
    public async Task A_filter_that_only_facts_answer_is_asked_of_so_many_and_then_says_where_to_go_on()
    {
        const int First = 1_000_000;
        await _bench.Database.ExecuteAsync(ManyCases.Sql(count: ReviewFilter.RowsExaminedMax + 300, states: "1", from: First));
        try
        {
            var request = new ListCasesRequest
            {
                Filter = "email.domain == 'gmail.com'",
                Order = CaseOrder.Oldest,
                PageSize = 500,
            };
            // The many are older, and of none is anything known.
            var nothing = await Client.ListCasesAsync(request);
            Assert.That(nothing.Cases, Is.Empty);
            Assert.That(nothing.NextPageToken, Is.Not.Empty);
            request.PageToken = nothing.NextPageToken;
            var rest = await Client.ListCasesAsync(request);
            Assert.That(rest.Cases.Select(found => found.CaseId), Does.Contain(_reviewed[3].CaseId).And.Not.Contain(""));
            Assert.That(rest.NextPageToken, Is.Empty);

            // An export asks on by itself, and ends when its caller does.
            var whole = await TextAsync(Client.ExportCases(new ExportCasesRequest { Format = ExportFormat.Csv, Filter = request.Filter }), piece => piece.Data);
            Assert.That(whole.Count(letter => letter == '\n'), Is.EqualTo(1 + rest.Cases.Count));
            using var cancelled = new CancellationTokenSource();
            using var export = Client.ExportCases(new ExportCasesRequest { Format = ExportFormat.Csv }, cancellationToken: cancelled.Token);
            Assert.That(await export.ResponseStream.MoveNext(CancellationToken.None));
            await cancelled.CancelAsync();
            var ended = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () =>
            {
                while (await export.ResponseStream.MoveNext(CancellationToken.None))
                {
                }
            });
            Assert.That(ended!.StatusCode, Is.EqualTo(Grpc.Core.StatusCode.Cancelled));
        }
        finally
        {
            await _bench.Database.ExecuteAsync($"DELETE FROM case_signups WHERE ordinal >= {First}; DELETE FROM cases WHERE ordinal >= {First}");
        }
    }

    [Test]
    public async Task Exports_hold_all_that_a_filter_finds_and_no_cell_is_a_formula()
    {
        var csv = await TextAsync(Client.ExportSignups(new ExportSignupsRequest { Format = ExportFormat.Csv }), piece => piece.Data);
        var lines = csv.TrimEnd().Split("\r\n");
        Assert.That(lines[0], Does.StartWith("signup_id,recorded_at,verdict,score,reason_codes,"));
        Assert.That(lines, Has.Length.EqualTo(1 + await _bench.Database.ScalarAsync<long>("SELECT count(*) FROM signup_ids")));
        Assert.That(lines[^1], Does.StartWith("\"'=HYPERLINK(\"\"http://example.com\"\")\",").And.EndWith(",\"a,\"\"b\"\"\""));
        Assert.That(lines.Skip(1), Has.None.Matches<string>(line => line!.Split(',').Any(cell => cell.Length > 0 && "=+-@".Contains(cell[0], StringComparison.Ordinal))));

        var json = await TextAsync(Client.ExportCases(new ExportCasesRequest { Format = ExportFormat.JsonLines, States = { CaseState.Resolved }, Filter = "case.resolved_by == 'lin'" }), piece => piece.Data);
        var cases = json.TrimEnd().Split('\n').Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement).ToList();
        Assert.That(cases.Select(one => one.GetProperty("case_id").GetString()), Is.EquivalentTo(new[] { _reviewed[0].CaseId, _reviewed[1].CaseId }));
        Assert.That(cases[0].GetProperty("signups").GetInt64(), Is.EqualTo(1));
        Assert.That(cases[0].GetProperty("reason_codes").EnumerateArray().Select(code => code.GetString()), Does.Contain("MARKED_REVIEW"));
        // Missing is left out.
        Assert.That(cases[0].TryGetProperty("cluster_id", out _), Is.False);
        var none = await TextAsync(Client.ExportCases(new ExportCasesRequest { Format = ExportFormat.Csv, Filter = "case.priority > 100" }), piece => piece.Data);
        Assert.That(none, Does.StartWith("case_id,").And.EndWith("\r\n"));
        Assert.That(none.Count(letter => letter == '\n'), Is.EqualTo(1));
        Assert.That(
            await ReviewBench.RefusedAsync(async () => await TextAsync(Client.ExportCases(new ExportCasesRequest()), piece => piece.Data)),
            Is.EqualTo("InvalidArgument INVALID_REQUEST"));
    }

    [Test]
    public async Task Exemptions_are_listed_newest_first_and_those_that_ended_when_asked()
    {
        await _bench.Database.ExecuteAsync(
            """
            INSERT INTO key_exemptions (tenant, key, reason, author, created_at, expires_at, ended_at, ended_by)
            SELECT 'default', CASE WHEN n = 3 THEN (SELECT key FROM cluster_ties ORDER BY key LIMIT 1) ELSE gen_random_uuid() END, 'office ' || n, 'lin', now(), now() + interval '1 year',
                   CASE WHEN n = 2 THEN now() END, CASE WHEN n = 2 THEN 'max' END
            FROM generate_series(1, 3) AS n ORDER BY n
            """);
        var page = await Client.ListExemptionsAsync(new ListExemptionsRequest { PageSize = 1 });
        Assert.That(page.Exemptions.Single() is { Reason: "office 3", Author: "lin", EndedAt: null, KeyKind.Length: > 0, KeyRef.Length: 12 });
        var rest = await Client.ListExemptionsAsync(new ListExemptionsRequest { PageToken = page.NextPageToken });
        // A key that was forgotten has no kind any more.
        Assert.That((rest.Exemptions.Single().Reason, rest.Exemptions.Single().KeyKind, rest.NextPageToken), Is.EqualTo(("office 1", "", "")));
        var all = await Client.ListExemptionsAsync(new ListExemptionsRequest { Ended = true });
        Assert.That(all.Exemptions.Select(exemption => exemption.Reason), Is.EqualTo(new[] { "office 3", "office 2", "office 1" }));
        Assert.That(all.Exemptions[1] is { EndedBy: "max", EndedAt: not null });
        await _bench.Database.ExecuteAsync("DELETE FROM key_exemptions");
    }

    private async Task ResolveAsync(Flagged flagged, string actor, Resolution resolution) =>
        await Client.ResolveCaseAsync(new ResolveCaseRequest { CaseId = flagged.CaseId, Resolution = resolution, Reason = "SEEN" }, ReviewBench.As(actor));

    private async Task<long> ClusterAsync() => (await Client.GetCaseAsync(new GetCaseRequest { SignupId = _network[0].SignupId })).Case.ClusterId;

    private static Timestamp Ago(int days) => Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.AddDays(-days));

    private static async Task<string> TextAsync<T>(Grpc.Core.AsyncServerStreamingCall<T> call, Func<T, Google.Protobuf.ByteString> data)
    {
        using (call)
        {
            using var all = new MemoryStream();
            while (await call.ResponseStream.MoveNext(CancellationToken.None)) data(call.ResponseStream.Current).WriteTo(all);
            return System.Text.Encoding.UTF8.GetString(all.ToArray());
        }
    }
}
