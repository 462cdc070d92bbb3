namespace SignupGuard.Cli.Bench;

/// <summary>What the signups sent have in common.</summary>
internal enum TrafficMix
{
    /// <summary>The simulator's ordinary people with its default share of attacks.</summary>
    Ordinary,

    /// <summary>The same people, all from one machine, one network and one card's BIN: every batch hits the same hot keys.</summary>
    Burst,

    /// <summary>Every signup is sent twice: half of the answers are stored ones.</summary>
    Replays,
}

internal enum Arrivals
{
    /// <summary>Independent callers: exponential gaps.</summary>
    Poisson,

    /// <summary>Equal gaps.</summary>
    Fixed,
}

/// <summary>One benchmark, as asked for.</summary>
internal sealed record BenchOptions
{
    /// <summary>gRPC address of a running service; null: replicas of its own.</summary>
    public Uri? Address { get; init; }

    /// <summary>Folder of the private Postgres; null: one that is made for the run and removed after it.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Processes of the service, 1 to <see cref="ReplicasMax"/>.</summary>
    public int Replicas { get; init; } = 1;

    public const int ReplicasMax = 16;

    /// <summary>Open-loop runs, signups/s each.</summary>
    public IReadOnlyList<double> Rates { get; init; } = [];

    /// <summary>Callers of the closed-loop run; null: none.</summary>
    public int? Concurrency { get; init; }

    public const int ConcurrencyMax = 4_096;

    public Arrivals Arrivals { get; init; }

    public TrafficMix Mix { get; init; }

    /// <summary>Measured part of each run.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Part before it, under the same load, not measured.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Signups screened before all runs, to measure on a database that holds some.</summary>
    public int Fill { get; init; }

    /// <summary>Measure pgbench and the database-only batches too.</summary>
    public bool Reference { get; init; }

    /// <summary>Clients of pgbench.</summary>
    public int ReferenceClients => Math.Min(Concurrency ?? ReferenceClientsMax, ReferenceClientsMax);

    /// <summary>More only wait for each other on a few processors.</summary>
    public const int ReferenceClientsMax = 32;

    /// <summary>Path of the program; null: looked for.</summary>
    public string? PgBench { get; init; }
}
