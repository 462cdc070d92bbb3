using System.CommandLine;

namespace SignupGuard.Cli.Commands;

/// <summary>The options of every command that starts the service itself; all else is configured by file and environment.</summary>
internal sealed class HostOptions
{
    private readonly Option<string?> _data = new("--data") { Description = "Folder of the private Postgres, used while ConnectionStrings__SignupGuard is not set." };
    private readonly Option<string?> _listen = new("--listen") { Description = "IP address to listen on. Default: 127.0.0.1, this machine only." };
    private readonly Option<int?> _grpcPort = new("--grpc-port") { Description = "Port of gRPC (HTTP/2 without TLS). 0: any free one. Default: 7070." };
    private readonly Option<int?> _httpPort = new("--http-port") { Description = "Port of JSON over HTTP/1.1. 0: any free one. Default: 7071." };
    private readonly Option<int?> _consolePort = new("--console-port") { Description = "Port of the console's pages. 0: any free one. Default: 7072." };
    private readonly Option<bool> _noConsole = new("--no-console") { Description = "Serve no pages." };

    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_listen);
        command.Options.Add(_grpcPort);
        command.Options.Add(_httpPort);
        command.Options.Add(_consolePort);
        command.Options.Add(_noConsole);
    }

    /// <summary>Only what was given, so that files and environment keep the rest.</summary>
    public Dictionary<string, string?> Settings(ParseResult parsed)
    {
        var settings = new Dictionary<string, string?>();
        if (parsed.GetValue(_data) is { } data) settings["Embedded:DataFolder"] = data;
        if (parsed.GetValue(_listen) is { } listen) settings["Listen:Address"] = listen;
        if (parsed.GetValue(_grpcPort) is { } grpcPort) settings["Listen:GrpcPort"] = grpcPort.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (parsed.GetValue(_httpPort) is { } httpPort) settings["Listen:HttpPort"] = httpPort.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (parsed.GetValue(_consolePort) is { } consolePort) settings["Listen:ConsolePort"] = consolePort.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (parsed.GetValue(_noConsole)) settings["Listen:Console"] = "false";
        return settings;
    }
}
