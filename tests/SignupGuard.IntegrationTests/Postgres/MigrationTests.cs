using Microsoft.EntityFrameworkCore;
using Npgsql;
using SignupGuard.Migrations;
using SignupGuard.Storage;

namespace SignupGuard.IntegrationTests.Postgres;

public sealed class MigrationTests
{
    [Test]
    public async Task The_model_has_no_change_without_a_migration()
    {
        await using var context = new DesignTimeContextFactory().CreateDbContext([]);
        Assert.That(context.Database.HasPendingModelChanges(), Is.False, "Add a migration: dotnet ef migrations add NAME --project migrations/SignupGuard.Migrations");
    }

    [Test]
    public async Task Migrating_again_applies_nothing()
    {
        await using var database = await (await SharedPostgres.GetAsync()).NewEmptyDatabaseAsync();
        var first = await DatabaseMigrator.MigrateAsync(database.Source, CancellationToken.None);
        var second = await DatabaseMigrator.MigrateAsync(database.Source, CancellationToken.None);
        Assert.That(first, Is.Not.Empty);
        Assert.That(second, Is.Empty);
    }

    [Test]
    public async Task Of_many_that_migrate_at_once_one_does_it_and_all_go_on()
    {
        await using var database = await (await SharedPostgres.GetAsync()).NewEmptyDatabaseAsync();
        var replicas = Enumerable.Range(0, 8).Select(_ => SignupGuardDataSource.Create(database.ConnectionString)).ToList();
        var applied = await Task.WhenAll(replicas.Select(replica => Task.Run(() => DatabaseMigrator.MigrateAsync(replica, CancellationToken.None))));
        foreach (var replica in replicas) await replica.DisposeAsync();

        Assert.That(applied.Count(names => names.Count > 0), Is.EqualTo(1));
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM \"__EFMigrationsHistory\""), Is.EqualTo(applied.Sum(names => names.Count)));
    }

    [Test]
    public async Task A_database_of_a_newer_version_is_refused()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await database.ExecuteAsync("INSERT INTO \"__EFMigrationsHistory\" VALUES ('99990101000000_Future', '99.0')");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => DatabaseMigrator.MigrateAsync(database.Source, CancellationToken.None));
        Assert.That(refused!.Message, Does.Contain("99990101000000_Future"));
    }

    [Test]
    public async Task The_session_has_its_limits_again_after_migrating()
    {
        await using var database = await (await SharedPostgres.GetAsync()).NewEmptyDatabaseAsync();
        await using var source = SignupGuardDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 1 }.ConnectionString);
        await DatabaseMigrator.MigrateAsync(source, CancellationToken.None);
        await using var command = source.CreateCommand("SELECT current_setting('statement_timeout')");
        Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo("30s"));
    }

    [Test]
    public async Task Down_leaves_no_table()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var options = new DbContextOptionsBuilder<SignupGuardDbContext>();
        SignupGuardDbContext.Configure(options, database.Source);
        await using var context = new SignupGuardDbContext(options.Options);
        await context.Database.MigrateAsync(Microsoft.EntityFrameworkCore.Migrations.Migration.InitialDatabase);
        Assert.That(await database.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> '__EFMigrationsHistory'"), Is.Zero);
    }
}
