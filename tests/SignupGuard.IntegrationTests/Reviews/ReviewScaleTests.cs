using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using SignupGuard.Core.Reviews;
using SignupGuard.IntegrationTests.Clusters;
using SignupGuard.Storage.Reviews;
using SignupGuard.V1;
using CaseOrder = SignupGuard.Storage.Reviews.CaseOrder;
using CaseState = SignupGuard.Storage.Reviews.CaseState;
using SignupOrder = SignupGuard.Storage.Reviews.SignupOrder;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>
/// The figures of docs/benchmarks.md: what pages take at the database, and calls at their caller, with a million signups and a hundred thousand open cases.
/// Measures and asserts no time; runs only when it is named: dotnet test tests/SignupGuard.IntegrationTests -c Release --filter ReviewScaleTests
/// </summary>
[Explicit]
public sealed partial class ReviewScaleTests
{
    private const string Tenant = "default";
    private const int Signups = 1_000_000;
    private const int Runs = 11;

    [Test]
    public async Task Pages_and_calls_with_a_million_signups()
    {
        await using var bench = await ReviewBench.StartAsync();
        var network = await bench.FlagAsync(Enumerable.Range(0, 2_000).Select(_ => ReviewBench.Marked("review", card: "card-x", device: "device-x")));
        var single = await bench.FlagAsync();
        await using (var connection = await bench.Database.Source.OpenConnectionAsync())
        {
            foreach (var sql in (string[])["SET statement_timeout = 0", ManyCases.Scale(Signups), "VACUUM ANALYZE signup_ids", "VACUUM ANALYZE signups", "VACUUM ANALYZE decisions", "VACUUM ANALYZE cases", "VACUUM ANALYZE case_signups"])
            {
                await using var command = connection.CreateCommand();
                (command.CommandText, command.CommandTimeout) = (sql, 0);
                await command.ExecuteNonQueryAsync();
            }
        }
        TestContext.Out.WriteLine(await bench.Database.ScalarAsync<string>("SELECT format('%s signups, %s open cases', (SELECT count(*) FROM signup_ids), (SELECT count(*) FROM cases WHERE state = 1 AND merged_into IS NULL))"));

        var search = new CaseSearch(bench.Database.Source, TimeProvider.System);
        foreach (var (order, filter) in new (CaseOrder, string)[]
        {
            (CaseOrder.Queue, ""), (CaseOrder.Newest, ""), (CaseOrder.Score, ""), (CaseOrder.Size, ""), (CaseOrder.Queue, "decision.score > 90"), (CaseOrder.Oldest, "'VPN' in decision.reasons"), (CaseOrder.Queue, "case.priority > 100"),
        })
        {
            var query = new CaseQuery
            {
                States = [CaseState.Open, CaseState.Escalated],
                Order = order,
                Condition = Index(filter),
            };
            await PlannedAsync(bench, $"queue {order} {filter}", parameters => CaseSearch.FindSql(parameters, Tenant, query, null, 51, DateTimeOffset.UtcNow).Sql);
            if (filter.Length > 0) continue;
            var deep = await search.FindAsync(Tenant, query, null, 500, CancellationToken.None);
            for (var page = 0; page < 40; page++) deep = await search.FindAsync(Tenant, query, deep.Reached, 500, CancellationToken.None);
            await PlannedAsync(bench, $"queue {order}, after 20,500", parameters => CaseSearch.FindSql(parameters, Tenant, query, deep.Reached, 51, DateTimeOffset.UtcNow).Sql);
        }
        await PlannedAsync(bench, "counts", parameters => CaseSearch.CountSql(parameters, Tenant, new IndexCondition.All([]), "lin", DateTimeOffset.UtcNow));
        foreach (var (order, filter) in new (SignupOrder, string)[] { (SignupOrder.Newest, ""), (SignupOrder.Score, ""), (SignupOrder.Newest, "decision.verdict == 'deny'"), (SignupOrder.Newest, "decision.score > 99.95") })
        {
            var query = new SignupQuery
            {
                Order = order,
                Condition = Index(filter),
            };
            await PlannedAsync(bench, $"signups {order} {filter}", parameters => SignupSearch.FindSql(parameters, Tenant, query, (0, long.MaxValue), null, 51));
        }

        var client = bench.Client;
        await CalledAsync("ListCases", async () => await client.ListCasesAsync(new ListCasesRequest()));
        await CalledAsync("ListCases, filter on facts of each case, none found", async () => await client.ListCasesAsync(new ListCasesRequest { Filter = "email.domain == 'none.example'" }));
        await CalledAsync("CountCases", async () => await client.CountCasesAsync(new CountCasesRequest()));
        await CalledAsync("GetCase, of one account", async () => await client.GetCaseAsync(new GetCaseRequest { CaseId = single.CaseId }));
        await CalledAsync("GetCase, of the network", async () => await client.GetCaseAsync(new GetCaseRequest { SignupId = network[^1].SignupId }));
        var id = (await client.GetCaseAsync(new GetCaseRequest { SignupId = network[^1].SignupId })).Case.ClusterId;
        await CalledAsync("GetCluster, 2,000 members", async () => await client.GetClusterAsync(new GetClusterRequest { ClusterId = id }));
        await CalledAsync("SearchSignups", async () => await client.SearchSignupsAsync(new SearchSignupsRequest()));
        await CalledAsync("SearchSignups, filter on facts of each", async () => await client.SearchSignupsAsync(new SearchSignupsRequest { Filter = "email.domain == 'none.example'" }));
        await CalledAsync("GetOverview, 92 days", async () => await client.GetOverviewAsync(new GetOverviewRequest { From = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.AddDays(-91)) }));
        await CalledAsync("ReviewStats", async () => await client.ReviewStatsAsync(new ReviewStatsRequest()));
        Assert.That(await bench.Database.ScalarAsync<long>("SELECT count(*) FROM signup_ids"), Is.GreaterThan(Signups));
    }

    private static IndexCondition Index(string filter) => ReviewFilter.Read(filter, FilterFields.For(ClusterBench.Policy.Linkage.Rules)).Filter!.Index;

    private static async Task PlannedAsync(ReviewBench bench, string what, Func<SqlParameters, string> sql)
    {
        var times = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            var parameters = new SqlParameters();
            await using var command = parameters.Command(bench.Database.Source, "EXPLAIN (ANALYZE, TIMING OFF) " + sql(parameters));
            await using var reader = await command.ExecuteReaderAsync();
            var time = 0.0;
            while (await reader.ReadAsync())
            {
                if (Times().Match(reader.GetString(0)) is { Success: true } match) time += double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            }
            times.Add(time);
        }
        Tell("database", what, times);
    }

    private static async Task CalledAsync(string what, Func<Task> call)
    {
        var times = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            var watch = Stopwatch.StartNew();
            await call();
            times.Add(watch.Elapsed.TotalMilliseconds);
        }
        Tell("call", what, times);
    }

    private static void Tell(string where, string what, List<double> times)
    {
        var sorted = times.Order().ToList();
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {where} | {what} | {sorted[0]:0.0} | {sorted[sorted.Count / 2]:0.0} | {sorted[^1]:0.0} |"));
    }

    [GeneratedRegex(@"^(?:Planning|Execution) Time: ([\d.]+) ms")]
    private static partial Regex Times();
}
