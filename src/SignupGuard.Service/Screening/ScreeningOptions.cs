using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace SignupGuard.Service.Screening;

/// <summary>Bounds of the screening path. Section "Screening".</summary>
public sealed class ScreeningOptions
{
    public const string Section = "Screening";

    /// <summary>Signups that may wait for a commit before further ones are refused. 1 to 100,000.</summary>
    [Range(1, 100_000)]
    public int QueueMax { get; set; } = 2_000;

    /// <summary>Signups of one transaction. 1 to 1,000: more gains little and makes the last wait for the first.</summary>
    [Range(1, 1_000)]
    public int BatchMax { get; set; } = 200;

    /// <summary>Signups of one stream that are on their way at once; a faster sender is held back. 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int StreamInFlightMax { get; set; } = 400;

    /// <summary>How long a signup is tried for a caller that set no deadline, milliseconds. 10 to 60,000.</summary>
    [Range(10, 60_000)]
    public int TimeMsUnset { get; set; } = 5_000;

    /// <summary>Longest that a signup is tried, whatever the caller's deadline, milliseconds. 10 to 600,000.</summary>
    [Range(10, 600_000)]
    public int TimeMsMax { get; set; } = 60_000;

    /// <summary>Longest that a signup of a stream is tried, milliseconds. 10 to 600,000.</summary>
    [Range(10, 600_000)]
    public int StreamTimeMsMax { get; set; } = 30_000;

    /// <summary>How often the version of the active policy is asked for, milliseconds. 50 to 60,000.</summary>
    [Range(50, 60_000)]
    public int PolicyPollMs { get; set; } = 1_000;

    /// <summary>How often the revision of the lists is asked for, milliseconds. 50 to 60,000.</summary>
    [Range(50, 60_000)]
    public int ListPollMs { get; set; } = 1_000;
}

[OptionsValidator]
internal sealed partial class ScreeningOptionsValidator : IValidateOptions<ScreeningOptions>;
