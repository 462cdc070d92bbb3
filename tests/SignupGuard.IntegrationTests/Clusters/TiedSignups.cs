using Google.Protobuf.WellKnownTypes;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Clusters;

/// <summary>Signups with free-mail addresses that share nothing but what a test says.</summary>
internal static class TiedSignups
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-1);

    public static PreparedSignup New(int number, string? card = null, string? device = null)
    {
        var signup = new Signup
        {
            SignupId = $"s{number}",
            OccurredAt = Timestamp.FromDateTimeOffset(Start.AddSeconds(number)),
            Email = new EmailAddress { Address = $"{Letters(number)}@gmail.com" },
        };
        if (card is not null) signup.Payment = new Payment { InstrumentFingerprint = card };
        if (device is not null) signup.Device = new Device { DeviceId = device };
        return ClusterBench.Prepare(signup);
    }

    public static IEnumerable<PreparedSignup> Range(int from, int count, string? card = null, string? device = null) =>
        Enumerable.Range(from, count).Select(number => New(number, card, device));

    public static LinkKey Key(this PreparedSignup signup, LinkAttribute attribute) =>
        signup.Linkable.Keys.Keys[ClusterBench.Policy.Linkage.Rules.Single(rule => rule.Kind == KeyKind.Of(attribute)).Index];

    /// <summary>Another length and other letters for each number: no two addresses have one skeleton by design of the test.</summary>
    private static string Letters(int number) => "p" + string.Concat($"{number}".Select(digit => (char)('a' + (digit - '0'))));
}
