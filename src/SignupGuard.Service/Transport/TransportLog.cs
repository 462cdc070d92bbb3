using Microsoft.Extensions.Logging;

namespace SignupGuard.Service.Transport;

/// <summary>Events 1000 to 1999. No part of a request is ever logged.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(1001, LogLevel.Error, "{Method} failed (reference {Reference}): {Fault}")]
    public static partial void CallFailed(ILogger log, string method, string reference, string fault);

    [LoggerMessage(1002, LogLevel.Warning, "{Method} found no database: {Fault}")]
    public static partial void DatabaseUnavailable(ILogger log, string method, string fault);
}
