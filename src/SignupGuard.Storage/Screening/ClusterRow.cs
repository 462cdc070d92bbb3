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

    /// <summary>Writes networks as they are now, whether they were there or not.</summary>
    public static NpgsqlBatchCommand Upsert(string tenant, IReadOnlyList<(ClusterFacts Facts, WindowCount LastHour)> clusters) =>
        new(
            """
            INSERT INTO clusters (tenant, id, size, denied, confirmed_bad, confirmed_good, key_groups, first_seen, last_seen, hour_start, hour_running, hour_previous)
            SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (tenant, id) DO UPDATE SET
                size = EXCLUDED.size, denied = EXCLUDED.denied, confirmed_bad = EXCLUDED.confirmed_bad, confirmed_good = EXCLUDED.confirmed_good,
                key_groups = EXCLUDED.key_groups, first_seen = EXCLUDED.first_seen, last_seen = EXCLUDED.last_seen,
                hour_start = EXCLUDED.hour_start, hour_running = EXCLUDED.hour_running, hour_previous = EXCLUDED.hour_previous
            """)
        {
            Parameters =
            {
                Sql.Value(tenant),
                Sql.Array(clusters.Select(item => item.Facts.Id).ToArray()),
                Sql.Array(clusters.Select(item => item.Facts.Size).ToArray()),
                Sql.Array(clusters.Select(item => item.Facts.Denied).ToArray()),
                Sql.Array(clusters.Select(item => item.Facts.ConfirmedBad).ToArray()),
                Sql.Array(clusters.Select(item => item.Facts.ConfirmedGood).ToArray()),
                Sql.Array(clusters.Select(item => (short)item.Facts.Groups).ToArray()),
                Sql.Array(clusters.Select(item => DateTimeOffset.FromUnixTimeMilliseconds(item.Facts.FirstSeenMs)).ToArray()),
                Sql.Array(clusters.Select(item => DateTimeOffset.FromUnixTimeMilliseconds(item.Facts.LastSeenMs)).ToArray()),
                Sql.Array(clusters.Select(item => item.LastHour.StartMs).ToArray()),
                Sql.Array(clusters.Select(item => item.LastHour.Running).ToArray()),
                Sql.Array(clusters.Select(item => item.LastHour.Previous).ToArray()),
            },
        };
}
