using Npgsql;
using SignupGuard.Storage;

namespace SignupGuard.IntegrationTests.Postgres;

public sealed class DataSourceTests
{
    [Test]
    public async Task Sessions_carry_the_limits_before_and_after_a_trip_through_the_pool()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var source = SignupGuardDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 1 }.ConnectionString);
        for (var trip = 0; trip < 2; trip++)
        {
            await using var connection = await source.OpenConnectionAsync();
            Assert.That(await SettingAsync(connection, "application_name"), Is.EqualTo("signupguard"));
            Assert.That(await SettingAsync(connection, "statement_timeout"), Is.EqualTo("30s"));
            Assert.That(await SettingAsync(connection, "lock_timeout"), Is.EqualTo("10s"));
            Assert.That(await SettingAsync(connection, "idle_in_transaction_session_timeout"), Is.EqualTo("15s"));
            await using var spoil = new NpgsqlCommand("SET statement_timeout = '1h'", connection);
            await spoil.ExecuteNonQueryAsync();
        }
    }

    [Test]
    public async Task What_the_connection_string_says_itself_wins()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var source = SignupGuardDataSource.Create(database.ConnectionString + ";Application Name=mine;Options=-c statement_timeout=7s");
        await using var connection = await source.OpenConnectionAsync();
        Assert.That(await SettingAsync(connection, "application_name"), Is.EqualTo("mine"));
        Assert.That(await SettingAsync(connection, "statement_timeout"), Is.EqualTo("7s"));
        Assert.That(await SettingAsync(connection, "lock_timeout"), Is.EqualTo("10s"));
    }

    [Test]
    public async Task A_statement_that_is_used_again_is_prepared()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var connection = await database.Source.OpenConnectionAsync();
        for (var use = 0; use < 3; use++) await SettingAsync(connection, "port");
        await using var prepared = new NpgsqlCommand("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT current_setting%'", connection);
        Assert.That(await prepared.ExecuteScalarAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_statement_that_hangs_is_ended_by_the_server()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var source = SignupGuardDataSource.Create(database.ConnectionString + ";Options=-c statement_timeout=100ms");
        await using var command = source.CreateCommand("SELECT pg_sleep(60)");
        var ended = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.That(ended!.SqlState, Is.EqualTo(PostgresErrorCodes.QueryCanceled));
    }

    [Test]
    public void Errors_never_quote_rows()
    {
        var settings = new NpgsqlConnectionStringBuilder(SignupGuardDataSource.WithDefaults("Host=db"));
        Assert.That(settings.IncludeErrorDetail, Is.False);
        Assert.That(settings.MaxPoolSize, Is.EqualTo(SignupGuardDataSource.PoolSizeMax));
    }

    private static async Task<string> SettingAsync(NpgsqlConnection connection, string name)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting($1)", connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = name } } };
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
