using System.Text;
using Google.Protobuf;
using SignupGuard.Simulation;
using SignupGuard.V1;

namespace SignupGuard.Cli.Bench;

/// <summary>A call ready to be sent.</summary>
/// <param name="Message">ScreenSignupRequest, serialised.</param>
/// <param name="SignupId">In UTF-8: the answer must name it.</param>
internal readonly record struct BenchRequest(byte[] Message, byte[] SignupId);

/// <summary>
/// The signups of a benchmark: one simulated stream, made ahead of each run so that the load generator only sends bytes. The stream goes on from run
/// to run at <see cref="SignupsPerDay"/> of its own time, whatever the rate it is sent at, so link keys hold what they would in operation.
/// </summary>
internal sealed class Traffic : IDisposable
{
    /// <summary>Density of the stream in its own time: what a large service sees.</summary>
    public const int SignupsPerDay = 50_000;

    /// <summary>A replayed signup is sent again after so many others.</summary>
    private const int ReplayDistance = 500;

    private readonly IEnumerator<SimulatedSignup> _signups;
    private readonly TrafficMix _mix;
    private Signup? _shared;

    /// <param name="total">Most signups that will be asked for.</param>
    /// <param name="now">The stream ends before it.</param>
    public Traffic(TrafficMix mix, int total, DateTimeOffset now)
    {
        _mix = mix;
        var days = Math.Max(1, (double)total / SignupsPerDay);
        var options = new SimulationOptions
        {
            Seed = 1,
            Benign = (int)Math.Ceiling(total * (1 - SimulationOptions.AttackShareDefault)) + 1,
            Days = days,
            // To the second: ids follow from the options, and another run on the same database must have other ids.
            Start = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero).AddDays(-days - 1),
        };
        _signups = SimulationRun.Of(options).GetEnumerator();
    }

    /// <summary>The next signups, as messages.</summary>
    public List<Signup> Signups(int count)
    {
        var signups = new List<Signup>(count);
        while (signups.Count < count && _signups.MoveNext()) signups.Add(Mixed(_signups.Current.Signup));
        return signups;
    }

    /// <summary>The next calls; fewer at the end of the stream.</summary>
    public List<BenchRequest> Requests(int count)
    {
        if (_mix != TrafficMix.Replays) return Signups(count).ConvertAll(Request);
        var fresh = Signups((count + 1) / 2).ConvertAll(Request);
        var requests = new List<BenchRequest>(count);
        for (var i = 0; i < fresh.Count; i++)
        {
            requests.Add(fresh[i]);
            if (i >= ReplayDistance) requests.Add(fresh[i - ReplayDistance]);
        }
        for (var i = Math.Max(0, fresh.Count - ReplayDistance); i < fresh.Count; i++) requests.Add(fresh[i]);
        return requests;
    }

    public void Dispose() => _signups.Dispose();

    private static BenchRequest Request(Signup signup) => new(new ScreenSignupRequest { Signup = signup }.ToByteArray(), Encoding.UTF8.GetBytes(signup.SignupId));

    private Signup Mixed(Signup signup)
    {
        if (_mix != TrafficMix.Burst) return signup;
        // The first that has all of them lends the others its machine, network and BIN.
        if (_shared is null && signup is { Payment.Bin.Length: > 0, Device: { DeviceId.Length: > 0, Fingerprint.Length: > 0 } }) _shared = signup.Clone();
        if (_shared is null) return signup;
        signup.Device = _shared.Device;
        signup.Network = _shared.Network;
        if (signup.Payment is not null) signup.Payment.Bin = _shared.Payment.Bin;
        return signup;
    }
}
