using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;
using SignupGuard.Service.Screening.Collectors;

namespace SignupGuard.IntegrationTests.Signals;

/// <summary>Signals over the data that the build restored; loaded once for all tests that don't change it.</summary>
internal static class SignalFixture
{
    /// <summary>Between the restored databases' build and their age limit, whenever the tests run.</summary>
    public static readonly DateTimeOffset Now = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly Lazy<ReferenceDataStore> SharedStore = new(() => Store(new SignalOptions()));

    private static readonly Lazy<SignalCollection> SharedCollection = new(() => Collection(SharedStore.Value));

    public static ReferenceDataStore Restored => SharedStore.Value;

    public static SignalCollection Signals => SharedCollection.Value;

    public static ReferenceDataStore Store(SignalOptions options, ILogger<ReferenceDataStore>? logger = null, TimeProvider? clock = null) =>
        new(Options.Create(options), logger ?? NullLogger<ReferenceDataStore>.Instance, clock ?? new ManualClock(Now));

    public static SignalCollection Collection(
        ReferenceDataStore store,
        SignalOptions? options = null,
        TimeProvider? clock = null,
        ILogger<SignalCollection>? logger = null,
        TaskScheduler? parsing = null) =>
        new(store, Options.Create(options ?? new SignalOptions()), clock ?? new ManualClock(Now), logger ?? NullLogger<SignalCollection>.Instance, parsing ?? TaskScheduler.Default);

    public static Signup Signup() => new()
    {
        SignupId = "s-1",
        OccurredAt = Now,
    };

    public static Signup From(string ip) => Signup() with { Network = new NetworkInput { Ip = IPAddress.Parse(ip) } };
}

/// <summary>A clock that stands still until moved; its timers fire when it passes them.</summary>
internal sealed class ManualClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = start;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_lock) _timers.Add(timer);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        ManualTimer[] due;
        lock (_lock)
        {
            _now += by;
            due = [.. _timers.Where(timer => timer.Due <= _now)];
        }
        foreach (var timer in due) timer.Fire();
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public void Fire()
        {
            Due = DateTimeOffset.MaxValue;
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime < TimeSpan.Zero ? DateTimeOffset.MaxValue : clock.GetUtcNow() + dueTime;
            return true;
        }

        public void Dispose() => Due = DateTimeOffset.MaxValue;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
