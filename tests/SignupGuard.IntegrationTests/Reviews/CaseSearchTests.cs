using CsCheck;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Reviews;
using SignupGuard.IntegrationTests.Clusters;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>Cases found by the database against all of them searched in memory.</summary>
public sealed class CaseSearchTests
{
    private const string Tenant = "default";

    private TestDatabase _database = null!;
    private CaseSearch _search = null!;
    private List<StoredCase> _all = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        await _database.ExecuteAsync(ManyCases.Sql(count: 1_500));
        _search = new CaseSearch(_database.Source, TimeProvider.System);
        _all = [];
        await using var command = _database.Source.CreateCommand($"SELECT {CaseRow.Columns} FROM cases c WHERE merged_into IS NULL");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) _all.Add(CaseRow.Read(reader, 0));
    }

    [OneTimeTearDown]
    public async Task Stop() => await _database.DisposeAsync();

    [Test]
    public async Task Pages_of_every_order_and_state_are_all_cases_once_and_in_order()
    {
        foreach (var order in Enum.GetValues<CaseOrder>())
        {
            foreach (var (states, size) in new (CaseState[], int)[] { ([CaseState.Open], 37), ([CaseState.Open, CaseState.Escalated], 50), (Enum.GetValues<CaseState>(), 211) })
            {
                var query = new CaseQuery
                {
                    States = states,
                    Order = order,
                };
                var (found, largest) = await PagesAsync(query, size);
                Assert.That(found.Select(one => one.Id), Is.EqualTo(Ordered(order, _all.Where(one => states.Contains(one.State))).Select(one => one.Id)), $"{order} {string.Join(',', states)}");
                Assert.That(largest, Is.EqualTo(size));
            }
        }
    }

    [Test]
    public async Task What_the_database_finds_by_a_filter_is_what_the_filter_matches()
    {
        var environment = FilterFields.For(DefaultPolicyLinkage());
        var cluster = _all.First(one => one.Cluster is not null).Cluster;
        var signup = _all[7].SignupId;
        var exact = new[]
        {
            "case.priority > 60", "case.priority >= 60 && case.priority < 62", "!(case.priority > 60)", "decision.score > 50", "decision.score <= 49.5 || case.signups > 3",
            "decision.verdict == 'deny'", "decision.verdict != 'deny'", "decision.verdict == 'nonsense'", "decision.verdict != 'nonsense'", "decision.verdict in ['deny', 'nonsense']",
            "!(decision.verdict in ['deny'])", "'SHARED_DEVICE' in decision.reasons", "!('SHARED_DEVICE' in decision.reasons)", "'watch' in decision.labels && 'SHARED_CARD' in decision.reasons",
            "case.appealed", "!case.appealed", "case.resolution == 'allow'", "case.resolution != 'allow'", "!(case.resolution == 'allow')", "case.resolved_by == 'lin'", "!(case.resolved_by in ['lin'])",
            "case.resolved_by in []", "!(case.resolved_by in [])", "case.state == 'escalated' || case.state == 'resolved'", $"cluster.id == {cluster}", $"cluster.id in [{cluster}, 5, 6]", $"cluster.id != {cluster}",
            $"signup.id == '{signup}'", $"signup.id in ['{signup}', 'nobody']", "signup.id == 'it''s; DROP TABLE cases --'".Replace("''", "\\'", StringComparison.Ordinal),
            "case.opened_at < timestamp('2026-01-01T00:10:00Z')", "signup.recorded_at >= timestamp('2026-01-01T00:10:00Z')", "case.resolved_at > timestamp('2026-01-02T00:00:00Z')",
            "signup.recorded_at > timestamp('0001-01-01T00:00:00Z') && signup.recorded_at < timestamp('9999-12-31T23:59:59Z')", "60 < case.priority", "true || case.priority > 1",
        };
        foreach (var source in exact)
        {
            var (filter, issues) = ReviewFilter.Read(source, environment);
            Assert.That(issues, Is.Empty, source);
            var query = new CaseQuery
            {
                States = Enum.GetValues<CaseState>(),
                Order = CaseOrder.Oldest,
                Condition = filter!.Index,
            };
            var found = (await PagesAsync(query, 173)).Found.Select(one => one.Id);
            var expected = Ordered(CaseOrder.Oldest, _all.Where(one => filter.Matches(Row(one)))).Select(one => one.Id).ToList();
            // What the index answers alone is exactly what matches; what it leaves open it does not lose.
            if (filter.IsExact) Assert.That(found, Is.EqualTo(expected), source);
            else Assert.That(expected, Is.SubsetOf(found), source);
            Assert.That(filter.IsExact, Is.EqualTo(source is not "true || case.priority > 1"), source);
        }
    }

    [Test]
    public async Task Filters_put_together_at_random_find_what_they_match()
    {
        var environment = FilterFields.For(DefaultPolicyLinkage());
        await Generated.SampleAsync(
            async source =>
            {
                var (filter, issues) = ReviewFilter.Read(source, environment);
                Assert.That(issues, Is.Empty, source);
                var query = new CaseQuery
                {
                    States = Enum.GetValues<CaseState>(),
                    Order = CaseOrder.Queue,
                    Condition = filter!.Index,
                };
                var found = (await PagesAsync(query, 500)).Found.Select(one => one.Id).ToHashSet();
                var expected = _all.Where(one => filter.Matches(Row(one))).Select(one => one.Id).ToHashSet();
                Assert.That(filter.IsExact ? found.SetEquals(expected) : expected.IsSubsetOf(found), source);
            },
            iter: 60,
            threads: 1);
    }

    [Test]
    public async Task A_call_reads_so_many_cases_and_says_where_to_go_on()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await database.ExecuteAsync(ManyCases.Sql(count: CaseSearch.ScannedMax + 1_000, states: "1"));
        var search = new CaseSearch(database.Source, TimeProvider.System);
        // Only the last in the order fulfils it.
        var last = await database.ScalarAsync<string>("SELECT signup_id FROM cases WHERE merged_into IS NULL ORDER BY opened_at DESC, id DESC LIMIT 1");
        var (filter, _) = ReviewFilter.Read($"signup.id == '{last}' || case.priority > 100", FilterFields.For(DefaultPolicyLinkage()));
        var query = new CaseQuery
        {
            States = [CaseState.Open],
            Order = CaseOrder.Oldest,
            Condition = filter!.Index,
        };
        var first = await search.FindAsync(Tenant, query, null, 50, CancellationToken.None);
        Assert.That(first.Cases, Is.Empty);
        Assert.That(first.Scanned, Is.EqualTo(CaseSearch.ScannedMax));
        var second = await search.FindAsync(Tenant, query, first.Reached, 50, CancellationToken.None);
        Assert.That(second.Cases.Single().SignupId, Is.EqualTo(last));
        Assert.That(second.Reached, Is.Null);
    }

    internal static readonly Gen<string> Generated = Condition(depth: 3);

    private static Gen<string> Condition(int depth)
    {
        string[] leaves =
        [
            "case.priority > 40", "case.priority == 60", "case.signups <= 2", "decision.score > 33.3", "decision.verdict == 'review'", "decision.verdict != 'deny'", "decision.verdict in ['deny', 'allow']",
            "case.state == 'open'", "case.appealed", "case.resolution == 'deny'", "case.resolution != 'deny'", "case.resolved_by == 'max'", "'SHARED_CARD' in decision.reasons", "'watch' in decision.labels",
            "cluster.id > 20", "cluster.id in [3, 5, 7]", "case.resolved_at > timestamp('2026-01-02T00:00:00Z')", "signup.recorded_at < timestamp('2026-01-01T00:20:00Z')", "ip.country == 'DE'", "email.length > 3",
            "case.priority + 1 > 40", "size(decision.reasons) > 1",
        ];
        var leaf = Gen.Int[0, leaves.Length - 1].Select(index => leaves[index]);
        if (depth == 0) return leaf;
        var part = Condition(depth - 1);
        return Gen.Frequency(
            (2, leaf),
            (2, Gen.Select(part, part, (one, two) => $"({one} && {two})")),
            (2, Gen.Select(part, part, (one, two) => $"({one} || {two})")),
            (1, part.Select(one => $"!({one})")));
    }

    private async Task<(List<StoredCase> Found, int Largest)> PagesAsync(CaseQuery query, int size)
    {
        var (found, largest) = (new List<StoredCase>(), 0);
        for (CasePosition? after = null; ;)
        {
            var chunk = await _search.FindAsync(Tenant, query, after, size, CancellationToken.None);
            found.AddRange(chunk.Cases);
            largest = Math.Max(largest, chunk.Cases.Count);
            if (chunk.Reached is null) return (found, largest);
            after = chunk.Reached;
        }
    }

    private static IEnumerable<StoredCase> Ordered(CaseOrder order, IEnumerable<StoredCase> cases)
    {
        // As PostgreSQL orders uuids: by their bytes in the order they are written.
        var byAge = cases.OrderBy(one => one.OpenedAt).ThenBy(one => one.Id.ToString(), StringComparer.Ordinal).ToList();
        if (order == CaseOrder.Newest) byAge.Reverse();
        return order switch
        {
            CaseOrder.Queue => byAge.OrderByDescending(one => one.Appealed).ThenByDescending(one => one.Priority),
            CaseOrder.Score => byAge.OrderByDescending(one => one.Score),
            CaseOrder.Size => byAge.OrderByDescending(one => one.Signups),
            _ => byAge,
        };
    }

    /// <summary>As the service makes it, of a case whose signup's facts are gone.</summary>
    private static ReviewRow Row(StoredCase stored) => new()
    {
        SignupId = stored.SignupId,
        RecordedAt = stored.OpenedAt,
        Verdict = stored.Verdict,
        Score = stored.Score,
        ReasonCodes = stored.ReasonCodes,
        Labels = stored.Labels,
        ClusterId = stored.Cluster,
        Case = new ReviewCase
        {
            State = stored.State.ToString().ToLowerInvariant(),
            OpenedAt = stored.OpenedAt,
            Priority = stored.Priority,
            Signups = stored.Signups,
            Appealed = stored.Appealed,
            Resolution = stored.Resolution?.ToString().ToLowerInvariant(),
            ResolvedBy = stored.ResolvedBy,
            ResolvedAt = stored.ResolvedAt,
        },
    };

    private static IReadOnlyList<Core.Linkage.LinkageRule> DefaultPolicyLinkage() => ClusterBench.Policy.Linkage.Rules;
}
