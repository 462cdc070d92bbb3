using Grpc.Core;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>All that changes cases, at once, on two hosts: nothing fails but by the contract's refusals, and in the end cases say what there is.</summary>
public sealed class AtOnceTests
{
    private const int Signups = 160;
    private const int Networks = 6;

    private static readonly string[] Refusals =
        ["CASE_CHANGED", "CASE_CLAIMED", "CASE_NOT_CLAIMED", "CASE_STATE", "CASE_UNKNOWN", "CLUSTER_CHANGED", "CLUSTER_UNKNOWN", "SIGNUP_UNKNOWN"];

    [Test]
    public async Task Signups_reviewers_applicants_outcomes_and_workers_on_two_hosts_neither_fail_nor_disagree()
    {
        await using var bench = await ReviewBench.StartAsync();
        await using var other = await TestService.StartAsync(bench.Database);
        ReviewService.ReviewServiceClient[] clients = [bench.Client, new ReviewService.ReviewServiceClient(other.Channel)];
        var screened = new List<Decision>();
        var done = 0;
        await Task.WhenAll([ScreenAsync(), .. Enumerable.Range(0, 6).Select(ReviewAsync), .. Enumerable.Range(6, 2).Select(DecideNetworksAsync), AppealAsync()]);
        await bench.SettleAsync();

        await NoneAsync("every flagged account is in a case", "SELECT d.ordinal FROM decisions d LEFT JOIN case_signups s USING (tenant, ordinal) WHERE d.verdict > 1 AND s.case_id IS NULL");
        await NoneAsync("that is no folded one", "SELECT s.ordinal FROM case_signups s JOIN cases c ON c.id = s.case_id WHERE c.merged_into IS NOT NULL");
        await NoneAsync("and of the network it is in", "SELECT s.ordinal FROM case_signups s JOIN cases c ON c.id = s.case_id LEFT JOIN cluster_members m ON m.ordinal = s.ordinal WHERE m.cluster IS DISTINCT FROM c.cluster");
        await NoneAsync("by the decision in force", "SELECT s.ordinal FROM case_signups s JOIN LATERAL (SELECT * FROM decisions d WHERE d.ordinal = s.ordinal ORDER BY revision DESC LIMIT 1) d ON true WHERE (d.revision, d.verdict) IS DISTINCT FROM (s.revision, s.verdict)");
        await NoneAsync("a folded case leads to one that is not", "SELECT c.id FROM cases c LEFT JOIN cases t ON t.id = c.merged_into WHERE c.merged_into IS NOT NULL AND (t.id IS NULL OR t.merged_into IS NOT NULL)");
        await NoneAsync(
            "a case says what its accounts say",
            """
            SELECT c.id FROM cases c JOIN LATERAL (
                SELECT count(*) AS signups, max(s.verdict) AS verdict, max(s.score) AS score, bool_or(s.decided = 0 AND s.verdict = 2) AS waiting, bool_and(s.decided <> 0) AS decided,
                       EXISTS (SELECT FROM appeals a WHERE a.case_id = c.id AND a.closed_at IS NULL) AS appealed
                FROM case_signups s WHERE s.case_id = c.id) m ON true
            WHERE c.merged_into IS NULL AND (
                (c.signups, c.verdict, c.score, c.appealed) IS DISTINCT FROM (m.signups, m.verdict, m.score, m.appealed)
                OR CASE WHEN m.waiting OR m.appealed THEN c.state NOT IN (1, 2) WHEN m.decided THEN c.state <> 3 ELSE c.state <> 4 END
                OR (c.state IN (3, 4) AND c.claimed_by IS NOT NULL))
            """);
        await NoneAsync(
            "whom people judged, nothing automatic decided otherwise",
            "SELECT l.ordinal FROM labels l JOIN LATERAL (SELECT * FROM decisions d WHERE d.ordinal = l.ordinal ORDER BY revision DESC LIMIT 1) d ON true WHERE l.label <> 0 AND d.verdict <> CASE l.label WHEN 2 THEN 1 ELSE 3 END");
        await NoneAsync(
            "networks count their members",
            """
            SELECT c.id FROM clusters c JOIN LATERAL (
                SELECT count(*) AS size, count(*) FILTER (WHERE d.verdict = 3) AS denied, count(*) FILTER (WHERE l.label = 1) AS bad, count(*) FILTER (WHERE l.label = 2) AS good
                FROM cluster_members m LEFT JOIN labels l ON l.ordinal = m.ordinal
                JOIN LATERAL (SELECT verdict FROM decisions d WHERE d.ordinal = m.ordinal ORDER BY revision DESC LIMIT 1) d ON true WHERE m.cluster = c.id) m ON true
            WHERE (c.size, c.denied, c.confirmed_bad, c.confirmed_good) IS DISTINCT FROM (m.size, m.denied, m.bad, m.good)
            """);
        Assert.That(await bench.Database.ScalarAsync<long>("SELECT count(*) FROM decisions WHERE cause = 'review'"), Is.GreaterThan(20), "little was reviewed");

        async Task NoneAsync(string what, string sql) =>
            Assert.That(await bench.Database.ScalarAsync<string>($"SELECT coalesce(string_agg(found::text, '; '), '') FROM ({sql} LIMIT 5) found"), Is.Empty, what);

        async Task ScreenAsync()
        {
            for (var i = 0; i < Signups; i++)
            {
                var tied = i % 3 != 0;
                var decision = await (i % 2 == 0 ? bench.Service : other).ScreenAsync(ReviewBench.Marked(
                    i % 5 == 0 ? "review" : i % 11 == 0 ? "deny" : null, tied ? $"card-{i % Networks}" : null, tied ? $"device-{i / 2 % Networks}" : null));
                lock (screened) screened.Add(decision);
                if (i % 13 == 0)
                {
                    await bench.Service.Client.ReportOutcomeAsync(new ReportOutcomeRequest
                    {
                        SignupId = Pick(new Random(i)).SignupId,
                        Kind = i % 2 == 0 ? OutcomeKind.Chargeback : OutcomeKind.FoundLegitimate,
                    });
                }
            }
            Interlocked.Exchange(ref done, 1);
        }

        async Task ReviewAsync(int number)
        {
            var (random, client, me) = (new Random(number), clients[number % 2], ReviewBench.As($"reviewer-{number}"));
            while (Volatile.Read(ref done) == 0)
            {
                var request = new ClaimNextRequest();
                if (random.Next(3) == 0) request.States.Add(CaseState.Escalated);
                if ((await client.ClaimNextAsync(request, me)).Case is not { } claimed)
                {
                    await Task.Delay(10);
                    continue;
                }
                await RefusableAsync(async () =>
                {
                    switch (random.Next(5))
                    {
                        case 0:
                            await client.EscalateCaseAsync(new EscalateCaseRequest { CaseId = claimed.CaseId, Etag = claimed.Etag, Note = "?" }, me);
                            break;
                        case 1:
                            await client.ReleaseCaseAsync(new ReleaseCaseRequest { CaseId = claimed.CaseId }, me);
                            break;
                        default:
                            await client.ResolveCaseAsync(
                                new ResolveCaseRequest
                                {
                                    CaseId = claimed.CaseId,
                                    Etag = claimed.Etag,
                                    Resolution = random.Next(2) == 0 ? Resolution.Allow : Resolution.Deny,
                                    Reason = "AT_ONCE",
                                },
                                me);
                            break;
                    }
                });
            }
        }

        async Task DecideNetworksAsync(int number)
        {
            var (random, client, me) = (new Random(number), clients[number % 2], ReviewBench.As($"reviewer-{number}"));
            while (Volatile.Read(ref done) == 0)
            {
                await Task.Delay(50);
                var clusters = await bench.Database.ScalarAsync<long[]>("SELECT coalesce(array_agg(id), '{}') FROM clusters");
                if (clusters.Length == 0) continue;
                var cluster = clusters[random.Next(clusters.Length)];
                await RefusableAsync(async () =>
                {
                    if (random.Next(4) == 0)
                    {
                        await client.SplitClusterAsync(new SplitClusterRequest { ClusterId = cluster, SignupIds = { Pick(random).SignupId }, Reason = "x" }, me);
                        return;
                    }
                    var resolution = random.Next(2) == 0 ? Resolution.Allow : Resolution.Deny;
                    var preview = await client.PreviewClusterResolutionAsync(new PreviewClusterResolutionRequest { ClusterId = cluster, Resolution = resolution });
                    using var call = client.ResolveCluster(
                        new ResolveClusterRequest
                        {
                            ClusterId = cluster,
                            Etag = preview.Etag,
                            Resolution = resolution,
                            Reason = "AT_ONCE",
                            OverridePeople = random.Next(2) == 0,
                        },
                        me);
                    while (await call.ResponseStream.MoveNext(CancellationToken.None))
                    {
                    }
                });
            }
        }

        async Task AppealAsync()
        {
            var random = new Random(77);
            while (Volatile.Read(ref done) == 0)
            {
                await Task.Delay(40);
                lock (screened)
                {
                    if (screened.Count == 0) continue;
                }
                await RefusableAsync(async () => await bench.Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = Pick(random).OutwardCode, Text = "?" }, ReviewBench.As("support")));
            }
        }

        Decision Pick(Random random)
        {
            lock (screened) return screened[random.Next(screened.Count)];
        }

        static async Task RefusableAsync(Func<Task> call)
        {
            try
            {
                await call();
            }
            catch (RpcException refused)
            {
                Assert.That(refused.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason, Is.AnyOf(Refusals), refused.Status.ToString());
            }
        }
    }
}
