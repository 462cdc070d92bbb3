using System.Diagnostics;
using SignupGuard.Cli.Commands;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Screening;
using SignupGuard.V1;

namespace SignupGuard.Cli.Bench;

/// <summary>What a signup costs without network and database, on one thread, by the policy shipped.</summary>
/// <param name="PrepareMicroseconds">Steps 1 to 4: validate, canonicalise, signals, link keys.</param>
/// <param name="ScreenMicroseconds">Steps 6 and 7, and the network: link, judge, count, join clusters.</param>
internal sealed record CoreMeasurement(double PrepareMicroseconds, double ScreenMicroseconds, double PrepareBytes, double ScreenBytes)
{
    public double PerSecond => 1_000_000 / (PrepareMicroseconds + ScreenMicroseconds);

    public double Bytes => PrepareBytes + ScreenBytes;

    /// <summary>Signups for a second of the runs' length, and at most.</summary>
    private const int SignupsPerSecond = 1_000;
    private const int SignupsMax = 40_000;

    /// <summary>How many to measure with where the runs have this length.</summary>
    public static int Signups(TimeSpan duration) => (int)Math.Min(SignupsMax, SignupsPerSecond * duration.TotalSeconds);

    /// <summary>Screens all; measures the later half, when code is compiled and caches and keys are warm.</summary>
    public static CoreMeasurement Measure(List<Signup> signups)
    {
        var policy = PolicyReader.Read(DefaultPolicy.Yaml, 1).Policy ?? throw new InvalidOperationException("The policy shipped does not validate.");
        using var preparation = new OfflinePreparation(EvaluateCommand.Configuration(), policy.Linkage.Rules);
        var memory = new MemoryScreening(policy);
        var warm = signups.Count / 2;
        Pass(signups[..warm], preparation, memory);
        return Pass(signups[warm..], preparation, memory);
    }

    private static CoreMeasurement Pass(List<Signup> signups, OfflinePreparation preparation, MemoryScreening memory)
    {
        var prepared = new List<LinkableSignup>(signups.Count);
        var (bytes, started) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        foreach (var signup in signups)
        {
            if (preparation.Prepare(signup, out var violations) is { } linkable) prepared.Add(linkable);
            else throw new InvalidDataException($"A simulated signup breaks the contract: {violations[0].Field}.");
        }
        var (prepare, prepareBytes) = (Stopwatch.GetElapsedTime(started), GC.GetAllocatedBytesForCurrentThread() - bytes);
        (bytes, started) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        foreach (var linkable in prepared)
        {
            memory.Screen(linkable);
            memory.DrainWorker(static (_, _) => { });
        }
        var (screen, screenBytes) = (Stopwatch.GetElapsedTime(started), GC.GetAllocatedBytesForCurrentThread() - bytes);
        return new CoreMeasurement(
            prepare.TotalMicroseconds / signups.Count,
            screen.TotalMicroseconds / signups.Count,
            (double)prepareBytes / signups.Count,
            (double)screenBytes / signups.Count);
    }
}
