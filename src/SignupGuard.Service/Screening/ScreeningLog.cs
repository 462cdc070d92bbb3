using Microsoft.Extensions.Logging;

namespace SignupGuard.Service.Screening;

/// <summary>Events 2000 to 2999. Nothing of a signup is ever logged, not even its id: callers choose ids, and some choose addresses.</summary>
internal static partial class ScreeningLog
{
    [LoggerMessage(2001, LogLevel.Information, "Policy version {Version} is in force ({Rules} rules, {LinkageRules} linkage rules)")]
    public static partial void PolicyLoaded(ILogger log, long version, int rules, int linkageRules);

    [LoggerMessage(2002, LogLevel.Error, "The active policy can't be read; version {Version} stays in force: {Fault}")]
    public static partial void PolicyPollFailed(ILogger log, long version, string fault);

    [LoggerMessage(2003, LogLevel.Warning, "A batch of {Signups} signups is tried again: {Fault}")]
    public static partial void BatchRetried(ILogger log, int signups, string fault);

    [LoggerMessage(2004, LogLevel.Warning, "A batch of {Signups} signups was refused and is split: {Fault}")]
    public static partial void BatchSplit(ILogger log, int signups, string fault);

    [LoggerMessage(2005, LogLevel.Error, "A signup can't be screened (reference {Reference}): {Fault}")]
    public static partial void SignupFailed(ILogger log, string reference, string fault);
}
