using SignupGuard.Simulation.Campaigns;
using SignupGuard.Simulation.Populations;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation;

/// <summary>
/// One run: signups of ordinary people and of attackers, in order of time, one at a time. Enumerate once. Memory grows with the people whose second
/// member is still to come and with the campaigns' plans (8 bytes an attack account), not with the benign signups.
/// Not thread-safe.
/// </summary>
public sealed class SimulationRun
{
    private readonly PriorityQueue<Source, (long AtMs, int Order)> _sources = new();
    private readonly Dictionary<Source, int> _order = [];
    private readonly ulong _runId;
    private long _nowMs;
    private int _made;

    /// <exception cref="ArgumentException">The options are not valid; the message says why.</exception>
    public SimulationRun(SimulationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Validate() is { Count: > 0 } errors) throw new ArgumentException(string.Join(' ', errors), nameof(options));
        Options = options;
        _runId = RunId(options);
        var startMs = options.Start.ToUnixTimeMilliseconds();
        var endMs = startMs + (long)(options.Days * 86_400_000);
        var world = new Surroundings(RandomSource.Mix(options.Seed), options.Start.Year, startMs, endMs, options.Benign);
        foreach (var source in BenignPopulations.Make(world, options.Benign).Concat(Families.Make(world, options)))
        {
            _order[source] = _order.Count;
            _sources.Enqueue(source, (source.NextAtMs, _order[source]));
        }
    }

    public SimulationOptions Options { get; }

    /// <summary>All signups of a run without feedback.</summary>
    public static IEnumerable<SimulatedSignup> Of(SimulationOptions options) => new SimulationRun(options).Signups();

    /// <summary>The run, lazily. Between two signups <see cref="ReportDenied"/> may tell the attackers what happened.</summary>
    public IEnumerable<SimulatedSignup> Signups()
    {
        while (_sources.TryDequeue(out var source, out var entry))
        {
            // An entry is stale when feedback moved the source's next signup.
            if (source.NextAtMs == long.MaxValue || entry.AtMs != source.NextAtMs) continue;
            _nowMs = entry.AtMs;
            var signup = source.Emit(SignupId(_made++));
            _sources.Enqueue(source, (source.NextAtMs, entry.Order));
            yield return signup;
        }
    }

    /// <summary>
    /// Tells the campaign behind a signup that it was denied, as the attacker would notice: it replaces the account (hydra), or changes a habit (adaptive),
    /// or drops the address (others). Honest people do not react. Telling it twice has no further effect.
    /// </summary>
    public void ReportDenied(SimulatedSignup signup)
    {
        ArgumentNullException.ThrowIfNull(signup);
        if (signup.Attempt is not { Denied: false } attempt) return;
        attempt.Denied = true;
        var campaign = attempt.Campaign;
        var before = campaign.NextAtMs;
        campaign.OnDenied(attempt, _nowMs);
        if (campaign.NextAtMs != before) _sources.Enqueue(campaign, (campaign.NextAtMs, _order[campaign]));
    }

    /// <summary>Ids differ between runs with other options, and say nothing about the signup.</summary>
    private string SignupId(int index) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"su_{_runId & 0xFFFFFFFFFF:x10}_{index:d9}");

    private static ulong RunId(SimulationOptions options)
    {
        var id = RandomSource.Mix(options.Seed + 1);
        id = RandomSource.Mix(id ^ (ulong)options.Benign);
        id = RandomSource.Mix(id ^ BitConverter.DoubleToUInt64Bits(options.Days));
        id = RandomSource.Mix(id ^ (ulong)options.Start.ToUnixTimeMilliseconds());
        id = RandomSource.Mix(id ^ (ulong)options.Parameters);
        foreach (var (family, count) in (options.Families ?? Families.DefaultMix(options.Benign)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            id = RandomSource.Mix(id ^ RandomSource.Hash(family) ^ (ulong)count);
        foreach (var (name, range) in options.ParameterOverrides.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            id = RandomSource.Mix(id ^ RandomSource.Hash(name));
            id = RandomSource.Mix(id ^ BitConverter.DoubleToUInt64Bits(range.Low));
            id = RandomSource.Mix(id ^ BitConverter.DoubleToUInt64Bits(range.High));
        }
        return id;
    }
}
