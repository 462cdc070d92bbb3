using Npgsql;

namespace SignupGuard.IntegrationTests.Postgres;

/// <summary>What other tests lean on: that the faults they inject are faults, and pass.</summary>
public sealed class TestPostgresTests
{
    [Test]
    public async Task Databases_are_migrated_and_strangers_to_each_other()
    {
        await using var one = await TestPostgres.CreateDatabaseAsync();
        await using var other = await TestPostgres.CreateDatabaseAsync();
        await one.ExecuteAsync("INSERT INTO lanes (tenant, next_ordinal) VALUES ('', 5)");
        Assert.That(await one.ScalarAsync<long>("SELECT count(*) FROM lanes"), Is.EqualTo(1));
        Assert.That(await other.ScalarAsync<long>("SELECT count(*) FROM lanes"), Is.Zero);
    }

    [Test]
    public async Task A_frozen_server_does_not_answer_and_goes_on_where_it_was()
    {
        await using var server = await TestPostgres.StartOwnAsync(durable: false);
        await using var database = await server.NewDatabaseAsync();
        await database.ExecuteAsync("INSERT INTO lanes (tenant, next_ordinal) VALUES ('', 5)");
        Task<long> waiting;
        using (server.Freeze())
        {
            waiting = database.ScalarAsync<long>("SELECT next_ordinal FROM lanes");
            var first = await Task.WhenAny(waiting, Task.Delay(500));
            Assert.That(first, Is.Not.SameAs(waiting));
        }
        Assert.That(await waiting, Is.EqualTo(5));
    }

    [Test]
    public async Task A_stopped_server_refuses_and_is_the_same_after_a_start()
    {
        await using var server = await TestPostgres.StartOwnAsync(durable: true);
        await using var database = await server.NewDatabaseAsync();
        await database.ExecuteAsync("INSERT INTO lanes (tenant, next_ordinal) VALUES ('', 5)");
        await server.StopAsync();
        await Assert.CatchAsync<NpgsqlException>(() => database.ScalarAsync<long>("SELECT next_ordinal FROM lanes"));
        await server.StartAsync();
        Assert.That(await database.ScalarAsync<long>("SELECT next_ordinal FROM lanes"), Is.EqualTo(5));
    }
}
