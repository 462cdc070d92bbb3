using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Hosting;

namespace SignupGuard.Service.Screening;

/// <summary>
/// Takes a made-up signup through steps 1 to 4 before the service listens, so that their code is compiled and their data is read when the
/// first caller's deadline runs. Stores nothing.
/// </summary>
internal sealed class WarmUp(ScreeningPipeline pipeline, TimeProvider clock) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var signup = new V1.Signup
        {
            SignupId = "warm-up",
            OccurredAt = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
            Email = new V1.EmailAddress { Address = "warm.up@example.org" },
            Phone = new V1.PhoneNumber { Number = "+4930123456" },
            Network = new V1.Network { Ip = "192.0.2.1" },
            Device = new V1.Device { UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" },
            Payment = new V1.Payment { Bin = "400000" },
        };
        await pipeline.PrepareAsync("", signup, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
