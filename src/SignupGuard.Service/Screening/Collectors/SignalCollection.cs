using System.Net;
using BitFaster.Caching.Lru;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;

namespace SignupGuard.Service.Screening.Collectors;

/// <summary>
/// Collects the signals of a signup: step 3 of its way. Every group says for itself whether it is present, missing, stale, timed out or
/// failed; no fault of one touches another, and none stops the screening.
/// </summary>
public sealed class SignalCollection
{
    /// <summary>The group's collector did not finish within the deadline.</summary>
    public const string DeadlinePassed = "DEADLINE_PASSED";

    /// <summary>The group's collector met a fault, which the log describes.</summary>
    public const string CollectorFailed = "COLLECTOR_FAILED";

    private readonly ReferenceDataStore _store;
    private readonly TimeProvider _clock;
    private readonly ILogger<SignalCollection> _logger;
    private readonly TaskScheduler _parsing;
    private readonly TimeSpan _deadline;
    private readonly int _agentsMax;

    private ParsedAgents? _agents;

    public SignalCollection(ReferenceDataStore store, IOptions<SignalOptions> options, TimeProvider clock, ILogger<SignalCollection> logger)
        : this(store, options, clock, logger, TaskScheduler.Default)
    {
    }

    /// <param name="parsing">Where user agents are parsed on a miss.</param>
    internal SignalCollection(ReferenceDataStore store, IOptions<SignalOptions> options, TimeProvider clock, ILogger<SignalCollection> logger, TaskScheduler parsing)
    {
        _store = store;
        _clock = clock;
        _logger = logger;
        _parsing = parsing;
        _deadline = TimeSpan.FromMilliseconds(options.Value.DeadlineMilliseconds);
        _agentsMax = options.Value.UserAgentCacheSize;
    }

    /// <summary>What the reference data tells of an address, without a signup; null for one that can't be a client's on the Internet.</summary>
    public IpFacts? Lookup(IPAddress address)
    {
        var unwrapped = AddressSpace.Unwrap(address);
        return AddressSpace.SpecialPurpose(unwrapped) is null ? IpCollector.Lookup(unwrapped, _store.Current) : null;
    }

    /// <summary>All signals, without a deadline: for replay, backtests and the in-memory engine.</summary>
    public SignupSignals Collect(Signup signup)
    {
        var data = _store.Current;
        ParsedUserAgent? agent = null;
        var device = default(Signal<DeviceSignals>?);
        if (signup.Device?.UserAgent is { Length: > 0 } text && data.UserAgents is { } parser)
        {
            try
            {
                agent = Agents(parser).Now(text);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                device = Failed<DeviceSignals>("device", e);
            }
        }
        return Collect(signup, data, agent, device, started: null);
    }

    /// <summary>
    /// All signals within the deadline. A group that is not ready by then is timed out; what it waited for goes on and is there for the
    /// next signup.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public ValueTask<SignupSignals> CollectAsync(Signup signup, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var started = _clock.GetTimestamp();
        var data = _store.Current;
        if (signup.Device?.UserAgent is not { Length: > 0 } text || data.UserAgents is not { } parser) return new(Collect(signup, data, null, null, started));
        var parsing = Agents(parser).Start(text, _parsing);
        return parsing.IsCompletedSuccessfully
            ? new(Collect(signup, data, parsing.Result, null, started))
            : new(CollectAfterAsync(signup, data, parsing, started, cancellationToken));
    }

    private async Task<SignupSignals> CollectAfterAsync(Signup signup, ReferenceSnapshot data, Task<ParsedUserAgent> parsing, long started, CancellationToken cancellationToken)
    {
        // The groups that need no waiting come first, so that the wait costs them nothing.
        var (email, ip) = (Email(signup, data, started), Ip(signup, data, started));
        var country = ip.Value?.Country;
        var (phone, payment) = (Phone(signup, country, started), Payment(signup, country, started));
        Signal<DeviceSignals> device;
        var left = _deadline - _clock.GetElapsedTime(started);
        try
        {
            var agent = await parsing.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, _clock, cancellationToken);
            device = Device(signup, data, agent, country, started);
        }
        catch (TimeoutException)
        {
            device = Signal<DeviceSignals>.TimedOut(DeadlinePassed);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            device = Failed<DeviceSignals>("device", e);
        }
        return new SignupSignals
        {
            Email = email,
            Phone = phone,
            Ip = ip,
            Device = device,
            Payment = payment,
        };
    }

    private SignupSignals Collect(Signup signup, ReferenceSnapshot data, ParsedUserAgent? agent, Signal<DeviceSignals>? device, long? started)
    {
        var email = Email(signup, data, started);
        var ip = Ip(signup, data, started);
        var country = ip.Value?.Country;
        return new SignupSignals
        {
            Email = email,
            Phone = Phone(signup, country, started),
            Ip = ip,
            Device = device ?? Device(signup, data, agent, country, started),
            Payment = Payment(signup, country, started),
        };
    }

    private Signal<EmailSignals> Email(Signup signup, ReferenceSnapshot data, long? started) =>
        Guarded("email", started, (signup, data), static x => EmailCollector.Collect(x.signup, x.data));

    private Signal<IpSignals> Ip(Signup signup, ReferenceSnapshot data, long? started) =>
        Guarded("ip", started, (signup, data, _clock), static x => IpCollector.Collect(x.signup, x.data, x._clock.GetUtcNow()));

    private Signal<PhoneSignals> Phone(Signup signup, string? country, long? started) =>
        Guarded("phone", started, (signup, country), static x => PhoneCollector.Collect(x.signup, x.country));

    private Signal<PaymentSignals> Payment(Signup signup, string? country, long? started) =>
        Guarded("payment", started, (signup, country), static x => PaymentDerivation.Derive(x.signup, x.country));

    private Signal<DeviceSignals> Device(Signup signup, ReferenceSnapshot data, ParsedUserAgent? agent, string? country, long? started) =>
        Guarded("device", started, (signup, data, agent, country), static x => DeviceCollector.Collect(x.signup, x.data, x.agent, x.country));

    private Signal<T> Guarded<T, TInput>(string group, long? started, TInput input, Func<TInput, Signal<T>> collect)
        where T : class
    {
        if (started is { } start && _clock.GetElapsedTime(start) >= _deadline) return Signal<T>.TimedOut(DeadlinePassed);
        try
        {
            return collect(input);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Failed<T>(group, e);
        }
    }

    private Signal<T> Failed<T>(string group, Exception fault)
        where T : class
    {
        // The message and the stack's values may hold what the person entered; the type and the place do not.
        CollectorLog.Failed(_logger, group, fault.GetType().Name, fault.TargetSite?.Name);
        return Signal<T>.Failed(CollectorFailed);
    }

    private ParsedAgents Agents(UserAgentParser parser)
    {
        var agents = Volatile.Read(ref _agents);
        if (agents?.Parser == parser) return agents;
        // New patterns: what the old ones said is dropped. Two that come here at once may each drop the other's first entries, no more.
        agents = new ParsedAgents(parser, _agentsMax);
        Volatile.Write(ref _agents, agents);
        return agents;
    }

    /// <summary>User agents parsed by one set of patterns. The parse itself is kept, running or done: many signups with one new user agent start it once.</summary>
    private sealed class ParsedAgents(UserAgentParser parser, int max)
    {
        private readonly ConcurrentLru<string, Task<ParsedUserAgent>> _parses = new(max);

        public UserAgentParser Parser => parser;

        public ParsedUserAgent Now(string text)
        {
            if (_parses.TryGet(text, out var known) && known.IsCompletedSuccessfully) return known.Result;
            var parsed = parser.Parse(text);
            _parses.AddOrUpdate(text, Task.FromResult(parsed));
            return parsed;
        }

        public Task<ParsedUserAgent> Start(string text, TaskScheduler scheduler)
        {
            if (_parses.TryGet(text, out var known) && !known.IsFaulted) return known;
            Task<ParsedUserAgent> parsing;
            try
            {
                parsing = Task.Factory.StartNew(() => parser.Parse(text), CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler);
            }
            catch (TaskSchedulerException e)
            {
                // No thread to be had: the device's fault alone, as any other.
                return Task.FromException<ParsedUserAgent>(e);
            }
            _parses.AddOrUpdate(text, parsing);
            return parsing;
        }
    }
}

internal static partial class CollectorLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The {Group} signals of a signup could not be collected: {Fault} in {Method}")]
    public static partial void Failed(ILogger logger, string group, string fault, string? method);
}
