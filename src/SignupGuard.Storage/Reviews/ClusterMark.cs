using System.Globalization;
using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>
/// A state of a network: who was in it. Members that come after the newest one are told apart from it by their ordinals; whoever else comes or goes makes it
/// another state.
/// </summary>
/// <param name="Newest">Highest ordinal of a member.</param>
/// <param name="Members">Members up to that one.</param>
public readonly record struct ClusterMark(long Newest, long Members)
{
    /// <summary>As <see cref="ToString"/> writes it; null for anything else.</summary>
    public static ClusterMark? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return dot > 0
            && long.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var newest)
            && long.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var members)
            ? new ClusterMark(newest, members)
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Newest}.{Members}");

    /// <summary>The network as it is; of one that is gone no members.</summary>
    /// <param name="upTo">Only members up to this ordinal.</param>
    internal static async Task<ClusterMark> ReadAsync(NpgsqlConnection connection, string tenant, long cluster, CancellationToken cancellation, long upTo = long.MaxValue)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(ordinal), 0), count(*) FROM cluster_members WHERE tenant = $1 AND cluster = $2 AND ordinal <= $3", connection)
        {
            Parameters = { Sql.Value(tenant), Sql.Value(cluster), Sql.Value(upTo) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new ClusterMark(reader.GetInt64(0), reader.GetInt64(1));
    }
}
