using Google.Protobuf.WellKnownTypes;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Screening;

/// <summary>Signups with nothing more than a test needs.</summary>
internal static class TestSignups
{
    private static int _next;

    /// <summary>A valid signup with an id and an address of its own.</summary>
    public static Signup New(string? id = null, string? device = null, DateTimeOffset? at = null)
    {
        var number = Interlocked.Increment(ref _next);
        var signup = new Signup
        {
            SignupId = id ?? $"signup-{number}",
            OccurredAt = Timestamp.FromDateTimeOffset(at ?? DateTimeOffset.UtcNow),
            Email = new EmailAddress { Address = $"person{number}@company{number}.example" },
        };
        if (device is not null) signup.Device = new Device { DeviceId = device };
        return signup;
    }

    public static LinkCount Link(this Decision decision, string kind) => decision.Links.Single(link => link.KeyKind == kind);
}
