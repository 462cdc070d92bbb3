using System.Net;
using Microsoft.Extensions.Logging;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;
using SignupGuard.Service.Screening.Collectors;

namespace SignupGuard.IntegrationTests.Signals;

/// <summary>Every state of a group, brought about by data and clocks, not by waiting.</summary>
public sealed class CollectionStateTests
{
    private const string Chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

    [Test]
    public void Nothing_sent_is_missing_in_every_group()
    {
        var signals = SignalFixture.Signals.Collect(SignalFixture.Signup());
        Assert.That(States(signals), Has.All.EqualTo((SignalState.Missing, "NOT_GIVEN")));
    }

    [Test]
    public async Task What_was_sent_is_present_with_and_without_a_deadline()
    {
        var signup = Whole();
        var clock = new ManualClock(SignalFixture.Now);
        var collection = SignalFixture.Collection(SignalFixture.Restored, clock: clock);
        var now = collection.Collect(signup);
        Assert.That(States(now), Has.All.EqualTo((SignalState.Present, (string?)null)));
        var awaited = await collection.CollectAsync(signup, CancellationToken.None);
        Assert.That(awaited.Email, Is.EqualTo(now.Email));
        Assert.That(awaited.Ip, Is.EqualTo(now.Ip));
        Assert.That(awaited.Phone, Is.EqualTo(now.Phone));
        Assert.That(awaited.Device.Value!.Browser, Is.EqualTo("Chrome"));
    }

    [Test]
    public void Without_reference_data_its_signals_are_missing_and_the_store_says_so()
    {
        var log = new RecordingLogger<ReferenceDataStore>();
        var store = SignalFixture.Store(new SignalOptions { ReferenceDataFolder = Path.Combine(Path.GetTempPath(), "none-" + Guid.NewGuid()) }, log);
        var signals = SignalFixture.Collection(store).Collect(Whole());

        Assert.That(log.Of(LogLevel.Warning), Has.Some.Contains("autonomous systems").And.Some.Contains("user-agent patterns"));
        Assert.That(store.Status.Complete, Is.False);
        Assert.That(store.Status.Missing, Is.SupersetOf(new[] { "country of addresses", "autonomous systems", "public suffixes", "disposable domains", "free-mail domains", "user-agent patterns" }));
        var (email, ip, device) = (signals.Email.Value!, signals.Ip.Value!, signals.Device.Value!);
        Assert.That((email.Disposable, email.Free, email.RegistrableDomain), Is.EqualTo(((bool?)null, (bool?)null, (string?)null)));
        Assert.That((ip.Country, ip.Asn, ip.NetworkClass, ip.Hosting, ip.TimeZoneMatches), Is.EqualTo(((string?)null, (long?)null, (string?)null, (bool?)null, (bool?)null)));
        Assert.That((device.Browser, device.Bot, device.Headless, device.LanguageMatchesCountry), Is.EqualTo(((string?)null, (bool?)null, (bool?)null, (bool?)null)));
        // What needs no list is there.
        Assert.That((email.Canonical, ip.Net, device.Language), Is.EqualTo(("anna@example.org", "73.162.10.0/24", "en")));
        Assert.That((signals.Payment.Value!.IssuerMatchesIpCountry, signals.Phone.Value!.MatchesIpCountry), Is.EqualTo(((bool?)null, (bool?)null)));
    }

    [Test]
    public void An_old_database_makes_the_group_stale_and_keeps_its_value()
    {
        var clock = new ManualClock(SignalFixture.Now);
        var store = SignalFixture.Store(new SignalOptions(), clock: clock);
        var collection = SignalFixture.Collection(store, clock: clock);
        Assert.That(collection.Collect(Whole()).Ip.State, Is.EqualTo(SignalState.Present));
        clock.Advance(TimeSpan.FromDays(366));
        var ip = collection.Collect(Whole()).Ip;
        Assert.That((ip.State, ip.Detail, ip.Value!.Country), Is.EqualTo((SignalState.Stale, "OLD_DATABASE", "US")));
        Assert.That(store.Status.Parts.Where(part => part.Stale).Select(part => part.Name), Is.EquivalentTo(new[] { "country of addresses", "autonomous systems" }));
        Assert.That(store.Status.Complete, Is.False);
    }

    [Test]
    public async Task A_parse_that_misses_the_deadline_times_the_device_out_and_is_there_for_the_next_signup()
    {
        var clock = new ManualClock(SignalFixture.Now);
        var queue = new QueueScheduler();
        var collection = SignalFixture.Collection(SignalFixture.Restored, clock: clock, parsing: queue);

        var first = collection.CollectAsync(Whole(), CancellationToken.None);
        Assert.That(first.IsCompleted, Is.False);
        clock.Advance(TimeSpan.FromMilliseconds(new SignalOptions().DeadlineMilliseconds));
        var late = await first;
        Assert.That((late.Device.State, late.Device.Detail), Is.EqualTo((SignalState.TimedOut, "DEADLINE_PASSED")));
        Assert.That((late.Email.State, late.Ip.State, late.Phone.State, late.Payment.State), Is.EqualTo((SignalState.Present, SignalState.Present, SignalState.Present, SignalState.Present)));

        // A second signup with that user agent waits for the same parse and starts none of its own.
        var second = collection.CollectAsync(Whole(), CancellationToken.None);
        Assert.That(queue.Count, Is.EqualTo(1));
        queue.RunAll();
        Assert.That((await second).Device.Value!.Browser, Is.EqualTo("Chrome"));
        var third = collection.CollectAsync(Whole(), CancellationToken.None);
        Assert.That(third.IsCompletedSuccessfully);
        Assert.That((await third).Device.State, Is.EqualTo(SignalState.Present));
    }

    [Test]
    public async Task Groups_reached_after_the_deadline_are_timed_out_each_for_itself()
    {
        // Every look at the clock moves it on: the budget is spent after the first groups.
        var clock = new SteppingClock(SignalFixture.Now, TimeSpan.FromMilliseconds(11));
        var collection = SignalFixture.Collection(SignalFixture.Restored, clock: clock);
        collection.Collect(Whole());
        var signals = await collection.CollectAsync(Whole(), CancellationToken.None);
        Assert.That(signals.Email.State, Is.EqualTo(SignalState.Present));
        Assert.That((signals.Payment.State, signals.Payment.Detail), Is.EqualTo((SignalState.TimedOut, "DEADLINE_PASSED")));
    }

    [Test]
    public void A_caller_that_gives_up_is_told_so()
    {
        var queue = new QueueScheduler();
        var collection = SignalFixture.Collection(SignalFixture.Restored, parsing: queue);
        using var cancel = new CancellationTokenSource();
        var waiting = collection.CollectAsync(Whole(), cancel.Token).AsTask();
        cancel.Cancel();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_fault_in_one_group_fails_that_group_alone_and_logs_no_personal_data()
    {
        var folder = Directory.CreateTempSubdirectory("signals-").FullName;
        try
        {
            // A record of the wrong form, where the check at load does not look.
            new MmdbWriter("GeoIP2-City", 6, SignalFixture.Now).Add("73.162.10.20/32", new() { ["country"] = "US" }).Save(folder, "city.mmdb");
            var store = SignalFixture.Store(new SignalOptions { GeoIpFolder = folder });
            Assert.That(store.Status.Parts.Single(part => part.Name == "city.mmdb").State, Is.EqualTo(ReferencePartState.Loaded));
            var log = new RecordingLogger<SignalCollection>();
            var collection = SignalFixture.Collection(store, logger: log);

            var signup = Whole();
            foreach (var signals in new[] { collection.Collect(signup), await collection.CollectAsync(signup, CancellationToken.None) })
            {
                Assert.That((signals.Ip.State, signals.Ip.Detail, signals.Ip.Value), Is.EqualTo((SignalState.Failed, "COLLECTOR_FAILED", (IpSignals?)null)));
                Assert.That((signals.Email.State, signals.Phone.State, signals.Device.State, signals.Payment.State), Is.EqualTo((SignalState.Present, SignalState.Present, SignalState.Present, SignalState.Present)));
                Assert.That(signals.Payment.Value!.IssuerMatchesIpCountry, Is.Null);
            }
            Assert.That(log.Errors, Has.Count.EqualTo(2));
            Assert.That(log.Errors[0], Does.Contain("ip").And.Not.Contain("73.162").And.Not.Contain("anna").And.Not.Contain("Jones"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task A_parse_that_fails_fails_the_device_and_is_tried_again_next_time()
    {
        var queue = new QueueScheduler { Refuse = true };
        var log = new RecordingLogger<SignalCollection>();
        var collection = SignalFixture.Collection(SignalFixture.Restored, logger: log, parsing: queue);
        var failed = await collection.CollectAsync(Whole(), CancellationToken.None);
        Assert.That((failed.Device.State, failed.Device.Detail), Is.EqualTo((SignalState.Failed, "COLLECTOR_FAILED")));
        Assert.That(failed.Email.State, Is.EqualTo(SignalState.Present));

        queue.Refuse = false;
        var again = collection.CollectAsync(Whole(), CancellationToken.None);
        queue.RunAll();
        Assert.That((await again).Device.State, Is.EqualTo(SignalState.Present));
    }

    [Test]
    public void A_signup_whose_user_agent_is_known_allocates_little()
    {
        var collection = SignalFixture.Collection(SignalFixture.Restored);
        var signup = Whole();
        for (var i = 0; i < 100; i++) collection.Collect(signup);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) collection.Collect(signup);
        var perSignup = (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
        TestContext.Out.WriteLine($"{perSignup} bytes a signup");
        Assert.That(perSignup, Is.LessThan(4096));
    }

    private static Signup Whole() => SignalFixture.Signup() with
    {
        Subject = new Subject { GivenName = "Anna", FamilyName = "Jones" },
        Email = new EmailInput("Anna+news@Example.org", null),
        Phone = new PhoneInput("+1 415 555 2671", null, null, null),
        Network = new NetworkInput { Ip = IPAddress.Parse("73.162.10.20") },
        Device = new DeviceInput
        {
            UserAgent = Chrome,
            AcceptLanguage = "en-US,en;q=0.9",
            TimeZone = "America/New_York",
            UtcOffsetMinutes = -240,
        },
        Payment = new PaymentInput
        {
            Kind = "card",
            IssuerCountry = "US",
            HolderName = "ANNA JONES",
        },
    };

    private static (SignalState, string?)[] States(SignupSignals signals) =>
    [
        (signals.Email.State, signals.Email.Detail),
        (signals.Phone.State, signals.Phone.Detail),
        (signals.Ip.State, signals.Ip.Detail),
        (signals.Device.State, signals.Device.Detail),
        (signals.Payment.State, signals.Payment.Detail),
    ];

    /// <summary>Runs nothing until told to.</summary>
    private sealed class QueueScheduler : TaskScheduler
    {
        private readonly Queue<Task> _tasks = new();

        public bool Refuse { get; set; }

        public int Count => _tasks.Count;

        public void RunAll()
        {
            while (_tasks.TryDequeue(out var task)) TryExecuteTask(task);
        }

        protected override void QueueTask(Task task)
        {
            if (Refuse) throw new InvalidOperationException("No thread to be had.");
            _tasks.Enqueue(task);
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task> GetScheduledTasks() => _tasks;
    }

    private sealed class SteppingClock(DateTimeOffset start, TimeSpan step) : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => start;

        public override long GetTimestamp() => start.Ticks + (step.Ticks * Interlocked.Increment(ref _looks));
    }
}
