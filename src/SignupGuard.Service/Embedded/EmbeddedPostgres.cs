using System.Globalization;
using System.Runtime.Versioning;
using Npgsql;
using SignupGuard.Storage;

namespace SignupGuard.Service.Embedded;

/// <summary>
/// A private Postgres from the programs on this machine: the same engine as in production, for a host that was given no database.
/// It is a child of this process, started again when it dies, stopped cleanly on dispose, and after a crash of the host the next start
/// stops the one left behind.
/// <para>
/// The data folder holds <c>postgres</c> (the database), <c>run</c> (its socket), <c>secrets</c> (see <see cref="EmbeddedSecrets"/>) and <c>lock</c>.
/// The database is made whole or not at all.
/// </para>
/// </summary>
public sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    public const string Database = "signupguard";
    public const string Role = "signupguard";
    public const string Superuser = "postgres";

    /// <summary>Names the socket when there is no TCP port.</summary>
    private const int SocketPort = 5432;

    /// <summary>Longest path of a socket that every system takes, its terminator left out.</summary>
    private const int SocketPathMax = 103;

    /// <summary>A new database takes 40 MB; below this there would be no room for its log either.</summary>
    private const long FreeBytesMin = 256L << 20;

    private static readonly TimeSpan RestartDelayMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RestartDelayMax = TimeSpan.FromSeconds(10);

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly Installation _installation;
    private readonly DataFolderLock _lock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _supervision;
    private volatile PostgresServer _server;
    private int _disposed;

    private EmbeddedPostgres(Installation installation, DataFolderLock folderLock, PostgresServer server, ILogger logger)
    {
        _installation = installation;
        _lock = folderLock;
        _server = server;
        _logger = logger;
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        _supervision = Task.Run(SuperviseAsync);
    }

    /// <summary>Everything about the folder that stays the same from one start of the server to the next.</summary>
    private sealed record Installation(
        string Folder,
        string Cluster,
        string SocketFolder,
        bool SocketFolderIsTemporary,
        int Port,
        EmbeddedSecrets Secrets,
        PostgresBinaries Binaries,
        ServerUser User,
        IReadOnlyList<string> Settings)
    {
        public string ConnectionString(string user, string password, string database) => new NpgsqlConnectionStringBuilder
        {
            Host = SocketFolder,
            Port = Port,
            Username = user,
            Password = password,
            Database = database,
        }.ConnectionString;

        public string SuperuserConnectionString => ConnectionString(Superuser, Secrets.SuperuserPassword, Superuser);

        public PostgresServer Start(ILogger logger) => PostgresServer.Start(Binaries, User, Cluster, Settings, logger);
    }

    /// <summary>For the role that owns the database. The same after a restart on the same folder, but where its path is too long for a socket.</summary>
    public string ConnectionString => _installation.ConnectionString(Role, _installation.Secrets.Password, Database);

    /// <summary>For an operator's own use, and to make the role the service works under; the service itself never uses it.</summary>
    public string SuperuserConnectionString => _installation.SuperuserConnectionString;

    public EmbeddedSecrets Secrets => _installation.Secrets;

    public string DataFolder => _installation.Folder;

    /// <summary>Of the server now; another after a restart.</summary>
    public int ServerProcessId => _server.ProcessId;

    /// <summary>Makes the database on first use and starts it. Returns when it takes connections; after a crash that is when it has recovered.</summary>
    /// <exception cref="EmbeddedPostgresException">It can't be had; the message says what helps.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(EmbeddedPostgresOptions options, ILogger logger, CancellationToken cancellation)
    {
        if (OperatingSystem.IsWindows())
            throw new EmbeddedPostgresException("The embedded database runs on Linux and macOS. On Windows point ConnectionStrings__SignupGuard at a PostgreSQL server.");
        var folder = Path.GetFullPath(options.DataFolder ?? EmbeddedPostgresOptions.DefaultDataFolder());
        CreateFolder(folder);
        var folderLock = DataFolderLock.Take(folder);
        try
        {
            var installation = await PrepareAsync(folder, options, logger, cancellation);
            var server = installation.Start(logger);
            try
            {
                await server.ReadyAsync(installation.ConnectionString(Role, installation.Secrets.Password, Database), cancellation);
                await EnsureServiceRoleAsync(installation, cancellation);
            }
            catch
            {
                await server.StopAsync();
                server.Dispose();
                throw;
            }
            LogStarted(logger, installation.Binaries.Major, folder, installation.User.Name ?? Environment.UserName);
            return new EmbeddedPostgres(installation, folderLock, server, logger);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            folderLock.Dispose();
            throw new EmbeddedPostgresException($"The data folder {folder} can't be used: {failure.Message}", failure);
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>The owner of the database may not make roles. At every start: a folder of an earlier version has none.</summary>
    private static async Task EnsureServiceRoleAsync(Installation installation, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(installation.SuperuserConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(
            $"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ServiceRole.Name}') THEN
                    CREATE ROLE {ServiceRole.Name} NOLOGIN;
                    GRANT {ServiceRole.Name} TO {Role};
                END IF;
            END $$
            """,
            connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    [UnsupportedOSPlatform("windows")]
    private static void CreateFolder(string folder)
    {
        try
        {
            // The server's user passes through to its own folders but can't look around; only the caller reads the secrets.
            var mode = Environment.IsPrivilegedProcess ? OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : OwnerOnly;
            Directory.CreateDirectory(folder);
            File.SetUnixFileMode(folder, mode);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
        {
            throw new EmbeddedPostgresException($"The data folder {folder} can't be used: {failure.Message} Choose another one.", failure);
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<Installation> PrepareAsync(string folder, EmbeddedPostgresOptions options, ILogger logger, CancellationToken cancellation)
    {
        var cluster = Path.Combine(folder, "postgres");
        var existing = ReadMajor(cluster);
        var user = await ServerUser.ResolveAsync(cluster, cancellation);
        var binaries = await PostgresBinaries.FindAsync(options, existing, user, folder, logger, cancellation);
        var port = options.Port ?? SocketPort;
        var (socketFolder, temporary) = await SocketFolderAsync(folder, port, user, cancellation);
        await CheckReachableAsync(folder, socketFolder, user, cancellation);
        await StopLeftoverAsync(cluster, logger);
        var secrets = EmbeddedSecrets.LoadOrCreate(folder);
        if (existing is null) await CreateClusterAsync(cluster, binaries, user, secrets, options.Durable, logger, cancellation);
        else await user.OwnAsync(cluster, cancellation);
        return new Installation(folder, cluster, socketFolder, temporary, port, secrets, binaries, user, Settings(options, socketFolder, port));
    }

    /// <summary>The version that made the database; null when there is none.</summary>
    private static int? ReadMajor(string cluster)
    {
        var path = Path.Combine(cluster, "PG_VERSION");
        if (!File.Exists(path)) return null;
        return int.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            ? major
            : throw new EmbeddedPostgresException($"{cluster} is not a database of PostgreSQL. Restore it from a backup, or choose another data folder.");
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<(string Folder, bool Temporary)> SocketFolderAsync(string folder, int port, ServerUser user, CancellationToken cancellation)
    {
        var run = Path.Combine(folder, "run");
        var temporary = System.Text.Encoding.UTF8.GetByteCount(Path.Combine(run, $".s.PGSQL.{port.ToString(CultureInfo.InvariantCulture)}")) > SocketPathMax;
        // Made by this process alone, under a name that can't be guessed.
        if (temporary) run = Directory.CreateTempSubdirectory("signupguard-").FullName;
        else Directory.CreateDirectory(run, OwnerOnly);
        await user.OwnAsync(run, cancellation);
        return (run, temporary);
    }

    private static async Task CheckReachableAsync(string folder, string socketFolder, ServerUser user, CancellationToken cancellation)
    {
        if (user.Name is null) return;
        // The socket's folder belongs to the server already; only the way to it may be closed.
        var reachable = await user.RunAsync("/bin/sh", ["-c", "test -w \"$1\"", "sh", socketFolder], null, cancellation);
        if (!reachable.Succeeded)
            throw new EmbeddedPostgresException($"Postgres runs as the user {user.Name}, who can't enter the folders above {folder}. Choose a data folder outside of private ones, such as /var/lib/signupguard.");
    }

    /// <summary>A host that was killed leaves its server running, or a file that names a process long gone.</summary>
    private static async Task StopLeftoverAsync(string cluster, ILogger logger)
    {
        if (PostmasterFile.Read(cluster) is not { } leftover) return;
        if (PostmasterFile.IsServer(leftover.ProcessId, cluster))
        {
            LogLeftover(logger, leftover.ProcessId);
            await PostgresServer.StopLeftoverAsync(leftover.ProcessId, cluster);
        }
        // The server removes the file itself, but not where another program has taken its process id.
        else PostmasterFile.Delete(cluster);
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task CreateClusterAsync(
        string cluster,
        PostgresBinaries binaries,
        ServerUser user,
        EmbeddedSecrets secrets,
        bool durable,
        ILogger logger,
        CancellationToken cancellation)
    {
        LogCreating(logger, binaries.Major, cluster);
        var free = new DriveInfo(Path.GetDirectoryName(cluster)!).AvailableFreeSpace;
        if (free < FreeBytesMin)
            throw new EmbeddedPostgresException($"The disk of {cluster} has {free >> 20} MB free; a new database needs {FreeBytesMin >> 20} MB. Free some room, or choose another data folder.");

        // Under another name until it is complete, so that a crash leaves nothing half-made behind.
        var unfinished = cluster + ".new";
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished, OwnerOnly);
        await user.OwnAsync(unfinished, cancellation);

        // Bytewise collation: the same order everywhere, whatever the system's C library thinks. No log-in until the passwords are set.
        string[] arguments =
        [
            "-D", unfinished, "--username=" + Superuser, "--encoding=UTF8", "--locale=C", "--auth-local=reject", "--auth-host=reject", "--data-checksums", "--no-instructions",
        ];
        var made = await user.RunAsync(binaries.InitDb, durable ? arguments : [.. arguments, "--no-sync"], null, cancellation);
        if (!made.Succeeded) throw Failed("initdb", made);

        // In single-user mode the passwords go through a pipe: no file and no process list ever shows them.
        var roles = await user.RunAsync(
            binaries.Server,
            ["--single", "-D", unfinished, "-c", "password_encryption=scram-sha-256", "-c", "log_min_error_statement=panic", Superuser],
            $"""
            ALTER ROLE {Superuser} PASSWORD '{secrets.SuperuserPassword}'
            CREATE ROLE {Role} LOGIN PASSWORD '{secrets.Password}'
            CREATE DATABASE {Database} OWNER {Role}

            """,
            cancellation);
        if (!roles.Succeeded || roles.Error.Contains("ERROR:", StringComparison.Ordinal)) throw Failed("postgres --single", roles);

        await File.WriteAllTextAsync(
            Path.Combine(unfinished, "pg_hba.conf"),
            """
            local all all scram-sha-256
            host all all 127.0.0.1/32 scram-sha-256
            host all all ::1/128 scram-sha-256

            """,
            cancellation);
        await user.OwnAsync(unfinished, cancellation);
        Directory.Move(unfinished, cluster);
    }

    private static EmbeddedPostgresException Failed(string program, ServerUser.Result result) =>
        new(result.Error.Contains("No space left on device", StringComparison.Ordinal)
            ? "The disk is full: no database can be made. Free some room, or choose another data folder."
            : $"{program} ended with code {result.ExitCode.ToString(CultureInfo.InvariantCulture)}: {result.Error.Trim()}");

    private static List<string> Settings(EmbeddedPostgresOptions options, string socketFolder, int port)
    {
        var durable = options.Durable ? "on" : "off";
        var settings = new Dictionary<string, string>
        {
            ["shared_buffers"] = "256MB",
            ["effective_io_concurrency"] = "16",
            ["random_page_cost"] = "1.1",
            ["jit"] = "off",
            ["wal_buffers"] = "16MB",
            ["min_wal_size"] = "256MB",
            ["max_wal_size"] = "2GB",
            ["checkpoint_timeout"] = "15min",
            ["autovacuum_naptime"] = "15s",
            ["autovacuum_vacuum_cost_limit"] = "2000",
        };
        foreach (var (name, value) in options.Settings) settings[name] = value;

        settings["listen_addresses"] = options.Port is null ? "" : "127.0.0.1";
        settings["port"] = port.ToString(CultureInfo.InvariantCulture);
        settings["unix_socket_directories"] = socketFolder;
        settings["unix_socket_permissions"] = "0700";
        settings["max_connections"] = options.ConnectionsMax.ToString(CultureInfo.InvariantCulture);
        // It is the truth.
        settings["fsync"] = durable;
        settings["full_page_writes"] = durable;
        settings["synchronous_commit"] = durable;
        // To this process's pipe. Statements and the details of errors can hold personal data, so neither is logged.
        settings["log_destination"] = "stderr";
        settings["logging_collector"] = "off";
        settings["log_min_messages"] = "log";
        settings["log_min_error_statement"] = "panic";
        settings["log_error_verbosity"] = "terse";
        settings["log_statement"] = "none";
        settings["log_timezone"] = "UTC";
        settings["timezone"] = "UTC";
        return [.. settings.Select(setting => $"{setting.Key}={setting.Value}")];
    }

    /// <summary>Starts the server again whenever it ends unasked; stops it when asked.</summary>
    private async Task SuperviseAsync()
    {
        try
        {
            while (true)
            {
                await _server.ExitAsync(_stop.Token);
                LogEnded(_logger, (await _server.ExplainAsync()).Message);
                await RestartAsync();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            await _server.StopAsync();
        }
    }

    private async Task RestartAsync()
    {
        for (var delay = RestartDelayMin; ; delay = delay * 2 < RestartDelayMax ? delay * 2 : RestartDelayMax)
        {
            try
            {
                await StopLeftoverAsync(_installation.Cluster, _logger);
                var ended = _server;
                _server = _installation.Start(_logger);
                ended.Dispose();
                await _server.ReadyAsync(ConnectionString, _stop.Token);
                LogRestarted(_logger);
                return;
            }
            // Whatever keeps it from starting (a full disk, above all) may pass; only the owner of this object gives up.
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                LogRestartFailed(_logger, failure, delay.TotalSeconds);
                await _server.StopAsync();
            }
            await Task.Delay(delay, _stop.Token);
        }
    }

    private void OnProcessExit(object? sender, EventArgs arguments)
    {
        if (!_stop.IsCancellationRequested) _server.Interrupt();
    }

    /// <summary>Stops the server cleanly: what was committed is on the disk, and the next start needs no recovery.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        await _stop.CancelAsync();
        await _supervision;
        _server.Dispose();
        if (_installation.SocketFolderIsTemporary) Directory.Delete(_installation.SocketFolder, recursive: true);
        _stop.Dispose();
        _lock.Dispose();
        LogStopped(_logger);
    }

    [LoggerMessage(6001, LogLevel.Information, "Making a database with PostgreSQL {Major} in {Cluster}")]
    private static partial void LogCreating(ILogger logger, int major, string cluster);

    [LoggerMessage(6002, LogLevel.Information, "PostgreSQL {Major} runs on {Folder} as {User}")]
    private static partial void LogStarted(ILogger logger, int major, string folder, string user);

    [LoggerMessage(6003, LogLevel.Warning, "Stopping PostgreSQL, process {ProcessId}, which an earlier host left running")]
    private static partial void LogLeftover(ILogger logger, int processId);

    [LoggerMessage(6004, LogLevel.Error, "PostgreSQL ended unasked and is started again. {Reason}")]
    private static partial void LogEnded(ILogger logger, string reason);

    [LoggerMessage(6005, LogLevel.Warning, "PostgreSQL runs again")]
    private static partial void LogRestarted(ILogger logger);

    [LoggerMessage(6006, LogLevel.Error, "PostgreSQL can't be started again; next try in {Seconds} s")]
    private static partial void LogRestartFailed(ILogger logger, Exception failure, double seconds);

    [LoggerMessage(6007, LogLevel.Information, "PostgreSQL stopped")]
    private static partial void LogStopped(ILogger logger);
}
