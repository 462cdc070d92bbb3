using Google.Protobuf.WellKnownTypes;
using SignupGuard.Service.Transport;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

public sealed class ContentHashTests
{
    /// <summary>
    /// Hashes are stored: another form of the same content would refuse the retries of an upgrade's moment as reused ids. If this fails after
    /// an update of the protobuf library, its deterministic form has changed, and the hash needs a form of its own.
    /// </summary>
    [Test]
    public void The_canonical_form_is_the_one_that_stored_hashes_were_made_of()
    {
        var signup = new Signup
        {
            SignupId = "golden",
            OccurredAt = new Timestamp { Seconds = 1_700_000_000, Nanos = 5 },
            Event = new Event { Channel = Channel.Web },
            Email = new EmailAddress { Address = "ä@example.org" },
            Device = new Device
            {
                ClientHints = { ["platform"] = "x", ["mobile"] = "?0" },
                UtcOffsetMinutes = -60,
                FormSeconds = 1.5,
                Emulator = false,
            },
            Custom =
            {
                ["b"] = new CustomValue { BoolValue = false },
                ["a"] = new CustomValue { NumberValue = 0 },
            },
        };
        Assert.That(Convert.ToHexStringLower(ContentHash.Of(ContentHash.Canonical(signup))), Is.EqualTo("aaa2664bb6363d9ad1fdfdcb1070a3f1d5c32708258c1108e9ae9292a1c38ca4"));
    }
}
