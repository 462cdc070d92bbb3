using System.Globalization;
using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>
/// A state of a network: who was in it, and what was known of them. Members that come after the newest one are told apart from it by their ordinals; whoever
/// else comes or goes, or is judged, makes it another state.
/// </summary>
/// <param name="Newest">Highest ordinal of a member.</param>
/// <param name="Members">Members up to that one.</param>
/// <param name="Content">Hash of them and their labels.</param>
public readonly record struct ClusterMark(long Newest, long Members, long Content)
{
    /// <summary>As <see cref="ToString"/> writes it; null for anything else.</summary>
    public static ClusterMark? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('.');
        return parts.Length == 3
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var newest)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var members)
            && parts[2].Length == 16
            && long.TryParse(parts[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var content)
            ? new ClusterMark(newest, members, content)
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Newest}.{Members}.{Content:x16}");

    /// <summary>The network as it is; of one that is gone no members.</summary>
    /// <param name="upTo">Only members up to this ordinal.</param>
    internal static async Task<ClusterMark> ReadAsync(NpgsqlConnection connection, string tenant, long cluster, CancellationToken cancellation, long upTo = long.MaxValue)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT coalesce(max(m.ordinal), 0), count(*),
                   coalesce(bit_xor(hashint8extended(m.ordinal, coalesce(l.label, 0) + CASE WHEN l.labelled_by IS NULL THEN 0 ELSE 4 END)), 0)
            FROM cluster_members m LEFT JOIN labels l ON l.tenant = m.tenant AND l.ordinal = m.ordinal
            WHERE m.tenant = $1 AND m.cluster = $2 AND m.ordinal <= $3
            """,
            connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster), Sql.Value(upTo) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new ClusterMark(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
    }
}
