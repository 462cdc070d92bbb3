using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using SignupGuard.Service;
using SignupGuard.V1;

namespace SignupGuard.Cli.Commands;

/// <summary>A connection to a service: the one at an address, or one that is started for the purpose and stopped on dispose.</summary>
internal sealed class ServiceConnection : IAsyncDisposable
{
    private readonly SignupGuardHost? _host;

    private ServiceConnection(GrpcChannel channel, SignupGuardHost? host)
    {
        Channel = channel;
        Client = new ScreeningService.ScreeningServiceClient(channel);
        _host = host;
    }

    public GrpcChannel Channel { get; }

    public ScreeningService.ScreeningServiceClient Client { get; }

    /// <param name="address">Null: a service of its own, on free ports unless the settings name others, with the configured or a private database.</param>
    public static async Task<ServiceConnection> OpenAsync(Uri? address, IReadOnlyDictionary<string, string?> settings, CancellationToken cancellation)
    {
        if (address is not null) return new ServiceConnection(Open(address), null);
        var own = new Dictionary<string, string?>
        {
            ["Listen:GrpcPort"] = "0",
            ["Listen:HttpPort"] = "0",
            ["Listen:Console"] = "false",
        };
        foreach (var (key, value) in settings) own[key] = value;
        // The command's own output is what the caller reads; of the service only what is wrong.
        var host = await SignupGuardHost.StartAsync(own, builder => builder.Logging.SetMinimumLevel(LogLevel.Warning), cancellation);
        return new ServiceConnection(Open(host.GrpcAddress), host);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        if (_host is not null) await _host.DisposeAsync();
    }

    private static GrpcChannel Open(Uri address) => GrpcChannel.ForAddress(address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
}
