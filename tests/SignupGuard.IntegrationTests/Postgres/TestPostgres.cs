using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using SignupGuard.Migrations;
using SignupGuard.Service.Embedded;
using SignupGuard.Storage;
using SignupGuard.Storage.Partitions;

namespace SignupGuard.IntegrationTests.Postgres;

/// <summary>
/// A real Postgres in a folder of its own, from the programs on this machine, as an unprivileged user. Tests share one that is started on
/// first use and stopped at the end (<see cref="SharedPostgres"/>); a test that hurts the server starts its own.
/// </summary>
public sealed class TestPostgres : IAsyncDisposable
{
    private const string Template = "migrated";

    /// <summary>Many databases with several hosts each, all with pools of their own.</summary>
    private const int ConnectionsMax = 400;

    private readonly EmbeddedPostgresOptions _options;
    private readonly Lazy<Task> _template;
    private EmbeddedPostgres _postgres;
    private int _databases;

    private TestPostgres(EmbeddedPostgres postgres, EmbeddedPostgresOptions options)
    {
        _postgres = postgres;
        _options = options;
        _template = new Lazy<Task>(MakeTemplateAsync);
    }

    public string DataFolder => _options.DataFolder!;

    /// <summary>Of the server's first process; another after it was killed.</summary>
    public int ServerProcessId => _postgres.ServerProcessId;

    /// <summary>A fresh, migrated database on the server that tests share. Dispose drops it; the end of the run does too.</summary>
    public static async Task<TestDatabase> CreateDatabaseAsync() => await (await SharedPostgres.GetAsync()).NewDatabaseAsync();

    /// <summary>A server for one test, to be killed, frozen or stopped.</summary>
    /// <param name="durable">Syncs as in production: needed where the test asks what survives. A killed server keeps what it wrote either way.</param>
    public static async Task<TestPostgres> StartOwnAsync(bool durable)
    {
        TestFolders.SweepOnce();
        var options = new EmbeddedPostgresOptions
        {
            DataFolder = TestFolders.Create(),
            Durable = durable,
            ConnectionsMax = ConnectionsMax,
        };
        return new TestPostgres(await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None), options);
    }

    /// <summary>A fresh, migrated database, copied from one that was migrated once.</summary>
    public async Task<TestDatabase> NewDatabaseAsync()
    {
        await _template.Value;
        return await NewDatabaseAsync(Template);
    }

    /// <summary>A database without any table.</summary>
    public Task<TestDatabase> NewEmptyDatabaseAsync() => NewDatabaseAsync("template0");

    private async Task<TestDatabase> NewDatabaseAsync(string template)
    {
        var name = "test_" + Interlocked.Increment(ref _databases).ToString(CultureInfo.InvariantCulture);
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {template} OWNER {EmbeddedPostgres.Role}");
        return new TestDatabase(this, name, ConnectionString(name));
    }

    /// <summary>Kills the server as the system would when out of memory. Its supervisor starts it again, with the same address.</summary>
    public void Kill() => UnixSignal.Send(_postgres.ServerProcessId, UnixSignal.Kill);

    /// <summary>Freezes the server and all its connections, as a hung disk or machine does, until the result is disposed.</summary>
    public IDisposable Freeze() => new FrozenProcesses(_postgres.ServerProcessId);

    /// <summary>Stops the server and leaves it down.</summary>
    public async Task StopAsync() => await _postgres.DisposeAsync();

    /// <summary>Starts a stopped server again, with the same data and address.</summary>
    public async Task StartAsync() => _postgres = await EmbeddedPostgres.StartAsync(_options, NullLogger.Instance, CancellationToken.None);

    internal async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_postgres.SuperuserConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private string ConnectionString(string database) => new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Database = database }.ConnectionString;

    private async Task MakeTemplateAsync()
    {
        await ExecuteAsync($"CREATE DATABASE {Template} OWNER {EmbeddedPostgres.Role}");
        // A database can only be copied while nobody is connected to it.
        await using var source = SignupGuardDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString(Template)) { Pooling = false }.ConnectionString);
        await DatabaseMigrator.MigrateAsync(source, CancellationToken.None);
        await new PartitionMaintenance(source, TimeProvider.System).EnsureAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _postgres.DisposeAsync();
        Directory.Delete(DataFolder, recursive: true);
    }
}

/// <summary>One database of a test.</summary>
public sealed class TestDatabase(TestPostgres server, string name, string connectionString) : IAsyncDisposable
{
    private readonly Lazy<NpgsqlDataSource> _source = new(() => SignupGuardDataSource.Create(connectionString));

    public TestPostgres Server => server;

    public string Name => name;

    /// <summary>What a host takes as ConnectionStrings__SignupGuard.</summary>
    public string ConnectionString => connectionString;

    public NpgsqlDataSource Source => _source.Value;

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_source.IsValueCreated) await _source.Value.DisposeAsync();
        await server.ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    }
}
