using Microsoft.Extensions.Logging;

namespace SignupGuard.Service.Hosting;

/// <summary>Events 4000 to 4999.</summary>
internal static partial class HostLog
{
    [LoggerMessage(4001, LogLevel.Information, "SignupGuard listens: gRPC at {Grpc}, JSON at {Http}")]
    public static partial void Listening(ILogger log, Uri grpc, Uri http);

    [LoggerMessage(4002, LogLevel.Information, "The database is a private Postgres in {Folder}; set ConnectionStrings__SignupGuard to use another")]
    public static partial void Embedded(ILogger log, string folder);

    [LoggerMessage(4003, LogLevel.Information, "Partition {Partition} was created")]
    public static partial void PartitionCreated(ILogger log, string partition);

    [LoggerMessage(4004, LogLevel.Error, "Partitions could not be created, new rows go to the default ones meanwhile: {Fault}")]
    public static partial void PartitionsFailed(ILogger log, string fault);

    [LoggerMessage(4005, LogLevel.Information, "The console is at {Console}")]
    public static partial void ConsoleListening(ILogger log, Uri console);
}
