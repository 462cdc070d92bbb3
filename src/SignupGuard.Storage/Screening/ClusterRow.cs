using Npgsql;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Storage.Screening;

/// <summary>One row of <c>clusters</c>: its columns beside their reader.</summary>
internal static class ClusterRow
{
    /// <summary>For a table aliased <c>c</c>.</summary>
    public const string Columns =
        "c.id, c.size, c.denied, c.confirmed_bad, c.confirmed_good, c.key_groups, c.first_seen, c.last_seen, c.hour_start, c.hour_running, c.hour_previous";

    public const int ColumnCount = 11;

    public static (ClusterFacts Facts, WindowCount LastHour) Read(NpgsqlDataReader reader)
    {
        var lastSeenMs = reader.GetFieldValue<DateTimeOffset>(7).ToUnixTimeMilliseconds();
        var window = new WindowCount { StartMs = reader.GetInt64(8), Running = reader.GetInt32(9), Previous = reader.GetInt32(10) };
        return (
            new ClusterFacts
            {
                Id = reader.GetInt64(0),
                Size = reader.GetInt64(1),
                Denied = reader.GetInt64(2),
                ConfirmedBad = reader.GetInt64(3),
                ConfirmedGood = reader.GetInt64(4),
                LastHour = window.At(lastSeenMs, KeyState.HourMs),
                Groups = (KeyGroups)reader.GetInt16(5),
                FirstSeenMs = reader.GetFieldValue<DateTimeOffset>(6).ToUnixTimeMilliseconds(),
                LastSeenMs = lastSeenMs,
            },
            window);
    }
}
