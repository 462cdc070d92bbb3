using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Grpc.Core;
using Grpc.Net.Client;
using HdrHistogram;
using SignupGuard.V1;

namespace SignupGuard.Cli.Bench;

/// <summary>Latencies in microseconds, up to a minute, to three digits.</summary>
internal sealed class LatencyRecord
{
    private const long MicrosecondsMax = 60_000_000;

    private readonly LongConcurrentHistogram _histogram = new(1, MicrosecondsMax, 3);

    public long Count => _histogram.TotalCount;

    public void Record(TimeSpan latency) => _histogram.RecordValue(Math.Clamp((long)latency.TotalMicroseconds, 1, MicrosecondsMax));

    public double Milliseconds(double percentile) => Count == 0 ? 0 : Math.Round(_histogram.GetValueAtPercentile(percentile) / 1_000d, 3);

    public double MaxMilliseconds => Milliseconds(100);
}

/// <summary>What one run gave.</summary>
internal sealed record LoadResult
{
    /// <summary>"closed", or the rate.</summary>
    public required string Name { get; init; }

    public double? Rate { get; init; }

    public int? Concurrency { get; init; }

    /// <summary>Length of the measured part.</summary>
    public required double Seconds { get; init; }

    /// <summary>Right answers that came in the measured part.</summary>
    public required long Answered { get; init; }

    public double PerSecond => Answered / Seconds;

    /// <summary>By status, over the whole run.</summary>
    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    public required LatencyRecord Latency { get; init; }

    /// <summary>How late the generator itself sent: part of the latencies of an open loop.</summary>
    public LatencyRecord? SentLate { get; init; }
}

/// <summary>
/// Sends calls and takes the times. In an open loop a signup's time runs from when it was due, not from when it could be sent, so a service that
/// stalls is charged for all who would have come meanwhile.
/// </summary>
internal sealed class LoadGenerator : IDisposable
{
    /// <summary>Calls under way at once in an open loop; beyond it sending waits, and the wait counts as latency.</summary>
    private const int InFlightMax = 8_000;

    /// <summary>What is still unanswered so long after the last call is an error.</summary>
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(15);

    private static readonly Marshaller<byte[]> AsIs = Marshallers.Create(static bytes => bytes, static bytes => bytes);

    /// <summary>The contract's own method, without the work of reading and writing messages.</summary>
    private static readonly Method<byte[], byte[]> ScreenSignup = new(MethodType.Unary, ScreeningService.Descriptor.FullName, nameof(ScreenSignup), AsIs, AsIs);

    private readonly List<GrpcChannel> _channels;
    private readonly List<CallInvoker> _replicas;

    public LoadGenerator(IReadOnlyList<Uri> addresses)
    {
        _channels = addresses.Select(address => GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true },
            DisposeHttpClient = true,
        })).ToList();
        _replicas = _channels.ConvertAll(channel => channel.CreateCallInvoker());
    }

    public void Dispose() => _channels.ForEach(channel => channel.Dispose());

    /// <summary>Sends all, a bounded number at a time, and measures nothing but errors.</summary>
    public async Task<IReadOnlyDictionary<string, long>> SendAllAsync(List<BenchRequest> requests, int concurrency, CancellationToken cancellation)
    {
        var run = new Run(requests, TimeSpan.Zero, TimeSpan.MaxValue);
        await WorkAsync(run, concurrency, cancellation);
        return run.Errors;
    }

    /// <summary>A number of callers, each sending its next signup when it has the answer to the last.</summary>
    public async Task<LoadResult> ClosedLoopAsync(List<BenchRequest> requests, int concurrency, TimeSpan warmUp, TimeSpan duration, CancellationToken cancellation)
    {
        var run = new Run(requests, warmUp, duration);
        await WorkAsync(run, concurrency, cancellation);
        return run.Result("closed") with { Concurrency = concurrency };
    }

    /// <summary>Signups at a rate, whether answers come or not.</summary>
    public async Task<LoadResult> OpenLoopAsync(List<BenchRequest> requests, double rate, Arrivals arrivals, TimeSpan warmUp, TimeSpan duration, CancellationToken cancellation)
    {
        var run = new Run(requests, warmUp, duration);
        var late = new LatencyRecord();
        using var room = new SemaphoreSlim(InFlightMax);
        // A thread of its own: the pool's may be busy when a signup is due.
        var sending = new Thread(() => SendOnTime(run, rate, arrivals, late, room, cancellation)) { IsBackground = true, Name = "arrivals" };
        run.Begin();
        sending.Start();
        await Task.Run(sending.Join, CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        // All room back: all answered.
        var deadline = Stopwatch.GetTimestamp() + (long)(AnswerTimeMax.TotalSeconds * Stopwatch.Frequency);
        while (room.CurrentCount < InFlightMax && Stopwatch.GetTimestamp() < deadline) await Task.Delay(10, cancellation);
        for (var left = InFlightMax - room.CurrentCount; left > 0; left--) run.CountError("unanswered");
        return run.Result(rate.ToString(System.Globalization.CultureInfo.InvariantCulture)) with { Rate = rate, SentLate = late };
    }

    private void SendOnTime(Run run, double rate, Arrivals arrivals, LatencyRecord late, SemaphoreSlim room, CancellationToken cancellation)
    {
        // The same gaps in every run.
        var random = new Random(1);
        var due = 0d;
        for (var i = 0; i < run.Requests.Count && !cancellation.IsCancellationRequested; i++)
        {
            due += (arrivals == Arrivals.Fixed ? 1 : -Math.Log(1 - random.NextDouble())) / rate;
            var at = TimeSpan.FromSeconds(due);
            if (at >= run.End) return;
            PreciseWait.Until(run.Started, at);
            room.Wait(CancellationToken.None);
            if (at >= run.WarmUp) late.Record(Stopwatch.GetElapsedTime(run.Started) - at);
            _ = SendAsync(i, at);
        }

        async Task SendAsync(int index, TimeSpan at)
        {
            await CallAsync(run, index, at, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            room.Release();
        }
    }

    private async Task WorkAsync(Run run, int concurrency, CancellationToken cancellation)
    {
        run.Begin();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => Task.Run(WorkerAsync, cancellation)));

        async Task WorkerAsync()
        {
            while (Interlocked.Increment(ref next) is var index && index < run.Requests.Count)
            {
                var at = Stopwatch.GetElapsedTime(run.Started);
                if (at >= run.End) return;
                await CallAsync(run, index, at, cancellation);
            }
        }
    }

    private async Task CallAsync(Run run, int index, TimeSpan at, CancellationToken cancellation)
    {
        var request = run.Requests[index];
        try
        {
            using var call = _replicas[index % _replicas.Count].AsyncUnaryCall(ScreenSignup, null, new CallOptions(cancellationToken: cancellation), request.Message);
            var answer = await call.ResponseAsync.ConfigureAwait(false);
            run.CountAnswer(at, answer.AsSpan().IndexOf(request.SignupId) >= 0);
        }
        catch (RpcException failure)
        {
            cancellation.ThrowIfCancellationRequested();
            run.CountError(failure.StatusCode.ToString());
        }
    }

    private sealed class Run(List<BenchRequest> requests, TimeSpan warmUp, TimeSpan duration)
    {
        private readonly ConcurrentDictionary<string, long> _errors = new(StringComparer.Ordinal);
        private readonly LatencyRecord _latency = new();
        private long _answered;
        private long _last;

        public List<BenchRequest> Requests => requests;

        public TimeSpan WarmUp => warmUp;

        public TimeSpan End { get; } = duration == TimeSpan.MaxValue ? duration : warmUp + duration;

        public long Started { get; private set; }

        public IReadOnlyDictionary<string, long> Errors => _errors;

        public void Begin() => Started = Stopwatch.GetTimestamp();

        public void CountAnswer(TimeSpan at, bool right)
        {
            if (!right)
            {
                CountError("wrong_answer");
                return;
            }
            var now = Stopwatch.GetElapsedTime(Started);
            if (now >= warmUp && now < End)
            {
                Interlocked.Increment(ref _answered);
                InterlockedMax(ref _last, now.Ticks);
            }
            if (at >= warmUp) _latency.Record(now - at);
        }

        public void CountError(string status) => _errors.AddOrUpdate(status, 1, static (_, count) => count + 1);

        public LoadResult Result(string name) => new()
        {
            Name = name,
            // Shorter than asked for when the signups ran out.
            Seconds = Math.Max(0.001, (Math.Min(End.Ticks, Math.Max(_last, warmUp.Ticks)) - warmUp.Ticks) / (double)TimeSpan.TicksPerSecond),
            Answered = _answered,
            Errors = _errors,
            Latency = _latency,
        };

        private static void InterlockedMax(ref long place, long value)
        {
            for (var seen = Volatile.Read(ref place); value > seen;)
            {
                var before = Interlocked.CompareExchange(ref place, value, seen);
                if (before == seen) return;
                seen = before;
            }
        }
    }
}

/// <summary>Waits to within a tenth of a millisecond without keeping a processor busy, which the service needs.</summary>
internal static class PreciseWait
{
    public static void Until(long started, TimeSpan at)
    {
        while (at - Stopwatch.GetElapsedTime(started) is var left && left > TimeSpan.Zero)
        {
            if (OperatingSystem.IsWindows())
            {
                Thread.Sleep(left > TimeSpan.FromMilliseconds(1) ? 1 : 0);
                continue;
            }
            var wait = new TimeSpec((nint)(left.Ticks / TimeSpan.TicksPerSecond), (nint)(left.Ticks % TimeSpan.TicksPerSecond * 100));
            // Cut short by a signal it returns early; the loop waits for the rest.
            _ = nanosleep(wait, 0);
        }
    }

    private readonly record struct TimeSpec(nint Seconds, nint Nanoseconds);

#pragma warning disable IDE1006, CA5392, SYSLIB1054 // the C library's own name; two numbers need no generated marshalling
    [DllImport("libc")]
    private static extern int nanosleep(in TimeSpec wait, nint left);
#pragma warning restore IDE1006, CA5392, SYSLIB1054
}
