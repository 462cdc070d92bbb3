using Npgsql;
using SignupGuard.Core.Decisions;
using SignupGuard.Service.Transport;

namespace SignupGuard.Cli.Bench;

/// <summary>One signup as the service stored it: what the references write again, under ids of their own.</summary>
/// <param name="Keys">Its keys with their states as they are now, and whether it was the first account on each.</param>
internal sealed record ReferenceSignup(
    string SignupId,
    byte[] ContentHash,
    DateTimeOffset OccurredAt,
    long Account,
    byte[] Facts,
    string OutwardCode,
    short Verdict,
    double Score,
    long PolicyVersion,
    string Body,
    byte[] DecisionFacts,
    IReadOnlyList<ReferenceKey> Keys);

internal sealed record ReferenceKey(Guid Key, short Kind, byte[] State, bool Fresh);

/// <summary>The latest rows of the runs before, read back from the database: the references write the same rows.</summary>
internal sealed record ReferenceRows(List<ReferenceSignup> Signups, byte[] LaneState)
{
    public double KeysPerSignup => Signups.Average(signup => signup.Keys.Count);

    public double FreshKeysPerSignup => Signups.Average(signup => signup.Keys.Count(key => key.Fresh));

    /// <exception cref="InvalidOperationException">The database holds no signups of a run.</exception>
    public static async Task<ReferenceRows> ReadAsync(NpgsqlDataSource source, int count, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        var signups = new List<(ReferenceSignup Signup, Dictionary<Guid, bool> Keys)>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT d.signup_id, i.content_hash, s.occurred_at, s.account, s.facts, d.outward_code, d.verdict, d.score, d.policy_version, d.body::text, d.facts
            FROM decisions d JOIN signups s USING (tenant, ordinal, recorded_at) JOIN signup_ids i USING (tenant, ordinal)
            WHERE d.tenant = $1 AND d.revision = 1 ORDER BY d.ordinal DESC LIMIT $2
            """,
            connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = Tenancy.Default }, new NpgsqlParameter<int> { TypedValue = count } },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                var facts = reader.GetFieldValue<byte[]>(10);
                var signup = new ReferenceSignup(
                    reader.GetString(0),
                    reader.GetFieldValue<byte[]>(1),
                    reader.GetFieldValue<DateTimeOffset>(2),
                    reader.GetInt64(3),
                    reader.GetFieldValue<byte[]>(4),
                    reader.GetString(5),
                    reader.GetInt16(6),
                    reader.GetDouble(7),
                    reader.GetInt64(8),
                    reader.GetString(9),
                    facts,
                    []);
                var keys = new Dictionary<Guid, bool>();
                foreach (var link in DecisionFacts.Decode(facts).Links.Values) keys[link.Key.ToGuid()] = link.Accounts <= 1;
                signups.Add((signup, keys));
            }
        }
        if (signups.Count == 0) throw new InvalidOperationException("The database holds no signups to take rows from.");
        var states = new Dictionary<Guid, (short Kind, byte[] State)>();
        await using (var command = new NpgsqlCommand("SELECT key, kind, state FROM link_keys WHERE key = ANY($1)", connection)
        {
            Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = [.. signups.SelectMany(item => item.Keys.Keys).Distinct()] } },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) states[reader.GetGuid(0)] = (reader.GetInt16(1), reader.GetFieldValue<byte[]>(2));
        }
        await using var lane = new NpgsqlCommand("SELECT state FROM lanes WHERE tenant = $1", connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = Tenancy.Default } } };
        return new ReferenceRows(
            signups.ConvertAll(item => item.Signup with
            {
                Keys = [.. item.Keys.Where(key => states.ContainsKey(key.Key)).Select(key => new ReferenceKey(key.Key, states[key.Key].Kind, states[key.Key].State, key.Value))],
            }),
            (byte[])(await lane.ExecuteScalarAsync(cancellation))!);
    }
}
