using Npgsql;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Service;
using SignupGuard.Service.Hosting;
using SignupGuard.Storage;
using SignupGuard.Storage.Audit;

namespace SignupGuard.IntegrationTests.Audit;

public sealed class AuditTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 25, 10, 0, 0, TimeSpan.Zero);

    private static AuditEntry Entry(string actor = "ada", string action = "policy.draft_created", string subject = "policies/2", string? tenant = null) => new()
    {
        Tenant = tenant,
        Actor = actor,
        Action = action,
        Subject = subject,
        Change = """{"after": "x"}""",
        Note = "because",
    };

    [TestCase("UPDATE audit SET actor = 'someone else'")]
    [TestCase("DELETE FROM audit")]
    [TestCase("TRUNCATE audit")]
    [TestCase("ALTER TABLE audit DISABLE TRIGGER audit_append_only")]
    [TestCase("DROP TABLE audit")]
    [TestCase("CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")]
    public async Task The_service_s_own_connections_can_t_change_an_entry(string sql)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var source = (NpgsqlDataSource)service.Host.Services.GetService(typeof(NpgsqlDataSource))!;
        await AppendAsync(source, Entry());

        var refused = await Assert.ThrowsAsync<PostgresException>(async () =>
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        });
        Assert.That(refused!.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege));
        Assert.That(await database.ScalarAsync<string>("SELECT string_agg(actor, ',') FROM audit"), Is.EqualTo("ada"));
    }

    [Test]
    public async Task A_pooled_connection_of_the_service_keeps_the_role()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var source = SignupGuardDataSource.CreateForService(new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 1 }.ConnectionString);
        for (var i = 0; i < 5; i++)
        {
            await using var connection = await source.OpenConnectionAsync();
            await using var command = new NpgsqlCommand("SELECT current_user::text", connection);
            Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo(ServiceRole.Name));
        }
    }

    [TestCase("UPDATE audit SET actor = 'someone else'")]
    [TestCase("DELETE FROM audit")]
    [TestCase("TRUNCATE audit")]
    public async Task The_owner_is_refused_by_the_trigger(string sql)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await AppendAsync(database.Source, Entry());
        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(sql));
        Assert.That(refused!.MessageText, Does.Contain("append-only"));
    }

    [Test]
    public async Task The_service_has_no_right_to_change_or_remove_but_on_rows_of_its_tables()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        Assert.That(
            await database.ScalarAsync<string[]>(
                """
                SELECT coalesce(array_agg(relname::text || ' ' || privilege ORDER BY relname), '{}')
                FROM pg_class, unnest(ARRAY['TRUNCATE', 'TRIGGER', 'REFERENCES']) AS privilege
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND has_table_privilege('signupguard_service', pg_class.oid, privilege)
                """),
            Is.Empty);
        Assert.That(
            await database.ScalarAsync<string[]>(
                """
                SELECT coalesce(array_agg(relname::text ORDER BY relname), '{}') FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT has_table_privilege('signupguard_service', pg_class.oid, 'UPDATE')
                """),
            Is.EqualTo(new[] { "__EFMigrationsHistory", "audit" }));
    }

    [Test]
    public async Task A_log_in_of_its_own_that_owns_nothing_serves_and_makes_partitions()
    {
        await using var server = await TestPostgres.StartOwnAsync(durable: false);
        await using var database = await server.NewDatabaseAsync();
        await server.ExecuteAsync("CREATE ROLE front LOGIN PASSWORD 'front' IN ROLE signupguard_service");
        var login = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "front", Password = "front" }.ConnectionString;
        await database.ExecuteAsync("DROP TABLE IF EXISTS decisions_2031_12");

        var settings = TestService.Settings(database);
        settings["ConnectionStrings:SignupGuard"] = login;
        await using (var host = await SignupGuardHost.StartAsync(settings))
        {
            var source = (NpgsqlDataSource)host.Services.GetService(typeof(NpgsqlDataSource))!;
            await using var command = source.CreateCommand("SELECT create_month_partition('decisions', '2031-12-01', true)");
            await command.ExecuteNonQueryAsync();
        }
        Assert.That(await database.ScalarAsync<string>("SELECT tableowner::text FROM pg_tables WHERE tablename = 'decisions_2031_12'"), Is.EqualTo("signupguard"));
    }

    /// <summary>As docker-compose.yml sets it up.</summary>
    [Test]
    public async Task An_owner_that_may_neither_make_nor_take_the_role_migrates_for_a_service_that_owns_nothing()
    {
        await using var server = await TestPostgres.StartOwnAsync(durable: false);
        await using var database = await server.NewEmptyDatabaseAsync();
        await server.ExecuteAsync(
            $"""
            CREATE ROLE keeper LOGIN PASSWORD 'keeper';
            CREATE ROLE front LOGIN PASSWORD 'front' IN ROLE signupguard_service;
            ALTER DATABASE {database.Name} OWNER TO keeper;
            """);
        string LogIn(string name) => new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = name, Password = name, Pooling = false }.ConnectionString;
        await using (var keeper = SignupGuardDataSource.Create(LogIn("keeper"))) await Migrations.DatabaseMigrator.MigrateAsync(keeper, CancellationToken.None);

        var settings = TestService.Settings(database);
        settings["ConnectionStrings:SignupGuard"] = LogIn("front");
        await using var host = await SignupGuardHost.StartAsync(settings);
        using var http = new HttpClient { BaseAddress = host.HttpAddress };
        Assert.That(await http.GetStringAsync("/readyz"), Is.EqualTo("Healthy"));
        settings["ConnectionStrings:SignupGuard"] = LogIn("keeper");
        Assert.That((await Assert.ThrowsAsync<HostStartException>(() => SignupGuardHost.StartAsync(settings)))!.Message, Does.Contain("role"));
    }

    [TestCase("SELECT create_month_partition('audit', '2031-12-01', true)")]
    [TestCase("SELECT create_month_partition('decisions', '2031-12-02', true)")]
    public async Task The_service_makes_no_other_table_by_the_owner_s_function(string sql)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(sql));
        Assert.That(refused!.SqlState, Is.EqualTo(PostgresErrorCodes.RaiseException));
    }

    [Test]
    public async Task A_log_in_that_may_not_take_the_role_is_told_what_helps()
    {
        await using var server = await TestPostgres.StartOwnAsync(durable: false);
        await using var database = await server.NewDatabaseAsync();
        await server.ExecuteAsync("CREATE ROLE stranger LOGIN PASSWORD 'stranger'");
        await database.ExecuteAsync("GRANT SELECT ON \"__EFMigrationsHistory\" TO stranger");
        var settings = TestService.Settings(database);
        settings["ConnectionStrings:SignupGuard"] = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "stranger", Password = "stranger" }.ConnectionString;
        var refused = await Assert.ThrowsAsync<HostStartException>(() => SignupGuardHost.StartAsync(settings));
        Assert.That(refused!.Message, Does.Contain("GRANT signupguard_service TO"));
    }

    [Test]
    public async Task Entries_are_listed_newest_first_by_page_and_filter()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await AppendAsync(database.Source, Entry(actor: "ada"));
        await AppendAsync(database.Source, Entry(actor: "grace", action: "policy.published"));
        await AppendAsync(database.Source, Entry(actor: "grace", action: "policyholder.called", subject: "lists/x"));
        await AppendAsync(database.Source, Entry(tenant: "other"));
        await AppendAsync(database.Source, Entry(tenant: "mine"));
        var log = new AuditLog(database.Source);
        Task<IReadOnlyList<StoredAuditEntry>> ListAsync(AuditFilter filter, long? before = null, int page = 100) => log.ListAsync("mine", filter, before, page, CancellationToken.None);

        var all = await ListAsync(new AuditFilter());
        Assert.That(all.Select(entry => entry.Entry), Is.EqualTo(new[]
        {
            Entry(tenant: "mine"), Entry(actor: "grace", action: "policyholder.called", subject: "lists/x"), Entry(actor: "grace", action: "policy.published"), Entry(actor: "ada"),
        }));
        Assert.That(all[0].At, Is.EqualTo(At));
        Assert.That((await ListAsync(new AuditFilter(), all[1].Id, 1)).Single().Entry.Action, Is.EqualTo("policy.published"));
        Assert.That(await ListAsync(new AuditFilter { Actor = "grace" }), Has.Count.EqualTo(2));
        Assert.That(await ListAsync(new AuditFilter { Action = "policy" }), Has.Count.EqualTo(3));
        Assert.That(await ListAsync(new AuditFilter { Action = "policy.published" }), Has.Count.EqualTo(1));
        Assert.That(await ListAsync(new AuditFilter { Subject = "lists/x" }), Has.Count.EqualTo(1));
        Assert.That(await ListAsync(new AuditFilter { From = At }), Has.Count.EqualTo(4));
        Assert.That(await ListAsync(new AuditFilter { Until = At }), Is.Empty);
    }

    [Test]
    public async Task An_entry_goes_with_its_transaction()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using (var connection = await database.Source.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await AuditLog.AppendAsync(connection, Entry(), At, CancellationToken.None);
            await transaction.RollbackAsync();
        }
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM audit"), Is.Zero);
    }

    private static async Task AppendAsync(NpgsqlDataSource source, AuditEntry entry)
    {
        await using var connection = await source.OpenConnectionAsync();
        await AuditLog.AppendAsync(connection, entry, At, CancellationToken.None);
    }
}
