using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.Simulation;
using SignupGuard.V1;

namespace SignupGuard.Core.Tests.Simulation;

/// <summary>Every simulated signup keeps the bounds that signup.proto states, in both parameter sets.</summary>
public sealed class ContractBoundsTests
{
    /// <summary>Most characters by field, as the proto states them; enumerations, numbers and times are checked apart.</summary>
    private static readonly Dictionary<string, int> LengthMax = new()
    {
        ["signup_id"] = 128,
        ["event.product"] = 64,
        ["event.campaign"] = 128,
        ["event.referral_code"] = 128,
        ["subject.account_id"] = 128,
        ["subject.full_name"] = 256,
        ["subject.given_name"] = 256,
        ["subject.family_name"] = 256,
        ["subject.username"] = 128,
        ["subject.language"] = 35,
        ["subject.country"] = 2,
        ["subject.organisation"] = 256,
        ["subject.declared_use"] = 1024,
        ["email.address"] = 320,
        ["phone.number"] = 32,
        ["external_identity.provider"] = 64,
        ["external_identity.subject"] = 256,
        ["network.ip"] = 45,
        ["network.forwarded_for"] = 45,
        ["network.ja4"] = 64,
        ["network.ja4h"] = 64,
        ["network.edge.country"] = 2,
        ["network.edge.asn_organisation"] = 256,
        ["device.device_id"] = 128,
        ["device.fingerprint"] = 128,
        ["device.user_agent"] = 1024,
        ["device.client_hints"] = 256,
        ["device.accept_language"] = 256,
        ["device.platform"] = 64,
        ["device.app_version"] = 64,
        ["device.time_zone"] = 64,
        ["device.session_id"] = 128,
        ["payment.instrument_fingerprint"] = 128,
        ["payment.bin"] = 8,
        ["payment.last_four"] = 4,
        ["payment.brand"] = 32,
        ["payment.issuer"] = 128,
        ["payment.issuer_country"] = 2,
        ["payment.wallet"] = 32,
        ["payment.holder_name"] = 256,
        ["payment.billing_address.line1"] = 256,
        ["payment.billing_address.city"] = 128,
        ["payment.billing_address.region"] = 128,
        ["payment.billing_address.postal_code"] = 128,
        ["payment.billing_address.country"] = 2,
        ["payment.decline_code"] = 64,
    };

    private static readonly Dictionary<string, (double Low, double High)> Numbers = new()
    {
        ["subject.age"] = (0, 130),
        ["network.port"] = (1, 65_535),
        ["network.edge.asn"] = (1, uint.MaxValue),
        ["network.edge.residential_proxy_confidence"] = (0, 1),
        ["device.screen_width"] = (1, 20_000),
        ["device.screen_height"] = (1, 20_000),
        ["device.utc_offset_minutes"] = (-840, 840),
        ["device.session_age_seconds"] = (0, 31_536_000),
        ["device.form_seconds"] = (0, 86_400),
        ["device.typing_interval_ms"] = (0, 60_000),
        ["payment.expiry_month"] = (1, 12),
        ["payment.expiry_year"] = (2000, 2100),
    };

    [TestCase(ParameterSet.Default)]
    [TestCase(ParameterSet.HeldOut)]
    public void Every_signup_keeps_the_contracts_bounds(ParameterSet parameters)
    {
        var seen = new HashSet<string>();
        foreach (var simulated in SimulationRun.Of(new SimulationOptions { Seed = 21, Benign = 2_000, Days = 4, Parameters = parameters }))
        {
            var signup = simulated.Signup;
            Check(signup, "", seen);
            Assert.That(signup.OccurredAt, Is.Not.Null);
            Assert.That(signup.Email.Address.Split('@') is [{ Length: >= 1 and <= 64 }, { Length: >= 3 }], Is.True, signup.Email.Address);
            Assert.That(System.Net.IPAddress.TryParse(signup.Network.Ip, out var address) && address.ToString() == signup.Network.Ip, Is.True, signup.Network.Ip);
            if (signup.Payment is { } payment) Assert.That(payment.Bin, Does.Match("^[0-9]{6}([0-9]{2})?$"));
            if (signup.Phone is { } phone) Assert.That(phone.Number, Does.Match(@"^\+[1-9][0-9]{6,14}$"));
            if (signup.Email.VerifiedAt is { } verified) Assert.That(verified, Is.LessThanOrEqualTo(signup.OccurredAt));
            if (signup.Device is { HasFormSeconds: true, HasSessionAgeSeconds: true } device)
                Assert.That(device.FormSeconds, Is.LessThanOrEqualTo(device.SessionAgeSeconds + 1));
        }
        // Whoever drops a signal from the simulator should know it.
        Assert.That(LengthMax.Keys.Concat(Numbers.Keys).Except(seen), Is.Empty, "bounded fields that no signup carried");
    }

    private static void Check(IMessage message, string path, HashSet<string> seen)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var name = path + field.Name;
            switch (field.Accessor.GetValue(message))
            {
                case IMessage nested when nested is not Timestamp:
                    seen.Add(name);
                    Check(nested, name + ".", seen);
                    break;
                case System.Collections.IDictionary map:
                    foreach (var text in map.Values.OfType<string>()) CheckText(name, text, seen);
                    break;
                case System.Collections.IList list:
                    foreach (var text in list.OfType<string>()) CheckText(name, text, seen);
                    break;
                case string { Length: > 0 } text:
                    CheckText(name, text, seen);
                    break;
                case System.Enum value:
                    Assert.That(System.Enum.IsDefined(value.GetType(), value), Is.True, name);
                    break;
                case uint or int or long or double when !field.HasPresence || field.Accessor.HasValue(message):
                    var number = Convert.ToDouble(field.Accessor.GetValue(message), System.Globalization.CultureInfo.InvariantCulture);
                    Assert.That(double.IsFinite(number), Is.True, name);
                    Assert.That(Numbers, Contains.Key(name));
                    Assert.That(number, Is.InRange(Numbers[name].Low, Numbers[name].High), name);
                    seen.Add(name);
                    break;
            }
        }
    }

    private static void CheckText(string name, string text, HashSet<string> seen)
    {
        Assert.That(LengthMax, Contains.Key(name));
        Assert.That(text, Has.Length.InRange(1, LengthMax[name]), name);
        Assert.That(text.Trim(), Is.EqualTo(text), name);
        Assert.That(text.Any(char.IsControl), Is.False, name);
        seen.Add(name);
    }
}
