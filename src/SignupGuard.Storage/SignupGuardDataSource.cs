using Npgsql;

namespace SignupGuard.Storage;

/// <summary>
/// The one way to reach the database. What the connection string says itself wins over what is set here.
/// <para>
/// The session limits travel in the start-up message (<c>options</c>), so that a pooled connection falls back to them, not to the
/// server's. A pooler in transaction mode (PgBouncer) must be told <c>ignore_startup_parameters = options</c>; give the role the same
/// limits there with ALTER ROLE … SET.
/// </para>
/// </summary>
public static class SignupGuardDataSource
{
    public const string ApplicationName = "signupguard";

    /// <summary>No statement of the service runs longer; a stuck one must not hold a tenant's lane.</summary>
    public static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait for one lock. A batch waits for its lane, which is free again after one commit.</summary>
    public static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The server ends a transaction whose client went silent: a dead replica frees its lanes after this long.</summary>
    public static readonly TimeSpan IdleInTransactionTimeout = TimeSpan.FromSeconds(15);

    /// <summary>The server notices a client whose machine vanished without a word.</summary>
    public static readonly TimeSpan KeepAliveIdle = TimeSpan.FromSeconds(10);

    /// <summary>Connections of one replica. Screening is serial per tenant, so more only queue at the lanes.</summary>
    public const int PoolSizeMax = 40;

    /// <summary>Statements prepared by themselves, per connection.</summary>
    public const int AutoPrepareMax = 64;

    private const int AutoPrepareUsagesMin = 2;

    /// <exception cref="ArgumentException">The connection string can't be read.</exception>
    public static NpgsqlDataSource Create(string connectionString, Action<NpgsqlDataSourceBuilder>? configure = null)
    {
        var builder = new NpgsqlDataSourceBuilder(WithDefaults(connectionString));
        configure?.Invoke(builder);
        return builder.Build();
    }

    /// <summary>
    /// For the service itself: its sessions take <see cref="ServiceRole"/>, whoever they log in as. Resetting a session, as pools do, would
    /// give that up, so it is left out: no code of the service changes a session beyond its transaction.
    /// </summary>
    /// <exception cref="ArgumentException">The connection string can't be read.</exception>
    public static NpgsqlDataSource CreateForService(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { NoResetOnClose = true };
        settings.Options = $"{settings.Options} -c role={ServiceRole.Name}".TrimStart();
        return Create(settings.ConnectionString);
    }

    /// <summary>The connection string with every default that it leaves open filled in.</summary>
    public static string WithDefaults(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        void Default(string keyword, object value)
        {
            if (!settings.ShouldSerialize(keyword)) settings[keyword] = value;
        }
        Default("Application Name", ApplicationName);
        Default("Maximum Pool Size", PoolSizeMax);
        Default("Max Auto Prepare", AutoPrepareMax);
        Default("Auto Prepare Min Usages", AutoPrepareUsagesMin);
        Default("Timeout", 5);
        Default("Command Timeout", (int)StatementTimeout.TotalSeconds + 5);
        Default("Keepalive", (int)KeepAliveIdle.TotalSeconds);
        // Personal data: error details quote rows.
        Default("Include Error Detail", false);
        // Of two values for one setting the server takes the later: the connection string's own.
        settings.Options =
            $"-c statement_timeout={Milliseconds(StatementTimeout)} -c lock_timeout={Milliseconds(LockTimeout)}"
            + $" -c idle_in_transaction_session_timeout={Milliseconds(IdleInTransactionTimeout)} -c tcp_keepalives_idle={(int)KeepAliveIdle.TotalSeconds}"
            + (string.IsNullOrEmpty(settings.Options) ? "" : $" {settings.Options}");
        return settings.ConnectionString;
    }

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
