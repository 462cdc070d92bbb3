using System.Net.Sockets;
using Grpc.Net.Client;

namespace SignupGuard.Service.Hosting;

/// <summary>
/// The service's own gRPC on a Unix domain socket, for the console of the same process: in a fresh folder that only this user may enter, so no other can
/// call by it, and whatever the ports' addresses and later their TLS and log-in are.
/// </summary>
internal sealed class PrivateDoor : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("signupguard-").FullName;

    /// <summary>Where the server listens: HTTP/2.</summary>
    public string Path => System.IO.Path.Combine(_folder, "grpc");

    public GrpcChannel Connect() => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        MaxReceiveMessageSize = null,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path), cancellation);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        },
    });

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
