using System.Text.Json;
using SignupGuard.Core.Signals;
using SignupGuard.Service.Transport;
using SignupGuard.Simulation;

namespace SignupGuard.IntegrationTests.Signals;

public sealed class SignalsCodecTests
{
    private static readonly Lazy<List<SignupSignals>> Collected = new(() =>
        [.. SimulationRun.Of(new SimulationOptions { Seed = 5, Benign = 1_200, Days = 2 }).Select(simulated => SignalFixture.Signals.Collect(SignupMap.ToCore(simulated.Signup)))]);

    [Test]
    public void What_is_encoded_decodes_to_the_same()
    {
        foreach (var signals in Collected.Value) Assert.That(Text(SignalsCodec.Decode(SignalsCodec.Encode(signals))), Is.EqualTo(Text(signals)));
    }

    [Test]
    public void Every_state_keeps_its_detail()
    {
        var signals = Collected.Value[0] with
        {
            Phone = Signal<PhoneSignals>.TimedOut("DEADLINE_PASSED"),
            Ip = Signal<IpSignals>.Failed("COLLECTOR_FAILED"),
            Payment = Signal<PaymentSignals>.Missing("NOT_GIVEN"),
            Device = Signal<DeviceSignals>.Stale(new DeviceSignals { Impossible = ["A", "Б"], FormSeconds = 0.5, Pasted = false, Language = "" }, "OLD"),
        };
        Assert.That(Text(SignalsCodec.Decode(SignalsCodec.Encode(signals))), Is.EqualTo(Text(signals)));
    }

    [Test]
    public void Damage_is_told_and_never_read_as_signals()
    {
        var bytes = SignalsCodec.Encode(Collected.Value.First(signals => signals is { Ip.Value: not null, Device.Value: not null, Payment.Value: not null }));
        for (var length = 0; length < bytes.Length; length++) Assert.Throws<InvalidDataException>(() => SignalsCodec.Decode(bytes.AsSpan(0, length)), $"length {length}");
        Assert.Throws<InvalidDataException>(() => SignalsCodec.Decode([.. bytes, 0]));
        Assert.Throws<InvalidDataException>(() => SignalsCodec.Decode([99, .. bytes[1..]]));
    }

    private static string Text(SignupSignals signals) => JsonSerializer.Serialize(signals);
}
