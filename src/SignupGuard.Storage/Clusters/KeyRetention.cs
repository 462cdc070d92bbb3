using System.Globalization;
using Npgsql;
using SignupGuard.Core.Linkage;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Clusters;

/// <summary>
/// Forgets cold link keys, so that the set in use stays flat: those whose count has decayed away (about six half-lives of the kind's rule after the
/// only account on it), that tie nobody, that nobody judged, and that are not exempt. Nothing is lost: such a key would count as unseen.
/// <para>
/// Time is this machine's, while a key's is that of its signups: a backfill of signups older than the half-lives needs its keys, so run it with
/// retention off.
/// </para>
/// </summary>
public sealed class KeyRetention(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Blocks of the table read in one transaction: 8 MiB.</summary>
    public const int BlocksMax = 1_024;

    /// <summary>Goes through the whole table once, a bounded stretch at a time, in its own order: no index that screening would have to keep.</summary>
    /// <param name="rules">Of the policy in force. Kinds it no longer has are kept as long as its longest half-life asks.</param>
    /// <returns>Keys forgotten.</returns>
    public async Task<long> ForgetAsync(IReadOnlyList<LinkageRule> rules, CancellationToken cancellation)
    {
        if (rules.Count == 0) return 0;
        var halfLives = rules.GroupBy(rule => rule.Kind.Code).ToDictionary(group => group.Key, group => group.Max(rule => rule.HalfLifeDays));
        var longest = halfLives.Values.Max();
        var now = clock.GetUtcNow();
        var cold = now.AddMilliseconds(-KeyState.ForgetAfterMs(halfLives.Values.Min(), 1)).ToUniversalTime();
        var forgotten = 0L;
        var blocks = await BlocksAsync(cancellation);
        for (var from = 0L; from < blocks; from += BlocksMax)
            forgotten += await ForgetAsync(from, cold, kind => halfLives.GetValueOrDefault(kind, longest), now.ToUnixTimeMilliseconds(), cancellation);
        return forgotten;
    }

    private async Task<long> BlocksAsync(CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT pg_relation_size('link_keys') / current_setting('block_size')::bigint");
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private async Task<int> ForgetAsync(long from, DateTimeOffset cold, Func<short, double> halfLife, long nowMs, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        var (keys, states) = (new List<Guid>(), new List<byte[]>());
        await using (var command = new NpgsqlCommand(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT key, kind, state FROM link_keys WHERE ctid >= '({from},0)' AND ctid < '({from + BlocksMax},0)' AND last_seen < $1 AND cluster IS NULL AND NOT exempt"),
            connection)
        {
            Parameters = { Sql.Value(cold) },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                var state = reader.GetFieldValue<byte[]>(2);
                if (!StateCodec.DecodeKey(state, 0).Forgettable(nowMs, halfLife(reader.GetInt16(1)))) continue;
                keys.Add(reader.GetGuid(0));
                states.Add(state);
            }
        }
        if (keys.Count == 0) return 0;
        // A row that anybody holds or has changed since stays. Waiting for none, this can't take part in a deadlock.
        await using var delete = new NpgsqlCommand(
            """
            WITH cold AS (
                SELECT k.key FROM link_keys k JOIN unnest($1, $2) AS u (key, state) USING (key)
                WHERE k.state = u.state AND k.cluster IS NULL AND NOT k.exempt
                FOR UPDATE OF k SKIP LOCKED)
            DELETE FROM link_keys USING cold WHERE link_keys.key = cold.key
            """,
            connection)
        {
            Parameters = { Sql.Array(keys.ToArray()), Sql.Array(states.ToArray()) },
        };
        return await delete.ExecuteNonQueryAsync(cancellation);
    }
}
