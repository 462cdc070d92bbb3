using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service.Backtests;
using SignupGuard.Service.Changes;
using SignupGuard.Service.Clusters;
using SignupGuard.Service.Lists;
using SignupGuard.Service.Policies;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport;
using SignupGuard.Simulation;
using SignupGuard.Storage;
using SignupGuard.Storage.Backtests;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Lists;
using SignupGuard.Storage.Outcomes;
using SignupGuard.Storage.Policies;
using SignupGuard.Storage.Screening;

namespace SignupGuard.IntegrationTests.Clusters;

/// <summary>Screening and its worker on a real database, without a host: the worker runs when the test says so.</summary>
internal sealed class ClusterBench : IAsyncDisposable
{
    public const string Tenant = Tenancy.Default;

    /// <summary>The shipped policy.</summary>
    public static Policy Policy { get; } = PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy!;

    private static readonly KeyHasher Hasher = new(new byte[KeyHasher.KeyBytes]);

    private static readonly Lazy<OfflinePreparation> Preparation = new(() => new OfflinePreparation(new ConfigurationBuilder().Build(), Policy.Linkage.Rules));

    private readonly ServiceProvider _services;
    private readonly ActivePolicy _active;

    private ClusterBench(TestDatabase database, TimeProvider clock, ServiceProvider services, ActivePolicy active, ChangeNotifications changes)
    {
        _services = services;
        _active = active;
        Database = database;
        Screening = new ScreeningStore(database.Source, clock);
        Clusters = new ClusterStore(database.Source, clock);
        Outcomes = new OutcomeStore(database.Source, clock);
        var lists = NoLists(database, changes, clock);
        var shadows = new ShadowComparison(new ShadowStore(database.Source), clock, NullLogger<ShadowComparison>.Instance);
        Live = new GroupCommit(Screening, active, changes, shadows, Options.Create(new ScreeningOptions()), clock, NullLogger<GroupCommit>.Instance);
        Backtests = new BacktestRun(new StoredSignups(database.Source), Hasher, Cipher, Live, TimeProvider.System, NullLogger<BacktestRun>.Instance);
        Worker = new ClusterWorker(Clusters, active, lists, Cipher, changes, clock, NullLogger<ClusterWorker>.Instance);
    }

    /// <summary>Never loaded: nobody is on a list.</summary>
    private static ActiveLists NoLists(TestDatabase database, ChangeNotifications changes, TimeProvider clock) =>
        new(new ListStore(database.Source, clock), Hasher, changes, Options.Create(new ScreeningOptions()), NullLogger<ActiveLists>.Instance);

    public static FactsCipher Cipher { get; } = new(1, new Dictionary<byte, byte[]> { [1] = new byte[FactsCipher.KeyBytes] });

    public TestDatabase Database { get; }

    public ScreeningStore Screening { get; }

    public ClusterStore Clusters { get; }

    public OutcomeStore Outcomes { get; }

    public ClusterWorker Worker { get; }

    /// <summary>Not started: nothing comes in.</summary>
    public GroupCommit Live { get; }

    public BacktestRun Backtests { get; }

    public LinkKeyDerivation Keys => _active.Snapshot.Keys;

    public static async Task<ClusterBench> StartAsync(TestDatabase database, TimeProvider? clock = null)
    {
        var services = new ServiceCollection()
            .AddDbContextFactory<SignupGuardDbContext>((_, options) => SignupGuardDbContext.Configure(options, database.Source))
            .BuildServiceProvider();
        var changes = new ChangeNotifications(database.Source, Options.Create(new ChangeOptions { Listen = false }), TimeProvider.System, NullLogger<ChangeNotifications>.Instance);
        var active = new ActivePolicy(
            new PolicyStore(services.GetRequiredService<IDbContextFactory<SignupGuardDbContext>>()),
            Hasher,
            changes,
            TimeProvider.System,
            Options.Create(new ScreeningOptions()),
            NullLogger<ActivePolicy>.Instance);
        await active.StartAsync(CancellationToken.None);
        return new ClusterBench(database, clock ?? TimeProvider.System, services, active, changes);
    }

    public static List<V1.Signup> Simulate(ulong seed, int benign, double days, params (string Family, int Count)[] families) =>
        SimulationRun.Of(new SimulationOptions
        {
            Seed = seed,
            Benign = benign,
            Days = days,
            Families = families.ToDictionary(item => item.Family, item => item.Count),
        }).Select(signup => signup.Signup).ToList();

    /// <summary>Steps 1 to 4 without a host.</summary>
    public static PreparedSignup Prepare(V1.Signup message)
    {
        var linkable = Preparation.Value.Prepare(message, out var violations) ?? throw new InvalidDataException($"{violations[0].Field}: {violations[0].Code}");
        var content = ContentHash.Canonical(message);
        return new PreparedSignup
        {
            Tenant = Tenant,
            Linkable = linkable,
            ContentHash = ContentHash.Of(content),
            Facts = Cipher.Seal(Tenant, new SignupFacts(content, linkable.Signals)),
        };
    }

    public static OpenedFacts? Open(byte[] stored) => StoredFacts.Open(Cipher, Tenant, stored);

    public async Task ScreenAsync(IEnumerable<PreparedSignup> signups, int batch = 50, bool drain = false)
    {
        foreach (var chunk in signups.Chunk(batch))
        {
            await Screening.ScreenAsync(chunk, Policy, CancellationToken.None);
            if (drain) await DrainAsync();
        }
    }

    /// <summary>Lets the worker run until nothing waits.</summary>
    public async Task DrainAsync()
    {
        while (await Worker.RunOnceAsync(CancellationToken.None))
        {
        }
    }

    public Task<bool?> ReportAsync(string signupId, Label label, string kind = "test") =>
        Outcomes.RecordAsync(
            Tenant,
            signupId,
            kind,
            DateTimeOffset.UtcNow,
            null,
            new OutcomeConsequence(label, label == Label.Bad ? Verdict.Deny : Verdict.Allow, "OUTCOME", "An outcome."),
            CancellationToken.None);

    /// <summary>All networks as they are stored: the members of each, and its counts, without its id.</summary>
    public async Task<string> PartitionAsync() => string.Join('\n', (await NetworksAsync()).Select(network => string.Join(',', network.Members)).Order(StringComparer.Ordinal));

    /// <summary>Members and counts of all networks; not the estimate of the last hour.</summary>
    public async Task<List<string>> AggregatesAsync() =>
        [.. (await NetworksAsync()).Select(network => $"{string.Join(',', network.Members)}: {network.Counts}").Order(StringComparer.Ordinal)];

    private async Task<List<(long[] Members, string Counts)>> NetworksAsync()
    {
        await using var command = Database.Source.CreateCommand(
            """
            SELECT (SELECT array_agg(m.ordinal ORDER BY m.ordinal) FROM cluster_members m WHERE m.tenant = c.tenant AND m.cluster = c.id),
                   format('%s %s %s %s %s %s %s', size, denied, confirmed_bad, confirmed_good, key_groups, first_seen, last_seen)
            FROM clusters c ORDER BY id
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var networks = new List<(long[], string)>();
        while (await reader.ReadAsync()) networks.Add((reader.GetFieldValue<long[]>(0), reader.GetString(1)));
        return networks;
    }

    /// <summary>What must hold between the tables at any time when nothing is under way.</summary>
    public async Task CheckAsync()
    {
        var wrong = await Database.ScalarAsync<long>(
            """
            SELECT
              (SELECT count(*) FROM clusters c WHERE size <> (SELECT count(*) FROM cluster_members m WHERE m.tenant = c.tenant AND m.cluster = c.id))
            + (SELECT count(*) FROM cluster_members m WHERE NOT EXISTS (SELECT FROM clusters c WHERE c.tenant = m.tenant AND c.id = m.cluster))
            + (SELECT count(*) FROM link_keys k WHERE cluster IS NOT NULL AND NOT EXISTS (SELECT FROM clusters c WHERE c.id = k.cluster))
            + (SELECT count(*) FROM clusters c WHERE NOT EXISTS (SELECT FROM cluster_members m WHERE m.tenant = c.tenant AND m.cluster = c.id AND m.ordinal = c.id))
            + (SELECT count(*) FROM clusters c WHERE denied <> (
                SELECT count(*) FROM cluster_members m JOIN LATERAL (SELECT verdict FROM decisions d WHERE d.tenant = m.tenant AND d.ordinal = m.ordinal ORDER BY revision DESC LIMIT 1) d ON true
                WHERE m.tenant = c.tenant AND m.cluster = c.id AND d.verdict = 3))
            """);
        Assert.That(wrong, Is.Zero, "networks, members, keys and decisions disagree");
    }

    /// <summary>Every decision, revision by revision.</summary>
    public async Task<List<(long Ordinal, int Revision, Verdict Verdict, double Score, string Cause)>> DecisionsAsync()
    {
        await using var command = Database.Source.CreateCommand("SELECT ordinal, revision, verdict, score, cause FROM decisions ORDER BY ordinal, revision");
        await using var reader = await command.ExecuteReaderAsync();
        var decisions = new List<(long, int, Verdict, double, string)>();
        while (await reader.ReadAsync()) decisions.Add((reader.GetInt64(0), reader.GetInt32(1), (Verdict)reader.GetInt16(2), reader.GetDouble(3), reader.GetString(4)));
        return decisions;
    }

    public async ValueTask DisposeAsync()
    {
        await _active.StopAsync(CancellationToken.None);
        _active.Dispose();
        Worker.Dispose();
        Backtests.Dispose();
        Live.Dispose();
        await _services.DisposeAsync();
    }
}
