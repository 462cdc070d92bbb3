using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.IntegrationTests.Policies;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>A service whose policy flags what a test marks, and reviewers at work on it.</summary>
internal sealed class ReviewBench : IAsyncDisposable
{
    /// <summary>The shipped policy, and two rules by which a test chooses a signup's verdict.</summary>
    private static readonly string Policy = TestAdmin.Changed(
        "(?m)^rules:",
        """
        rules:
          - id: marked_review
            when: has(custom.mark) && custom.mark == 'review'
            verdict: review
            code: MARKED_REVIEW
            text: A test wants it reviewed.
          - id: marked_deny
            when: has(custom.mark) && custom.mark == 'deny'
            verdict: deny
            code: MARKED_DENY
            text: A test wants it denied.
        """);

    /// <summary>Far above what cases take on a busy machine.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static int _next;

    private ReviewBench(TestDatabase database, TestService service)
    {
        Database = database;
        Service = service;
        Client = new ReviewService.ReviewServiceClient(service.Channel);
    }

    public TestDatabase Database { get; }

    public TestService Service { get; }

    public ReviewService.ReviewServiceClient Client { get; }

    public static async Task<ReviewBench> StartAsync(params (string Key, string Value)[] settings)
    {
        var database = await TestPostgres.CreateDatabaseAsync();
        var service = await TestService.StartAsync(database, settings);
        var published = await new TestAdmin(service, "ada").PublishAsync(Policy, new TestAdmin(service, "grace"));
        while ((await service.ScreenAsync(TestSignups.New())).PolicyVersion != published.Version) await Task.Delay(5);
        return new ReviewBench(database, service);
    }

    public static Metadata As(string reviewer) => new() { { "signupguard-actor", reviewer } };

    /// <summary>A signup marked for a verdict ("review", "deny"), tied to others by what it shares with them.</summary>
    public static Signup Marked(string? mark, string? card = null, string? device = null)
    {
        var number = Interlocked.Increment(ref _next);
        var signup = new Signup
        {
            SignupId = $"r{number}",
            OccurredAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
            Email = new EmailAddress { Address = $"p{string.Concat($"{number}".Select(digit => (char)('a' + (digit - '0'))))}@gmail.com" },
        };
        if (mark is not null) signup.Custom["mark"] = new CustomValue { StringValue = mark };
        if (card is not null) signup.Payment = new Payment { InstrumentFingerprint = card };
        if (device is not null) signup.Device = new Device { DeviceId = device };
        return signup;
    }

    /// <summary>Screens signups one after the other and waits until each that is flagged has a case.</summary>
    public async Task<IReadOnlyList<Flagged>> FlagAsync(params IEnumerable<Signup> signups)
    {
        var flagged = new List<(Decision Decision, Signup Signup)>();
        foreach (var signup in signups) flagged.Add((await Service.ScreenAsync(signup), signup));
        await SettleAsync();
        var cases = new List<Flagged>();
        foreach (var (decision, signup) in flagged) cases.Add(new Flagged(signup.SignupId, decision, await CaseOfAsync(signup.SignupId)));
        return cases;
    }

    public async Task<Flagged> FlagAsync(string mark = "review") => (await FlagAsync([Marked(mark)])).Single();

    /// <summary>Waits until networks and cases have followed all that was decided.</summary>
    public async Task SettleAsync()
    {
        using var limit = new CancellationTokenSource(Soon);
        while (!await Database.ScalarAsync<bool>(
            """
            SELECT NOT EXISTS (SELECT FROM link_events) AND NOT EXISTS (SELECT FROM second_looks) AND NOT EXISTS (SELECT FROM case_moves)
               AND NOT EXISTS (SELECT FROM decisions d LEFT JOIN case_cursors c USING (tenant)
                               WHERE (d.xid, d.ordinal, d.revision) > (coalesce(c.xid, '0'::xid8), coalesce(c.ordinal, 0), coalesce(c.revision, 0)))
            """))
            await Task.Delay(20, limit.Token);
    }

    /// <summary>Empty when it has none.</summary>
    public async Task<string> CaseOfAsync(string signupId) =>
        await Database.ScalarAsync<string>($"SELECT coalesce((SELECT case_id::text FROM case_signups WHERE signup_id = '{signupId}'), '')");

    public async Task<string> CaseAsync(string caseId, string columns) => await Database.ScalarAsync<string>($"SELECT concat_ws(' ', {columns}) FROM cases WHERE id = '{caseId}'");

    public async Task<string> EtagAsync(string caseId) => await CaseAsync(caseId, "'r' || revision");

    /// <summary>The first change of a signup's decision in the stream that has a cause, once there is one.</summary>
    public async Task<DecisionChange> ChangeOfAsync(string signupId, ChangeCause cause = ChangeCause.Review)
    {
        using var limit = new CancellationTokenSource(Soon);
        using var watch = Service.Client.WatchDecisions(new WatchDecisionsRequest { ChangesOnly = true }, cancellationToken: limit.Token);
        while (await watch.ResponseStream.MoveNext(limit.Token))
        {
            if (watch.ResponseStream.Current.Change is { } change && change.SignupId == signupId && change.Cause == cause) return change;
        }
        throw new InvalidOperationException("The stream ended.");
    }

    public async Task<string> EventsAsync(string caseId) =>
        await Database.ScalarAsync<string>($"SELECT coalesce(string_agg(kind || coalesce(' ' || actor, ''), ', ' ORDER BY id), '') FROM case_events WHERE case_id = '{caseId}'");

    /// <summary>Audit entries of a subject, oldest first: action and actor.</summary>
    public async Task<string> AuditAsync(string subject) =>
        await Database.ScalarAsync<string>($"SELECT coalesce(string_agg(action || ' ' || actor, ', ' ORDER BY id), '') FROM audit WHERE subject = '{subject}'");

    public static async Task<string> RefusedAsync(Func<Task> call)
    {
        var (code, reason, _) = await TestAdmin.RefusedAsync(call);
        return $"{code} {reason}";
    }

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>A signup that was screened, its first decision, and its case (empty without).</summary>
internal sealed record Flagged(string SignupId, Decision First, string CaseId);
