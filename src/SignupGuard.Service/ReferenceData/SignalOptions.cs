using System.ComponentModel.DataAnnotations;

namespace SignupGuard.Service.ReferenceData;

/// <summary>How signals are collected and where their reference data lies. Section <c>Signals</c> of the configuration.</summary>
public sealed class SignalOptions
{
    public const string Section = "Signals";

    /// <summary>Milliseconds that all collectors of one signup have together; those not done by then are "timed out".</summary>
    [Range(1, 10_000)]
    public int DeadlineMilliseconds { get; set; } = 25;

    /// <summary>Folder of the data restored by the build. Default: <c>reference-data</c> beside the program.</summary>
    public string ReferenceDataFolder { get; set; } = Path.Combine(AppContext.BaseDirectory, "reference-data");

    /// <summary>Folder of the operators' MaxMind databases (*.mmdb, told apart by their own type); none when unset.</summary>
    public string? GeoIpFolder { get; set; }

    /// <summary>Folder of the operators' lists (tor*.txt, vpn*.txt, proxy*.txt, hosting*.txt, free*.txt, disposable*.txt, not-disposable*.txt, relay*.txt, networks*.yaml); none when unset.</summary>
    public string? ListsFolder { get; set; }

    /// <summary>Seconds between looks for changed files.</summary>
    [Range(1, 86_400)]
    public int PollSeconds { get; set; } = 30;

    /// <summary>Days after which an operator's database is stale: these are refreshed weekly.</summary>
    [Range(1, 3_650)]
    public int OperatorDataMaxAgeDays { get; set; } = 45;

    /// <summary>Days after which the pinned databases of the build are stale: they move with releases.</summary>
    [Range(1, 3_650)]
    public int BundledDataMaxAgeDays { get; set; } = 365;

    /// <summary>User agents kept parsed. A miss costs some hundred microseconds, an entry about a kilobyte.</summary>
    [Range(16, 1_000_000)]
    public int UserAgentCacheSize { get; set; } = 10_000;
}
