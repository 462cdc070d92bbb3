using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Configuration;
using SignupGuard.Cli.Commands;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Evaluation;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Screening;

namespace SignupGuard.Cli.Evaluation;

/// <summary>What screening a labelled stream gave, in the order of the stream.</summary>
internal sealed record EvaluatedStream(List<EvaluatedSignup> Signups, double SignupsPerSecond, long LeftOut)
{
    /// <summary>The same stream as the naive designs rank it; empty when not asked for.</summary>
    public Dictionary<string, List<EvaluatedSignup>> Baselines { get; init; } = [];

    /// <summary>Highest memory in use, MiB, as the runtime saw it.</summary>
    public long MemoryMiB { get; init; }
}

/// <summary>
/// Screens a labelled stream by the core alone, without a database. Lines are read, checked and turned into signals and keys on all
/// processors, and screened one by one in their order.
/// </summary>
internal static class MemoryEvaluation
{
    /// <summary>Lines prepared together.</summary>
    private const int ChunkLines = 32;

    /// <summary>
    /// Chunks on their way: enough for the processors, and little enough (some 10 KB a line) to be done with before the garbage collector comes
    /// by. Eight times 256 lines were kept alive by it and cost more than anything else here.
    /// </summary>
    private const int ChunksMax = 4;

    public static async Task<EvaluatedStream> RunAsync(
        string input,
        Dictionary<string, TrueLabel> truth,
        Policy policy,
        IConfiguration configuration,
        bool baselines,
        Action<long, string> report,
        CancellationToken cancellation)
    {
        using var preparation = new OfflinePreparation(configuration, policy.Linkage.Rules);
        var memory = new MemoryScreening(policy);
        var pairwise = new PairwiseBaseline();
        var signups = new List<EvaluatedSignup>();
        var ranked = baselines ? new Dictionary<string, List<EvaluatedSignup>> { ["velocity"] = [], ["pairwise"] = [] } : [];
        var shown = new Dictionary<long, int>();
        var leftOut = 0L;
        var memoryMax = 0L;
        var started = Stopwatch.GetTimestamp();

        var chunks = Channel.CreateBounded<Task<List<Prepared>>>(ChunksMax);
        var reading = ReadAsync(input, preparation, chunks.Writer, cancellation);
        await foreach (var pending in chunks.Reader.ReadAllAsync(cancellation))
        {
            foreach (var (line, linkable, problem) in await pending)
            {
                if (linkable is null || !truth.TryGetValue(linkable.Signup.SignupId, out var label))
                {
                    leftOut++;
                    report(line, problem ?? "no label for this signup");
                    continue;
                }
                var (ordinal, judgement) = memory.Screen(linkable);
                var evaluated = Begin(ordinal, linkable.AtMs, label, judgement.Verdict, judgement.LogOdds, judgement.Score);
                signups.Add(evaluated);
                if (baselines)
                {
                    ranked["velocity"].Add(Begin(ordinal, linkable.AtMs, label, Verdict.Allow, VelocityBaseline.Score(memory.Links), 0));
                    ranked["pairwise"].Add(Begin(ordinal, linkable.AtMs, label, Verdict.Allow, pairwise.Score(memory.Links), 0));
                }
                memory.DrainWorker((member, again) => signups[(int)member - 1].Raise(again, ordinal, linkable.AtMs));
                Show(memory.Clusters, evaluated, signups, shown);
            }
            memoryMax = Math.Max(memoryMax, GC.GetTotalMemory(false));
        }
        await reading;
        foreach (var signup in signups) signup.Cluster = memory.Clusters.ClusterOf(signup.Ordinal);
        return new EvaluatedStream(signups, signups.Count / Stopwatch.GetElapsedTime(started).TotalSeconds, leftOut)
        {
            Baselines = ranked,
            MemoryMiB = memoryMax >> 20,
        };
    }

    /// <summary>Notes when members are in a network that shows: it is large, and someone of it is flagged.</summary>
    /// <param name="latest">Only its network can have changed.</param>
    /// <param name="shown">Size of each network that shows, when its members were last noted.</param>
    private static void Show(ClusterGraph clusters, EvaluatedSignup latest, List<EvaluatedSignup> signups, Dictionary<long, int> shown)
    {
        if (clusters.Find(clusters.ClusterOf(latest.Ordinal)) is not { Size: >= DetectionMetrics.LargeCluster } cluster) return;
        var members = clusters.Members(cluster.Id);
        if (!shown.TryGetValue(cluster.Id, out var noted) && !members.Any(member => signups[(int)member - 1].Flagged)) return;
        // Mostly it grew by the latest alone; else others were joined to it.
        foreach (var ordinal in noted == members.Count - 1 ? [latest.Ordinal] : members)
        {
            var member = signups[(int)ordinal - 1];
            if (member.NetworkShownAtMs == 0) member.NetworkShownAtMs = latest.AtMs;
        }
        shown[cluster.Id] = members.Count;
    }

    internal static EvaluatedSignup Begin(long ordinal, long atMs, TrueLabel label, Verdict verdict, double logOdds, double score)
    {
        var signup = new EvaluatedSignup
        {
            Ordinal = ordinal,
            AtMs = atMs,
            Fraud = label.Fraud,
            Group = label.Group,
            Campaign = label.Fraud ? label.Campaign : null,
            FirstVerdict = verdict,
            FirstLogOdds = logOdds,
            FirstScore = score,
        };
        signup.Begin();
        return signup;
    }

    private sealed record Prepared(long Line, LinkableSignup? Linkable, string? Problem);

    private static async Task ReadAsync(string input, OfflinePreparation preparation, ChannelWriter<Task<List<Prepared>>> chunks, CancellationToken cancellation)
    {
        try
        {
            await using var file = File.OpenRead(input);
            var lines = new List<JsonLine>(ChunkLines);
            await foreach (var line in JsonLines.ReadAsync(file, cancellation))
            {
                lines.Add(line);
                if (lines.Count < ChunkLines) continue;
                await Send(lines);
                lines = new List<JsonLine>(ChunkLines);
            }
            await Send(lines);
            chunks.Complete();
        }
        catch (Exception failure)
        {
            chunks.Complete(failure);
        }

        ValueTask Send(List<JsonLine> some) => chunks.WriteAsync(Task.Run(() => some.ConvertAll(line => Prepare(line, preparation)), cancellation), cancellation);
    }

    private static Prepared Prepare(JsonLine line, OfflinePreparation preparation)
    {
        if (SignupLine.Read(line, out var problem) is not { } signup) return new Prepared(line.Number, null, problem?.ToString());
        var linkable = preparation.Prepare(signup, out var violations);
        return new Prepared(line.Number, linkable, linkable is null ? $"{violations[0].Field}: {violations[0].Code}" : null);
    }
}
