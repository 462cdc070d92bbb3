using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SignupGuard.Service.Telemetry;

/// <summary>The service's one meter and one activity source. No instrument carries anything of a person.</summary>
internal static class Instruments
{
    public const string Name = "SignupGuard";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Tags: verdict, replayed.</summary>
    public static readonly Counter<long> Signups = Meter.CreateCounter<long>("signupguard.signups", "{signup}", "Signups decided.");

    /// <summary>Tag: outcome (decided, invalid, id_reused, overloaded, unavailable, failed).</summary>
    public static readonly Histogram<double> ScreeningSeconds = Meter.CreateHistogram<double>("signupguard.screening.duration", "s", "From a signup's arrival to its outcome.");

    public static readonly UpDownCounter<long> Queued = Meter.CreateUpDownCounter<long>("signupguard.queue.length", "{signup}", "Signups that wait for a transaction.");

    public static readonly Histogram<long> BatchSize = Meter.CreateHistogram<long>("signupguard.batch.size", "{signup}", "Signups of one transaction.");

    public static readonly Histogram<double> BatchSeconds = Meter.CreateHistogram<double>("signupguard.batch.duration", "s", "One transaction, from its first statement to its commit.");

    public static readonly Counter<long> BatchesRetried = Meter.CreateCounter<long>("signupguard.batch.retries", "{retry}", "Transactions tried again because the database was away or busy.");

    public static readonly Counter<long> PoliciesUnusable = Meter.CreateCounter<long>("signupguard.policies.unusable", "{version}", "Stored policy versions found unusable; the last good one stays in force.");

    public static readonly Counter<long> ShadowSkipped = Meter.CreateCounter<long>("signupguard.shadow.skipped", "{signup}", "Signups that shadow policies did not judge: they could not keep up, or failed.");
}
