using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Transport;

/// <summary>Every kind of bad input gets INVALID_ARGUMENT naming the proto field, and leaves nothing behind.</summary>
public sealed class BadInputTests
{
    private TestDatabase _database = null!;
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private static TestCaseData Case(string name, Action<Signup> change, string field, string code) => new TestCaseData(change, field, code).SetArgDisplayNames(name);

    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("no id", s => s.SignupId = "", "signup.signup_id", "REQUIRED");
        yield return Case("long id", s => s.SignupId = new string('x', 129), "signup.signup_id", "TOO_LONG");
        yield return Case("NUL in id", s => s.SignupId = "a\0b", "signup.signup_id", "INVALID_CHARACTERS");
        yield return Case("no time", s => s.OccurredAt = null, "signup.occurred_at", "REQUIRED");
        yield return Case("time before 2000", s => s.OccurredAt = At(new DateTimeOffset(1999, 12, 31, 23, 59, 59, TimeSpan.Zero)), "signup.occurred_at", "TIME_TOO_EARLY");
        yield return Case("time beyond skew", s => s.OccurredAt = At(Now.AddMinutes(30)), "signup.occurred_at", "TIME_IN_FUTURE");
        yield return Case("time beyond the calendar", s => s.OccurredAt = new Timestamp { Seconds = long.MaxValue }, "signup.occurred_at", "TIME_IN_FUTURE");
        yield return Case("time before the calendar", s => s.OccurredAt = new Timestamp { Seconds = long.MinValue }, "signup.occurred_at", "TIME_TOO_EARLY");
        yield return Case("negative nanoseconds", s => s.OccurredAt = new Timestamp { Seconds = Now.ToUnixTimeSeconds(), Nanos = -1 }, "signup.occurred_at", "INVALID_TIMESTAMP");
        yield return Case("no identifier", s => s.Email = null, "signup", "IDENTIFIER_REQUIRED");
        yield return Case("empty identifier", s => s.Email.Address = "", "signup", "IDENTIFIER_REQUIRED");
        foreach (var address in new[] { "nobody", "@example.org", "a@", "a b@example.org", "a@b@example.org", "a@ex..org", "a@.org", "a\n@example.org", "\"a b\"@example.org", "<a@example.org>", new string('a', 65) + "@example.org" })
            yield return Case($"address {address.Length}:{address[..Math.Min(20, address.Length)]}", s => s.Email.Address = address, "signup.email.address", "INVALID_EMAIL");
        yield return Case("verified in the future", s => s.Email.VerifiedAt = At(Now.AddDays(1)), "signup.email.verified_at", "TIME_IN_FUTURE");
        yield return Case("domain before domains", s => s.Email.DomainRegisteredAt = At(Now.AddYears(-60)), "signup.email.domain_registered_at", "TIME_TOO_EARLY");
        foreach (var number in new[] { "call me", "+", "12", "+49x30", "0030;ext=5" })
            yield return Case($"number {number}", s => s.Phone = new PhoneNumber { Number = number, Region = "DE" }, "signup.phone.number", "INVALID_PHONE");
        yield return Case("national number without region", s => s.Phone = new PhoneNumber { Number = "030 123456" }, "signup.phone.region", "REQUIRED");
        foreach (var country in new[] { "XX", "UK", "D", "DEU", "T1", "ÄÖ" })
            yield return Case($"country {country}", s => s.Subject = new Subject { Country = country }, "signup.subject.country", "UNKNOWN_COUNTRY");
        foreach (var language in new[] { "xx", "english", "d", "de_DE", "de--AT", "de-waytoolongsubtag" })
            yield return Case($"language {language}", s => s.Subject = new Subject { Language = language }, "signup.subject.language", "UNKNOWN_LANGUAGE");
        foreach (var zone in new[] { "Mars/Olympus", "W. Europe Standard Time", "../../etc/passwd", "/etc/localtime", "Europe", "europe/berlin " })
            yield return Case($"zone {zone}", s => s.Device = new Device { TimeZone = zone }, "signup.device.time_zone", "UNKNOWN_TIME_ZONE");
        foreach (var ip in new[] { "999.1.1.1", "1", "1.2.3", "01.2.3.4", "0x7f.0.0.1", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "1.2.3.4/24", "::g", "localhost", "2001:db8::1::2" })
            yield return Case($"ip {ip}", s => s.Network = new Network { Ip = ip }, "signup.network.ip", "INVALID_IP");
        yield return Case("broken ip in the chain", s => s.Network = new Network { ForwardedFor = { "192.0.2.1", "unknown" } }, "signup.network.forwarded_for[1]", "INVALID_IP");
        yield return Case("long chain", s => s.Network = new Network { ForwardedFor = { Enumerable.Repeat("192.0.2.1", 17) } }, "signup.network.forwarded_for", "TOO_MANY");
        yield return Case("port 0", s => s.Network = new Network { Port = 0 }, "signup.network.port", "OUT_OF_RANGE");
        yield return Case("port 65,536", s => s.Network = new Network { Port = 65_536 }, "signup.network.port", "OUT_OF_RANGE");
        yield return Case("AS 0", s => s.Network = new Network { Edge = new EdgeIpIntelligence { Asn = 0 } }, "signup.network.edge.asn", "OUT_OF_RANGE");
        yield return Case("confidence above 1", s => s.Network = new Network { Edge = new EdgeIpIntelligence { ResidentialProxyConfidence = 1.01 } }, "signup.network.edge.residential_proxy_confidence", "OUT_OF_RANGE");
        yield return Case("age 131", s => s.Subject = new Subject { Age = 131 }, "signup.subject.age", "OUT_OF_RANGE");
        yield return Case("offset of 15 hours", s => s.Device = new Device { UtcOffsetMinutes = -900 }, "signup.device.utc_offset_minutes", "OUT_OF_RANGE");
        yield return Case("screen of 0", s => s.Device = new Device { ScreenWidth = 0 }, "signup.device.screen_width", "OUT_OF_RANGE");
        yield return Case("form of two days", s => s.Device = new Device { FormSeconds = 172_800 }, "signup.device.form_seconds", "OUT_OF_RANGE");
        yield return Case("many hints", s => s.Device = Hints(17), "signup.device.client_hints", "TOO_MANY");
        yield return Case("hint name", s => s.Device = new Device { ClientHints = { ["Sec-CH-UA"] = "x" } }, "signup.device.client_hints", "INVALID_NAME");
        yield return Case("long hint", s => s.Device = new Device { ClientHints = { ["model"] = new string('x', 257) } }, "signup.device.client_hints.model", "TOO_LONG");
        yield return Case("short BIN", s => s.Payment = new Payment { Bin = "41111" }, "signup.payment.bin", "INVALID_FORMAT");
        yield return Case("a card number", s => s.Payment = new Payment { Bin = "4111111111111111" }, "signup.payment.bin", "INVALID_FORMAT");
        yield return Case("last four of three", s => s.Payment = new Payment { LastFour = "111" }, "signup.payment.last_four", "INVALID_FORMAT");
        yield return Case("month 13", s => s.Payment = new Payment { ExpiryMonth = 13 }, "signup.payment.expiry_month", "OUT_OF_RANGE");
        yield return Case("year 26", s => s.Payment = new Payment { ExpiryYear = 26 }, "signup.payment.expiry_year", "OUT_OF_RANGE");
        yield return Case("half an identity", s => s.ExternalIdentity = new ExternalIdentity { Provider = "github" }, "signup.external_identity.subject", "REQUIRED");
        yield return Case("the other half", s => s.ExternalIdentity = new ExternalIdentity { Subject = "1" }, "signup.external_identity.provider", "REQUIRED");
        yield return Case("65 custom values", s => Custom(s, 65), "signup.custom", "TOO_MANY");
        foreach (var name in new[] { "", "Name", "1a", "a-b", "a.b", "ä", "a\0", new string('a', 65) })
            yield return Case($"custom name {name.Length}:{name[..Math.Min(5, name.Length)].Replace('\0', '?')}", s => s.Custom[name] = new CustomValue { BoolValue = true }, "signup.custom", "INVALID_NAME");
        yield return Case("custom without value", s => s.Custom["a"] = new CustomValue(), "signup.custom.a", "REQUIRED");
        yield return Case("long custom string", s => s.Custom["a"] = new CustomValue { StringValue = new string('x', 513) }, "signup.custom.a", "TOO_LONG");
        yield return Case("NUL in custom string", s => s.Custom["a"] = new CustomValue { StringValue = "\0" }, "signup.custom.a", "INVALID_CHARACTERS");
        yield return Case("custom NaN", s => s.Custom["a"] = new CustomValue { NumberValue = double.NaN }, "signup.custom.a", "OUT_OF_RANGE");
    }

    private static Timestamp At(DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);

    private static Device Hints(int count)
    {
        var device = new Device();
        for (var i = 0; i < count; i++) device.ClientHints[$"hint-{i}"] = "x";
        return device;
    }

    private static void Custom(Signup signup, int count)
    {
        for (var i = 0; i < count; i++) signup.Custom[$"value_{i}"] = new CustomValue { NumberValue = i };
    }

    [TestCaseSource(nameof(Cases))]
    public async Task Bad_input_is_a_violation_of_its_field(Action<Signup> change, string field, string code)
    {
        var signup = TestSignups.New();
        change(signup);
        var violations = await RefusedAsync(signup);
        Assert.That(violations.Select(violation => (violation.Field, violation.Reason)), Does.Contain((field, code)));
    }

    [Test]
    public async Task All_violations_come_at_once()
    {
        var signup = new Signup
        {
            Network = new Network { Ip = "1" },
            Payment = new Payment { Bin = "x" },
            Device = new Device { TimeZone = "Mars/Olympus" },
        };
        var violations = await RefusedAsync(signup);
        Assert.That(violations.Select(violation => violation.Field), Is.EquivalentTo(new[]
        {
            "signup.signup_id", "signup.occurred_at", "signup", "signup.network.ip", "signup.payment.bin", "signup.device.time_zone",
        }));
    }

    [Test]
    public async Task A_missing_signup_is_a_violation() =>
        Assert.That((await RefusedAsync(null)).Single().Field, Is.EqualTo("signup"));

    [Test]
    public async Task Nothing_is_stored_of_a_refused_signup()
    {
        var signup = TestSignups.New("refused", device: "d");
        signup.Network = new Network { Ip = "broken" };
        await RefusedAsync(signup);
        Assert.That(await _database.ScalarAsync<long>("SELECT count(*) FROM signup_ids WHERE signup_id = 'refused'"), Is.Zero);

        signup.Network = null;
        Assert.That((await _service.ScreenAsync(signup)).Replayed, Is.False);
    }

    [Test]
    public async Task Every_text_field_is_bounded_against_a_megabyte_and_against_NUL()
    {
        // Found by the descriptor, so that a field added to the contract without a bound fails here.
        var fields = Paths(Signup.Descriptor).Where(path => path[^1].FieldType == FieldType.String).ToList();
        Assert.That(fields, Has.Count.GreaterThan(40));
        foreach (var path in fields)
        {
            foreach (var text in new[] { new string('x', 1_000_000), "a\0b" })
            {
                var signup = TestSignups.New();
                Set(signup, path, text);
                var violations = await RefusedAsync(signup);
                Assert.That(violations.Select(violation => violation.Field), Has.Some.StartsWith(Name(path)), $"{Name(path)}, {text.Length} characters");
            }
        }
    }

    [Test]
    public async Task Every_enumeration_refuses_values_it_does_not_know()
    {
        var fields = Paths(Signup.Descriptor).Where(path => path[^1].FieldType == FieldType.Enum).ToList();
        Assert.That(fields, Has.Count.GreaterThanOrEqualTo(10));
        foreach (var path in fields)
        {
            foreach (var value in new[] { 999, -1 })
            {
                var signup = TestSignups.New();
                Set(signup, path, System.Enum.ToObject(path[^1].EnumType.ClrType(), value));
                var violations = await RefusedAsync(signup);
                Assert.That(violations.Single(), Has.Property("Field").EqualTo(Name(path)).And.Property("Reason").EqualTo("UNKNOWN_ENUM_VALUE"));
            }
        }
    }

    [Test]
    public async Task Every_number_is_bounded_and_no_number_is_NaN()
    {
        var fields = Paths(Signup.Descriptor).Where(path => path[^1].FieldType is FieldType.Double or FieldType.UInt32 or FieldType.SInt32).ToList();
        Assert.That(fields, Has.Count.GreaterThanOrEqualTo(12));
        foreach (var path in fields)
        {
            object[] values = path[^1].FieldType switch
            {
                FieldType.Double => [double.NaN, double.PositiveInfinity, double.NegativeInfinity, -1d, double.MaxValue],
                FieldType.SInt32 => [int.MinValue, int.MaxValue],
                // Every AS number up to the largest is one.
                _ => path[^1].Name == "asn" ? [0u] : [uint.MaxValue],
            };
            foreach (var value in values)
            {
                var signup = TestSignups.New();
                Set(signup, path, value);
                Assert.That((await RefusedAsync(signup)).Single().Field, Is.EqualTo(Name(path)), $"{value}");
            }
        }
    }

    [Test]
    public async Task Every_bound_may_be_reached()
    {
        var signup = TestSignups.New(new string('i', 128));
        signup.Subject = new Subject
        {
            FullName = string.Concat(Enumerable.Repeat("👩‍🚀", 51)) + "x",
            Age = 130,
            Language = "zh-Hant-TW",
            Country = "de",
            TimeZone = "Asia/Calcutta",
            DeclaredUse = new string('u', 1024),
        };
        signup.Phone = new PhoneNumber { Number = "(030) 12 34-56.78", Region = "DE" };
        signup.Network = new Network
        {
            Ip = "::ffff:192.0.2.1",
            ForwardedFor = { Enumerable.Repeat("2001:db8::1", 16) },
            Port = 65_535,
            Edge = new EdgeIpIntelligence { Asn = uint.MaxValue, ResidentialProxyConfidence = 1 },
        };
        signup.Device = Hints(16);
        signup.Device.UtcOffsetMinutes = 840;
        signup.Payment = new Payment { Bin = "12345678", ExpiryYear = 2100, ExpiryMonth = 12 };
        signup.OccurredAt = At(DateTimeOffset.UtcNow.AddMinutes(4));
        signup.Email.DomainRegisteredAt = At(new DateTimeOffset(1985, 3, 15, 0, 0, 0, TimeSpan.Zero));
        Custom(signup, 64);
        Assert.That((await _service.ScreenAsync(signup)).SignupId, Has.Length.EqualTo(128));
    }

    [Test]
    public async Task Other_requests_name_their_fields_too()
    {
        Assert.That(Violations(await ThrownAsync(() => _service.Client.GetDecisionAsync(new GetDecisionRequest()).ResponseAsync)).Single().Field, Is.EqualTo("signup_id"));
        var report = new ReportOutcomeRequest
        {
            SignupId = "a\0",
            Kind = (OutcomeKind)77,
            OccurredAt = At(Now.AddDays(1)),
            Note = new string('n', 1025),
        };
        Assert.That(
            Violations(await ThrownAsync(() => _service.Client.ReportOutcomeAsync(report).ResponseAsync)).Select(violation => (violation.Field, violation.Reason)),
            Is.EquivalentTo(new[] { ("signup_id", "INVALID_CHARACTERS"), ("kind", "UNKNOWN_ENUM_VALUE"), ("occurred_at", "TIME_IN_FUTURE"), ("note", "TOO_LONG") }));
        foreach (var token in new[] { "yesterday", "1.2", "1.2.3.4", "-1.2.3", "99999999999999999999999.1.1", "\0" })
        {
            using var watch = _service.Client.WatchDecisions(new WatchDecisionsRequest { After = token });
            Assert.That(Violations(await ThrownAsync(() => watch.ResponseStream.MoveNext(CancellationToken.None))).Single().Field, Is.EqualTo("after"), token);
        }
    }

    private async Task<RepeatedField<BadRequest.Types.FieldViolation>> RefusedAsync(Signup? signup) =>
        Violations(await ThrownAsync(() => _service.Client.ScreenSignupAsync(new ScreenSignupRequest { Signup = signup }).ResponseAsync));

    private static async Task<RpcException> ThrownAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call))!;

    private static RepeatedField<BadRequest.Types.FieldViolation> Violations(RpcException refused)
    {
        Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.InvalidArgument), refused.Status.Detail);
        Assert.That(refused.GetRpcStatus()!.GetDetail<ErrorInfo>().Domain, Is.EqualTo("signupguard"));
        return refused.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations;
    }

    /// <summary>Every field below a message but those of maps, as the chain of fields that leads to it.</summary>
    private static IEnumerable<FieldDescriptor[]> Paths(MessageDescriptor message) =>
        message.Fields.InDeclarationOrder().Where(field => !field.IsMap).SelectMany(field =>
            field.FieldType != FieldType.Message ? [[field]]
            : field.MessageType == Timestamp.Descriptor ? []
            : Paths(field.MessageType).Select(path => (FieldDescriptor[])[field, .. path]));

    private static string Name(FieldDescriptor[] path) => "signup." + string.Join('.', path.Select(field => field.Name));

    private static void Set(IMessage message, FieldDescriptor[] path, object value)
    {
        foreach (var field in path[..^1])
        {
            if (field.Accessor.GetValue(message) is not IMessage inner)
            {
                inner = field.MessageType.Parser.ParseFrom(ByteString.Empty);
                field.Accessor.SetValue(message, inner);
            }
            message = inner;
        }
        if (path[^1].IsRepeated) ((System.Collections.IList)path[^1].Accessor.GetValue(message)).Add(value);
        else path[^1].Accessor.SetValue(message, value);
    }
}

internal static class EnumDescriptorExtensions
{
    public static System.Type ClrType(this EnumDescriptor descriptor) => typeof(Signup).Assembly.GetType($"SignupGuard.V1.{descriptor.Name}", throwOnError: true)!;
}
