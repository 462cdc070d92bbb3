using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.Service.Transport;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Simulation;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Transport;

/// <summary>The fast ways through reading and checking against the exact ones: they may pass a question on, and never answer it otherwise.</summary>
public sealed class SignupJsonTests
{
    private static readonly List<Signup> Simulated = [.. SimulationRun.Of(new SimulationOptions { Benign = 1_500, Days = 1 }).Select(simulated => simulated.Signup)];

    /// <summary>What stands in for values: of other types, at the edges of bounds and beyond, and text that is none.</summary>
    private static readonly string[] Values =
    [
        "null", "true", "0", "-0", "-1", "1", "12", "13", "130", "131", "1.5", "1.0", "1e3", "1e400", "65536", "4294967295", "4294967296", "\"12\"", "\"NaN\"",
        "\"\"", "\" \"", "\"x\"", "\"a b\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "\"\\u00e9\"", "\"de\"", "\"de-DE-1996\"", "\"de-\"", "\"zz\"", "\"deu\"", "\"DE\"", "\"dE\"",
        "\"Europe/Berlin\"", "\"Europe/Nowhere\"", "\"1.2.3.4\"", "\"1.2.3\"", "\"::1\"", "\"::ffff:1.2.3.4\"", "\"[::1]\"", "\"fe80::1%1\"", "\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00.123456789Z\"",
        "\"2026-02-30T00:00:00Z\"", "\"1999-12-31T23:59:59Z\"", "\"2999-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00+02:00\"", "\"CHANNEL_IOS\"", "\"CHANNEL_NONE\"", "\"123456\"", "\"12345678\"", "\"123456789\"",
        "\"+49 30 1234567\"", "\"030 1234567\"", "\"a@b.example\"", "\"@b.example\"", "\"a@b@c\"", "{}", "[]", "[\"1.2.3.4\", \"::1\"]", "[null]", "{\"a\": \"b\"}", "{\"A\": \"b\"}", "{\"a\": null}",
        "{\"a\": {\"stringValue\": \"b\"}}", "{\"a\": {\"number_value\": 1}}", "{\"a\": {}}", "{\"a_b\": {\"boolValue\": true, \"stringValue\": \"b\"}}", $"\"{new string('y', 64)}\"", $"\"{new string('y', 1_025)}\"",
    ];

    private static readonly Gen<string> Changed = Gen.Select(Gen.Int[0, Simulated.Count - 1], Gen.Int[0, 10_000].Array[1, 3], Gen.Int[0, Values.Length - 1].Select(i => Values[i]).Array[3], (signup, places, values) =>
    {
        var json = JsonNode.Parse(JsonFormatter.Default.Format(Simulated[signup]))!;
        for (var i = 0; i < places.Length; i++)
        {
            var all = Below(json).ToList();
            var (parent, name) = all[places[i] % all.Count];
            parent[name] = $"@{i}";
        }
        // As text, for what a tree of JSON can't hold.
        return Enumerable.Range(0, places.Length).Aggregate(json.ToJsonString(), (text, i) => text.Replace($"\"@{i}\"", values[i], StringComparison.Ordinal));
    });

    [Test]
    public void Every_simulated_signup_is_read_the_fast_way_alone_or_in_a_request()
    {
        foreach (var signup in Simulated)
        {
            Assert.That(SignupJson.TryRead(Bytes(JsonFormatter.Default.Format(signup)), out var alone), Is.True);
            Assert.That(alone, Is.EqualTo(signup));
            Assert.That(SignupJson.TryRead(Bytes(JsonFormatter.Default.Format(new ScreenSignupRequest { Signup = signup })), out var wrapped), Is.True);
            Assert.That(wrapped, Is.EqualTo(signup));
        }
    }

    [Test]
    public void Names_of_the_contract_are_read_as_those_of_json()
    {
        Assert.That(SignupJson.TryRead("""{"signup_id":"a","device":{"user_agent":"b"}}"""u8, out var signup), Is.True);
        Assert.That((signup.SignupId, signup.Device.UserAgent), Is.EqualTo(("a", "b")));
    }

    [TestCase("""{"signupId":"a","signupId":"b"}""")]
    [TestCase("""{"signupId":"a","signup_id":"b"}""")]
    [TestCase("""{"signupId":null}""")]
    [TestCase("""{"signupIds":"a"}""")]
    [TestCase("""{"device":{"screenWidth":"12"}}""")]
    [TestCase("""{"event":{"channel":1}}""")]
    [TestCase("""{"custom":{"a":{"boolValue":true},"a":{"boolValue":true}}}""")]
    [TestCase("""{"custom":{"a":{"boolValue":true,"stringValue":"x"}}}""")]
    [TestCase("""{"signupId":"a"} """ + "x")]
    [TestCase("""{"signupId":"a",}""")]
    [TestCase("""{"signupId":"\ud800"}""")]
    [TestCase("""["a"]""")]
    [TestCase("""{"signup":null}""")]
    [TestCase("")]
    public void What_is_unusual_or_wrong_is_left_to_the_exact_way(string json) => Assert.That(SignupJson.TryRead(Bytes(json), out _), Is.False);

    [Test]
    public void Text_that_is_no_unicode_is_left_to_the_exact_way() => Assert.That(SignupJson.TryRead([.. """{"signupId":"a"""u8, 0xC3, .. "\"}"u8], out _), Is.False);

    [Test]
    public void What_is_read_the_fast_way_is_what_protobuf_reads() =>
        Changed.Sample(
            json =>
            {
                if (!SignupJson.TryRead(Bytes(json), out var fast)) return;
                Assert.That(JsonShape.Check(Signup.Descriptor, Bytes(json)), Is.Empty);
                Assert.That(fast, Is.EqualTo(JsonParser.Default.Parse<Signup>(json)));
            },
            iter: 5_000);

    [Test]
    public void Bounds_hold_exactly_when_the_validator_finds_nothing()
    {
        var validator = new SignupValidator(TimeProvider.System);
        var (kept, broken) = (0, 0);
        Changed.Sample(
            json =>
            {
                Signup signup;
                try
                {
                    signup = JsonParser.Default.Parse<Signup>(json);
                }
                catch (Exception failure) when (failure is InvalidProtocolBufferException or InvalidJsonException)
                {
                    return;
                }
                var valid = validator.Validate(signup).IsValid;
                Interlocked.Increment(ref valid ? ref kept : ref broken);
                Assert.That(validator.Holds(signup), Is.EqualTo(valid));
            },
            iter: 5_000);
        Assert.That((kept, broken), Is.EqualTo((kept > 100 ? kept : -1, broken > 100 ? broken : -1)), "both kinds were met");
    }

    [Test]
    public void Bounds_that_json_cannot_break_hold_exactly_when_the_validator_finds_nothing()
    {
        var validator = new SignupValidator(TimeProvider.System);
        Action<Signup>[] changes =
        [
            signup => signup.OccurredAt = null,
            signup => signup.OccurredAt.Nanos = -1,
            signup => signup.OccurredAt.Nanos = 1_000_000_000,
            signup => signup.Event = new Event { Channel = (Channel)99 },
            signup => signup.Device = new Device { FormSeconds = double.NaN },
            signup => signup.Device = new Device { FormSeconds = 86_400 },
            signup => signup.Device = new Device { AcceptLanguage = "\ud800" },
            signup => signup.ExternalIdentity = new ExternalIdentity { Provider = " ", Subject = "x" },
            signup => signup.ExternalIdentity = new ExternalIdentity { Provider = "x" },
            signup => signup.Custom["a"] = new CustomValue { NumberValue = double.PositiveInfinity },
            signup => signup.Subject = new Subject { Language = "de\n" },
            signup => signup.Custom["a\n"] = new CustomValue { BoolValue = true },
        ];
        foreach (var change in changes)
        {
            var signup = Simulated[0].Clone();
            change(signup);
            Assert.That(validator.Holds(signup), Is.EqualTo(validator.Validate(signup).IsValid));
        }
    }

    [Test]
    public void Times_are_read_as_protobuf_writes_them() =>
        Gen.Select(Gen.Long[-62_135_596_800, 253_402_300_799], Gen.OneOf(Gen.Const(0), Gen.Int[0, 999].Select(ms => ms * 1_000_000), Gen.Int[0, 999_999_999])).Sample((seconds, nanos) =>
        {
            var text = JsonFormatter.Default.Format(new Timestamp { Seconds = seconds, Nanos = nanos }).Trim('"');
            Assert.That((UtcTime.TryRead(Bytes(text), out var readSeconds, out var readNanos), readSeconds, readNanos), Is.EqualTo((true, seconds, nanos)), text);
        });

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static IEnumerable<(JsonObject Parent, string Name)> Below(JsonNode? json)
    {
        if (json is not JsonObject here) yield break;
        foreach (var (name, value) in here)
        {
            yield return (here, name);
            foreach (var below in Below(value)) yield return below;
        }
    }
}
