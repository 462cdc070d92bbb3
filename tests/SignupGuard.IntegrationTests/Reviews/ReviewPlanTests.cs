using System.Globalization;
using System.Text.RegularExpressions;
using SignupGuard.Core.Reviews;
using SignupGuard.IntegrationTests.Clusters;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>What PostgreSQL reads for a page, by its own account of running the statement: indexes, and few rows.</summary>
public sealed partial class ReviewPlanTests
{
    private const string Tenant = "default";
    private const int PageSize = 50;

    /// <summary>Rows of the largest step of a page's plan: some pages of some branches, and nothing of the size of the table.</summary>
    private const long RowsMax = 20 * PageSize;

    private TestDatabase _database = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        await _database.ExecuteAsync(ManyCases.Sql(count: 40_000));
        await _database.ExecuteAsync("VACUUM ANALYZE cases");
        await _database.ExecuteAsync("VACUUM ANALYZE case_signups");
    }

    [OneTimeTearDown]
    public async Task Stop() => await _database.DisposeAsync();

    [Test]
    public async Task A_page_of_a_queue_reads_an_index_of_each_state_and_as_many_rows_as_it_gives()
    {
        var search = new CaseSearch(_database.Source, TimeProvider.System);
        foreach (var order in Enum.GetValues<CaseOrder>())
        {
            foreach (var filter in (string[])["", "decision.verdict == 'deny'", "'VPN' in decision.reasons && case.priority > 20", "signup.recorded_at > timestamp('2026-01-01T00:00:30Z')"])
            {
                var query = new CaseQuery
                {
                    States = [CaseState.Open, CaseState.Escalated],
                    Order = order,
                    Condition = Read(filter),
                };
                var first = await search.FindAsync(Tenant, query, null, PageSize, CancellationToken.None);
                Assert.That(first.Cases, Has.Count.EqualTo(PageSize));
                foreach (var after in new[] { null, first.Reached })
                {
                    // A state that has none that fulfil a condition is read as far as one call may.
                    await ReadsIndexesAsync(
                        parameters => CaseSearch.FindSql(parameters, Tenant, query, after, PageSize + 1, DateTimeOffset.UtcNow).Sql,
                        $"{order} {filter} {after is null}",
                        filter.Length == 0 ? RowsMax : CaseSearch.ScannedMax / 2);
                }
            }
        }
    }

    [Test]
    public async Task What_names_a_case_a_network_or_a_reviewer_leads_there_at_once()
    {
        await _database.ExecuteAsync("UPDATE cases SET claimed_by = 'lin', claimed_until = now() + interval '1 hour' WHERE ordinal IN (7, 19)");
        foreach (var (filter, holder, rows) in new (string, string?, long)[] { ("signup.id == 's77'", null, 5), ("cluster.id in [20, 25]", null, 5), ("cluster.id == 20 && decision.verdict == 'deny'", null, 5), ("", "lin", 10) })
        {
            var query = new CaseQuery
            {
                States = Enum.GetValues<CaseState>(),
                Order = CaseOrder.Queue,
                ClaimedBy = holder,
                Condition = Read(filter),
            };
            await ReadsIndexesAsync(parameters => CaseSearch.FindSql(parameters, Tenant, query, null, PageSize, DateTimeOffset.UtcNow).Sql, $"{filter} {holder}", rows);
        }
    }

    [Test]
    public async Task Counting_a_queue_reads_indexes_alone() =>
        await ReadsIndexesAsync(parameters => CaseSearch.CountSql(parameters, Tenant, new IndexCondition.All([]), "lin", DateTimeOffset.UtcNow), "counts", rowsMax: CaseSearch.CountedMax);

    [Test]
    public async Task A_page_of_signups_reads_as_many_as_it_gives_and_those_of_a_network_alone()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await database.ExecuteAsync(ManyCases.Signups(count: 20_000));
        foreach (var (filter, order) in new (string, SignupOrder)[]
        {
            ("", SignupOrder.Newest), ("", SignupOrder.Oldest), ("", SignupOrder.Score), ("decision.verdict == 'deny'", SignupOrder.Newest), ("case.state == 'denied'", SignupOrder.Score),
            ("decision.score > 10", SignupOrder.Newest), ("cluster.id == 1", SignupOrder.Newest), ("signup.id in ['s5', 's19000']", SignupOrder.Newest),
        })
        {
            var query = new SignupQuery
            {
                Order = order,
                Condition = Read(filter),
            };
            await ReadsIndexesAsync(database, parameters => SignupSearch.FindSql(parameters, Tenant, query, (0, long.MaxValue), null, PageSize + 1), $"{filter} {order}", RowsMax);
            await ReadsIndexesAsync(database, parameters => SignupSearch.FindSql(parameters, Tenant, query, (0, 10_000), new SignupPosition(9_000, 50), PageSize + 1), $"{filter} {order} later", RowsMax);
        }
    }

    private Task ReadsIndexesAsync(Func<SqlParameters, string> sql, string what, long rowsMax = RowsMax) => ReadsIndexesAsync(_database, sql, what, rowsMax);

    private static async Task ReadsIndexesAsync(TestDatabase database, Func<SqlParameters, string> sql, string what, long rowsMax)
    {
        var parameters = new SqlParameters();
        await using var command = parameters.Command(database.Source, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + sql(parameters));
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        // Partitions of other months are in the plan, and not read.
        while (await reader.ReadAsync())
        {
            if (!reader.GetString(0).Contains("(never executed)", StringComparison.Ordinal)) lines.Add(reader.GetString(0));
        }
        var plan = string.Join('\n', lines);
        Assert.That(plan, Does.Not.Contain("Seq Scan"), $"{what}\n{plan}");
        Assert.That(plan, Does.Contain("Index"));
        var rows = Rows().Matches(plan).Max(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
        Assert.That(rows, Is.LessThanOrEqualTo(rowsMax), $"{what}\n{plan}");
    }

    private static IndexCondition Read(string filter) => ReviewFilter.Read(filter, FilterFields.For(ClusterBench.Policy.Linkage.Rules)).Filter!.Index;

    [GeneratedRegex(@"actual rows=([\d.]+) loops=(\d+)")]
    private static partial Regex Rows();
}
