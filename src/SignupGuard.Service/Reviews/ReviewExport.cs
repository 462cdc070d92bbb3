using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using SignupGuard.Core.Clusters;
using SignupGuard.Service.Lists;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Reviews;

/// <summary>One column of an export.</summary>
/// <param name="Name">As CSV heads it, and JSON names it.</param>
/// <param name="Value">A text, number, flag, time or list of texts; null where missing: an empty cell, and no member of the JSON.</param>
internal sealed record ExportColumn<T>(string Name, Func<T, object?> Value);

/// <summary>Writes rows as CSV (RFC 4180, UTF-8) or JSON lines, in pieces; no more than a piece is held.</summary>
internal sealed class ReviewExport<T>(IReadOnlyList<ExportColumn<T>> columns, bool isJson)
{
    /// <summary>Bytes from which on a piece is given out.</summary>
    private const int PieceBytes = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _piece = new(PieceBytes * 2);
    private readonly StringBuilder _line = new();

    public async IAsyncEnumerable<ByteString> PiecesAsync(IAsyncEnumerable<IReadOnlyList<T>> pages)
    {
        if (!isJson) WriteLine(string.Join(',', columns.Select(column => column.Name)));
        await foreach (var page in pages)
        {
            foreach (var row in page)
            {
                if (isJson) WriteJson(row);
                else WriteCsv(row);
            }
            if (_piece.WrittenCount >= PieceBytes) yield return Take();
        }
        if (_piece.WrittenCount > 0) yield return Take();
    }

    private ByteString Take()
    {
        var piece = ByteString.CopyFrom(_piece.WrittenSpan);
        _piece.ResetWrittenCount();
        return piece;
    }

    private void WriteCsv(T row)
    {
        _line.Clear();
        for (var i = 0; i < columns.Count; i++)
        {
            if (i > 0) _line.Append(',');
            ListCsv.Cell(_line, columns[i].Value(row) switch
            {
                null => "",
                string text => text,
                DateTimeOffset time => ListCsv.Time(time),
                bool flag => flag ? "true" : "false",
                double number => number.ToString("R", CultureInfo.InvariantCulture),
                long number => number.ToString(CultureInfo.InvariantCulture),
                IReadOnlyList<string> texts => string.Join(' ', texts),
                var other => throw new InvalidOperationException($"{other.GetType().Name} is no cell."),
            });
        }
        WriteLine(_line.ToString());
    }

    private void WriteLine(string line) => Encoding.UTF8.GetBytes(line + "\r\n", _piece);

    private void WriteJson(T row)
    {
        using (var json = new Utf8JsonWriter(_piece))
        {
            json.WriteStartObject();
            foreach (var column in columns)
            {
                if (column.Value(row) is not { } value) continue;
                json.WritePropertyName(column.Name);
                switch (value)
                {
                    case string text: json.WriteStringValue(text); break;
                    case DateTimeOffset time: json.WriteStringValue(ListCsv.Time(time)); break;
                    case bool flag: json.WriteBooleanValue(flag); break;
                    case double number: json.WriteNumberValue(number); break;
                    case long number: json.WriteNumberValue(number); break;
                    case IReadOnlyList<string> texts:
                        json.WriteStartArray();
                        foreach (var text in texts) json.WriteStringValue(text);
                        json.WriteEndArray();
                        break;
                    default: throw new InvalidOperationException($"{value.GetType().Name} is no value of a line.");
                }
            }
            json.WriteEndObject();
        }
        _piece.Write("\n"u8);
    }
}

/// <summary>What exports hold: as the API names it, and nothing of a person.</summary>
internal static class ExportColumns
{
    public static IReadOnlyList<ExportColumn<StoredCase>> Cases { get; } =
    [
        new("case_id", stored => stored.Id.ToString()),
        new("state", stored => Word(stored.State)),
        new("signup_id", stored => stored.SignupId),
        new("cluster_id", stored => stored.Cluster),
        new("signups", stored => stored.Signups),
        new("verdict", stored => Word(stored.Verdict)),
        new("score", stored => stored.Score),
        new("reason_codes", stored => stored.ReasonCodes),
        new("labels", stored => stored.Labels),
        new("priority", stored => (long)stored.Priority),
        new("opened_at", stored => stored.OpenedAt),
        new("updated_at", stored => stored.UpdatedAt),
        new("appealed", stored => stored.Appealed),
        new("resolution", stored => stored.Resolution is { } resolution ? Word(resolution) : null),
        new("resolution_reason", stored => stored.ResolutionReason),
        new("resolved_by", stored => stored.ResolvedBy),
        new("resolved_at", stored => stored.ResolvedAt),
        new("country", stored => stored.Country),
        new("network_class", stored => stored.NetworkClass),
        new("channel", stored => stored.Channel),
        new("product", stored => stored.Product),
    ];

    public static IReadOnlyList<ExportColumn<FoundSignup>> Signups { get; } =
    [
        new("signup_id", signup => signup.SignupId),
        new("recorded_at", signup => signup.RecordedAt),
        new("verdict", signup => Word(signup.Verdict)),
        new("score", signup => signup.Score),
        new("reason_codes", signup => signup.ReasonCodes),
        new("labels", signup => signup.Labels),
        new("revision", signup => (long)signup.Revision),
        new("decided_at", signup => signup.DecidedAt),
        new("policy_version", signup => signup.PolicyVersion),
        new("cluster_id", signup => signup.Cluster),
        new("case_id", signup => signup.Case?.Id.ToString()),
        new("label", signup => signup.Label == Label.None ? null : Word(signup.Label)),
        new("country", signup => signup.Country),
        new("network_class", signup => signup.NetworkClass),
        new("channel", signup => signup.Channel),
        new("product", signup => signup.Product),
    ];

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
