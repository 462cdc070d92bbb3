using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

public sealed class PersonalDataTests
{
    private const string Canary = "kanarienvogel";
    private const string CanaryIp = "203.0.113.77";
    private const string CanaryNumber = "+4930901820";

    [Test]
    public async Task Logs_traces_metrics_and_errors_hold_nothing_of_a_signup()
    {
        var told = new ConcurrentQueue<string>();
        using var activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => told.Enqueue($"{activity.DisplayName} {string.Join(' ', activity.TagObjects)} {string.Join(' ', activity.Events.SelectMany(e => e.Tags))}"),
        };
        ActivitySource.AddActivityListener(activities);
        using var meters = new MeterListener { InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument) };
        meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => told.Enqueue($"{instrument.Name} {string.Join(' ', tags.ToArray())}"));
        meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => told.Enqueue($"{instrument.Name} {string.Join(' ', tags.ToArray())}"));
        meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => told.Enqueue($"{instrument.Name} {string.Join(' ', tags.ToArray())}"));
        meters.Start();

        await using var database = await TestPostgres.CreateDatabaseAsync();
        await using var service = await TestService.StartAsync(database, ("Screening:TimeMsUnset", "500"));

        // Decided, replayed, read, reported.
        var signup = Full();
        await service.ScreenAsync(signup);
        await service.ScreenAsync(signup);
        await service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = signup.SignupId });
        await service.Http.GetStringAsync($"/v1/decisions/{signup.SignupId}");
        await service.Client.ReportOutcomeAsync(new ReportOutcomeRequest { SignupId = signup.SignupId, Kind = OutcomeKind.Verified });

        // Refused: reused id, bounds, no JSON, no protobuf, a damaged key, no time.
        var errors = new List<string>();
        var reused = signup.Clone();
        reused.Subject.Username += "2";
        await RefusedAsync(() => service.ScreenAsync(reused));
        var invalid = Full();
        invalid.Network.Ip = Canary;
        invalid.Email.Address = $"{Canary} {Canary}@";
        invalid.Custom[Canary.ToUpperInvariant()] = new CustomValue { StringValue = Canary };
        invalid.Payment.Bin = Canary;
        await RefusedAsync(() => service.ScreenAsync(invalid));
        foreach (var json in new[]
                 {
                     JsonFormatter.Default.Format(new ScreenSignupRequest { Signup = invalid }),
                     $$$"""{"signup":{"occurredAt":"{{{Canary}}}","event":{"channel":"{{{Canary}}}"},"{{{Canary}}}@":1,"signupId":["{{{Canary}}}"]}}""",
                     $"{Canary}",
                     $$"""{"signup":"{{Canary}}""",
                 })
        {
            using var content = new StringContent(json, Encoding.UTF8, "application/json");
            using var response = await service.Http.PostAsync("/v1/signups:screen", content);
            Assert.That((int)response.StatusCode, Is.EqualTo(400));
            errors.Add(await response.Content.ReadAsStringAsync());
        }
        var bytes = new ScreenSignupRequest { Signup = Full() }.ToByteArray();
        var marshaller = Marshallers.Create<byte[]>(raw => raw, raw => raw);
        await RefusedAsync(() => service.Channel.CreateCallInvoker()
            .AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, "signupguard.v1.ScreeningService", "ScreenSignup", marshaller, marshaller), null, new CallOptions(), bytes[..^3]).ResponseAsync);
        await database.ExecuteAsync("UPDATE link_keys SET state = '\\x00'");
        await RefusedAsync(() => service.ScreenAsync(Full()));
        await using (await HeldLane.TakeAsync(database)) await RefusedAsync(() => service.ScreenAsync(Full()));
        // A table that is gone: an error of the database that quotes its statement.
        await database.ExecuteAsync("ALTER TABLE signup_ids RENAME TO gone");
        await RefusedAsync(() => service.ScreenAsync(Full()));
        await RefusedAsync(() => service.Client.GetDecisionAsync(new GetDecisionRequest { SignupId = signup.SignupId }).ResponseAsync);

        Assert.That(service.Logs.Lines, Has.Count.GreaterThan(5));
        Assert.That(told, Has.Count.GreaterThan(10));
        Assert.That(errors, Has.Count.EqualTo(11));
        foreach (var text in service.Logs.Lines.Select(line => line.Text).Concat(errors).Concat(told.Where(line => !IsOfTheTestsOwn(line))))
        {
            Assert.That(text, Does.Not.Contain(Canary).IgnoreCase);
            Assert.That(text, Does.Not.Contain(CanaryIp));
            Assert.That(text, Does.Not.Contain(CanaryNumber[1..]));
        }

        async Task RefusedAsync(Func<Task> call)
        {
            var refused = (await Assert.ThrowsAsync<RpcException>(call))!;
            errors.Add($"{refused.Status.Detail} {refused.GetRpcStatus()} {string.Join(' ', refused.Trailers.Where(entry => !entry.IsBinary).Select(entry => entry.Value))}");
        }
    }

    /// <summary>The client's calls by HTTP carry the id that the test put into the path.</summary>
    private static bool IsOfTheTestsOwn(string line) => line.StartsWith("GET", StringComparison.Ordinal) || line.StartsWith("http.client", StringComparison.Ordinal);

    private static int _next;

    /// <summary>A canary in every field that holds text.</summary>
    private static Signup Full()
    {
        var number = Interlocked.Increment(ref _next);
        var signup = TestSignups.New($"{Canary}-{number}");
        signup.Email.Address = $"{Canary}{number}@{Canary}.example";
        signup.Phone = new PhoneNumber { Number = CanaryNumber };
        signup.ExternalIdentity = new ExternalIdentity { Provider = "p", Subject = Canary };
        signup.Event = new Event { Campaign = Canary, ReferralCode = Canary };
        signup.Subject = new Subject
        {
            AccountId = Canary,
            FullName = Canary,
            GivenName = Canary,
            FamilyName = Canary,
            Username = Canary,
            Organisation = Canary,
            DeclaredUse = Canary,
        };
        signup.Network = new Network { Ip = CanaryIp, Ja4 = Canary };
        signup.Device = new Device
        {
            DeviceId = Canary,
            Fingerprint = Canary,
            UserAgent = $"Mozilla/5.0 {Canary}",
            AcceptLanguage = "de",
            SessionId = Canary,
        };
        signup.Payment = new Payment
        {
            InstrumentFingerprint = Canary,
            Bin = "400000",
            HolderName = Canary,
            BillingAddress = new Address { Line1 = Canary, PostalCode = Canary, City = Canary },
        };
        signup.Custom["note"] = new CustomValue { StringValue = Canary };
        return signup;
    }
}
