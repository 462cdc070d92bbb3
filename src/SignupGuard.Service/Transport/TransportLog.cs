using Microsoft.Extensions.Logging;

namespace SignupGuard.Service.Transport;

/// <summary>Events 1000 to 1999. No part of a request is ever logged.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(1001, LogLevel.Error, "{Method} failed (reference {Reference}): {Fault}")]
    public static partial void CallFailed(ILogger log, string method, string reference, string fault);

    [LoggerMessage(1002, LogLevel.Warning, "{Method} found no database: {Fault}")]
    public static partial void DatabaseUnavailable(ILogger log, string method, string fault);

    [LoggerMessage(1003, LogLevel.Error, "{Path} failed after its handler (reference {Reference})")]
    public static partial void AnswerFailed(ILogger log, string path, string reference);

    [LoggerMessage(1004, LogLevel.Warning, "{Path} got a message that can't be read")]
    public static partial void Unreadable(ILogger log, string path);
}
