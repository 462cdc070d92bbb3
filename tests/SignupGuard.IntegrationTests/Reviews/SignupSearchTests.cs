using CsCheck;
using SignupGuard.Core.Reviews;
using SignupGuard.IntegrationTests.Clusters;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service.Reviews;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>Signups found by the database against all of them searched in memory.</summary>
public sealed class SignupSearchTests
{
    private const string Tenant = "default";

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private TestDatabase _database = null!;
    private SignupSearch _search = null!;
    private List<FoundSignup> _all = null!;

    [OneTimeSetUp]
    public async Task Begin()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        await _database.ExecuteAsync(ManyCases.Signups(count: 1_200));
        _search = new SignupSearch(_database.Source);
        var ordinals = Enumerable.Range(1, 1_200).Select(number => (long)number).ToArray();
        _all = [.. (await new SignupReader(_database.Source).GetAsync(Tenant, ordinals, CancellationToken.None)).Values.OrderBy(signup => signup.Ordinal)];
        Assert.That(_all, Has.Count.EqualTo(1_200));
    }

    [OneTimeTearDown]
    public async Task End() => await _database.DisposeAsync();

    [Test]
    public async Task Pages_of_every_order_are_all_signups_once_and_in_order()
    {
        var flagged = _all.Where(signup => signup.Case is not null).ToList();
        foreach (var (order, expected) in new (SignupOrder, IEnumerable<FoundSignup>)[]
        {
            (SignupOrder.Newest, Enumerable.Reverse(_all)), (SignupOrder.Oldest, _all),
            (SignupOrder.Score, flagged.OrderByDescending(signup => signup.Score).ThenByDescending(signup => signup.Ordinal)),
        })
            Assert.That((await PagesAsync(new SignupQuery { Order = order }, 77)).Select(signup => signup.Ordinal), Is.EqualTo(expected.Select(signup => signup.Ordinal)), $"{order}");
    }

    [Test]
    public async Task A_time_finds_what_was_recorded_in_it_and_reads_little_else()
    {
        foreach (var (from, until) in new (int?, int?)[] { (100, 200), (null, 3), (1_199, null), (5_000, null), (null, 0), (-50, 50), (300, 300) })
        {
            var query = new SignupQuery
            {
                Order = SignupOrder.Oldest,
                From = from is { } first ? Start.AddMinutes(first * 5) : null,
                Until = until is { } end ? Start.AddMinutes(end * 5) : null,
            };
            var expected = _all.Where(signup => (query.From is not { } start || signup.RecordedAt >= start) && (query.Until is not { } stop || signup.RecordedAt < stop)).Select(signup => signup.Ordinal).ToList();
            Assert.That((await PagesAsync(query, 50)).Select(signup => signup.Ordinal), Is.EqualTo(expected), $"{from} {until}");
            var (first2, before) = await _search.RangeAsync(Tenant, query.From, query.Until, CancellationToken.None);
            // An hour on both sides, for clocks that differ: 12 signups each.
            Assert.That(_all.Count(signup => signup.Ordinal >= first2 && signup.Ordinal < before), Is.LessThanOrEqualTo(expected.Count + 25));
        }
    }

    [Test]
    public async Task What_the_database_finds_by_a_filter_is_what_the_filter_matches()
    {
        var cluster = _all.First(signup => signup.Cluster is not null).Cluster;
        foreach (var source in (string[])
        [
            "decision.verdict == 'deny'", "decision.verdict != 'allow'", "!(decision.verdict in ['review', 'deny'])", "decision.verdict == 'allow' && decision.score > 30", "'SHARED_CARD' in decision.reasons",
            "!('SHARED_CARD' in decision.reasons)", "'watch' in decision.labels", $"cluster.id == {cluster}", $"cluster.id in [{cluster}, 10] && decision.verdict == 'deny'", "signup.id in ['s7', 's5', 'none']",
            "signup.id == 's7' || decision.score > 99", "case.state == 'denied'", "!(case.state == 'denied')", "case.appealed", "!case.appealed || case.priority > 90", "case.resolved_by == 'lin'",
            "case.resolution != 'allow'", "signup.recorded_at < timestamp('2026-01-01T01:00:00Z')", "decision.score >= 20 && decision.score < 30.5",
        ])
        {
            var filter = Read(source);
            Assert.That(filter.IsExact, source);
            var expected = _all.Where(signup => filter.Matches(FilterContext.Row(signup, null))).Select(signup => signup.Ordinal);
            Assert.That((await PagesAsync(Query(filter), 61)).Select(signup => signup.Ordinal), Is.EqualTo(expected), source);
        }
    }

    [Test]
    public async Task Filters_put_together_at_random_find_what_they_match() =>
        await CaseSearchTests.Generated.SampleAsync(
            async source =>
            {
                var filter = Read(source);
                var found = (await PagesAsync(Query(filter), 500)).Select(signup => signup.Ordinal).ToHashSet();
                var expected = _all.Where(signup => filter.Matches(FilterContext.Row(signup, null))).Select(signup => signup.Ordinal).ToHashSet();
                Assert.That(filter.IsExact ? found.SetEquals(expected) : expected.IsSubsetOf(found), source);
            },
            iter: 40,
            threads: 1);

    [Test]
    public async Task Signups_past_their_retention_are_passed_over_and_do_not_end_a_search()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await database.ExecuteAsync(ManyCases.Signups(count: 60) + "DELETE FROM decisions WHERE ordinal > 50;");
        var search = new SignupSearch(database.Source);
        var chunk = await search.FindAsync(Tenant, new SignupQuery { Order = SignupOrder.Oldest }, (0, long.MaxValue), null, 500, CancellationToken.None);
        Assert.That(chunk.Signups.Count(searched => searched.Signup is not null), Is.EqualTo(50));
        var newest = await search.FindAsync(Tenant, new SignupQuery { Order = SignupOrder.Newest }, (0, long.MaxValue), null, 30, CancellationToken.None);
        Assert.That((newest.AtEnd, newest.Signups.Count(searched => searched.Signup is not null)), Is.EqualTo((false, 20)));
    }

    private static ReviewFilter Read(string source)
    {
        var (filter, issues) = ReviewFilter.Read(source, FilterFields.For(ClusterBench.Policy.Linkage.Rules));
        Assert.That(issues, Is.Empty, source);
        return filter!;
    }

    private static SignupQuery Query(ReviewFilter filter) => new()
    {
        Order = SignupOrder.Oldest,
        Condition = filter.Index,
    };

    private async Task<List<FoundSignup>> PagesAsync(SignupQuery query, int size)
    {
        var range = await _search.RangeAsync(Tenant, query.From, query.Until, CancellationToken.None);
        var found = new List<FoundSignup>();
        for (SignupPosition? after = null; ;)
        {
            var chunk = await _search.FindAsync(Tenant, query, range, after, size, CancellationToken.None);
            found.AddRange(chunk.Signups.Select(searched => searched.Signup).OfType<FoundSignup>());
            if (chunk.AtEnd) return found;
            after = chunk.Signups[^1].Position;
        }
    }
}
