using Microsoft.Extensions.Logging;

namespace SignupGuard.Service.Policies;

/// <summary>Events 5100 to 5199.</summary>
internal static partial class PolicyLog
{
    [LoggerMessage(5101, LogLevel.Critical, "The stored policy version {Version} can't be used and is left out: {Issues} issues, the first with {Path}. GetPolicy shows them")]
    public static partial void Unusable(ILogger log, long version, int issues, string path);

    [LoggerMessage(5102, LogLevel.Critical, "No policy version that is stored as active can be used: version {Version} stays in force")]
    public static partial void FellBack(ILogger log, long version);

    [LoggerMessage(5103, LogLevel.Critical, "No stored policy version can be used at all: the one that comes with the program is in force, as version 0")]
    public static partial void FellBackToShipped(ILogger log);

    [LoggerMessage(5104, LogLevel.Information, "Policy version {Version} judges in shadow")]
    public static partial void Shadow(ILogger log, long version);

    [LoggerMessage(5105, LogLevel.Error, "A shadow could not judge a signup: {Fault}")]
    public static partial void ShadowFailed(ILogger log, string fault);

    [LoggerMessage(5106, LogLevel.Warning, "What shadows would have decided could not be written: {Fault}")]
    public static partial void ShadowNotWritten(ILogger log, string fault);

    [LoggerMessage(5107, LogLevel.Information, "The stored policies can all be used again")]
    public static partial void Recovered(ILogger log);
}
