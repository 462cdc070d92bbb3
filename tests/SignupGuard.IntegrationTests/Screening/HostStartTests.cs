using Npgsql;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service;
using SignupGuard.Service.Hosting;

namespace SignupGuard.IntegrationTests.Screening;

/// <summary>A start that can't be right is refused, with words that help.</summary>
public sealed class HostStartTests
{
    private static async Task<string> RefusedAsync(TestDatabase database, params (string Key, string? Value)[] changes)
    {
        var settings = TestService.Settings(database);
        foreach (var (key, value) in changes) settings[key] = value;
        return (await Assert.ThrowsAsync<HostStartException>(() => SignupGuardHost.StartAsync(settings)))!.Message;
    }

    [Test]
    public async Task A_configured_database_needs_configured_keys()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        Assert.That(await RefusedAsync(database, ("Secrets:LinkKey", null)), Does.Contain("Secrets:LinkKey").And.Contain("openssl rand -base64 32"));
        Assert.That(await RefusedAsync(database, ("Secrets:FactsKey", null)), Does.Contain("Secrets:FactsKey"));
    }

    [Test]
    public async Task A_key_that_is_none_is_refused_and_not_repeated()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        Assert.That(await RefusedAsync(database, ("Secrets:LinkKey", "not Base64!")), Does.Contain("Secrets:LinkKey").And.Not.Contain("not Base64!"));
        Assert.That(await RefusedAsync(database, ("Secrets:LinkKey", Convert.ToBase64String(new byte[16]))), Does.Contain("32 bytes"));
        Assert.That(await RefusedAsync(database, ("Secrets:LinkKeyFile", "/nowhere")), Does.Contain("both set"));
        Assert.That(await RefusedAsync(database, ("Secrets:LinkKey", null), ("Secrets:LinkKeyFile", "/nowhere")), Does.Contain("can't be read"));
        Assert.That(await RefusedAsync(database, ("Secrets:RetiredFactsKeys:1", Convert.ToBase64String(new byte[32]))), Does.Contain("new id"));
    }

    [Test]
    public async Task Keys_may_come_from_files()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Convert.ToBase64String(new byte[32]) + "\n");
        var settings = TestService.Settings(database);
        (settings["Secrets:LinkKey"], settings["Secrets:LinkKeyFile"]) = (null, file);
        await using (await SignupGuardHost.StartAsync(settings))
        {
        }
        File.Delete(file);
    }

    [Test]
    public async Task A_database_without_the_schema_is_refused()
    {
        await using var database = await (await SharedPostgres.GetAsync()).NewEmptyDatabaseAsync();
        Assert.That(await RefusedAsync(database), Does.Contain("migrations"));
    }

    [Test]
    public async Task A_database_that_refuses_the_login_is_told_at_once()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        var wrong = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Password = "wrong" }.ConnectionString;
        Assert.That(await RefusedAsync(database, ("ConnectionStrings:SignupGuard", wrong)), Does.Contain("28P01"));
        Assert.That(await RefusedAsync(database, ("ConnectionStrings:SignupGuard", "Host=x;Nonsense=1")), Does.Contain("ConnectionStrings:SignupGuard"));
    }

    [TestCase("Screening:QueueMax", "0")]
    [TestCase("Screening:BatchMax", "100000")]
    [TestCase("Listen:GrpcPort", "70000")]
    [TestCase("Secrets:FactsKeyId", "0")]
    public async Task A_setting_out_of_bounds_is_refused_by_name(string key, string value)
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        Assert.That(await RefusedAsync(database, (key, value)), Does.Contain(key.Split(':')[1]));
    }

    [Test]
    public async Task A_port_in_use_is_told()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database);
        var port = service.Host.GrpcAddress.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(await RefusedAsync(database, ("Listen:GrpcPort", port)), Does.Contain(port).And.Contain("Listen:GrpcPort"));
    }
}
