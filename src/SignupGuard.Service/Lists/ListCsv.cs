using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace SignupGuard.Service.Lists;

/// <summary>A line of an import.</summary>
/// <param name="Line">Counted from 1, the header included; of a line that goes on over several the last.</param>
/// <param name="Problem">Set where the line is no entry: which column, and what is wrong.</param>
public sealed record CsvLine(long Line, string Value, string? Reason, DateTimeOffset? ExpiresAt, (string Column, string Message)? Problem);

/// <summary>Lists as CSV (RFC 4180, UTF-8), by CsvHelper; here the columns, the bounds and the apostrophe before formulas.</summary>
public static class ListCsv
{
    /// <summary>UTF-16 code units of one line: room for the longest value and reason, each quoted.</summary>
    public const int LineCharactersMax = 8_192;

    private const string ValueColumn = "value";
    private const string ReasonColumn = "reason";
    private const string ExpiresColumn = "expires_at";

    /// <summary>What a spreadsheet takes for a formula, and the sign that it is none.</summary>
    private const string FormulaStarts = "=+-@\t\r";

    private const char Escape = '\'';

    private const char Replacement = '\uFFFD';

    public static string Header { get; } = string.Join(',', ValueColumn, ReasonColumn, ExpiresColumn, "author", "created_at") + "\r\n";

    /// <summary>One line of an export.</summary>
    public static void Write(StringBuilder to, string value, string? reason, DateTimeOffset? expiresAt, string author, DateTimeOffset createdAt)
    {
        Cell(to, value);
        to.Append(',');
        Cell(to, reason ?? "");
        to.Append(',');
        if (expiresAt is { } expires) to.Append(Time(expires));
        to.Append(',');
        Cell(to, author);
        to.Append(',').Append(Time(createdAt)).Append("\r\n");
    }

    /// <summary>
    /// The lines of a file. Ends after a line that makes what follows unreadable: a quote that is not closed, or a line too long. Never throws for
    /// any content; what <paramref name="text"/> throws passes through.
    /// </summary>
    /// <param name="text">Decoded with U+FFFD for what is no UTF-8.</param>
    public static async IAsyncEnumerable<CsvLine> ReadAsync(TextReader text)
    {
        using var bounded = new BoundedText(text);
        var bad = false;
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = ",",
            IgnoreBlankLines = true,
            BadDataFound = _ => bad = true,
            // Lines are counted by the parser, also within quotes.
            CountBytes = false,
        };
        using var parser = new CsvParser(bounded, configuration);
        int[]? columns = null;
        while (true)
        {
            bounded.Restart();
            bad = false;
            bool more;
            try
            {
                more = await parser.ReadAsync();
            }
            catch (LineTooLongException)
            {
                more = false;
            }
            if (bounded.TooLong)
            {
                yield return new CsvLine(parser.RawRow, "", null, null, ("", $"At most {LineCharactersMax:N0} characters, quotes closed."));
                yield break;
            }
            if (!more)
            {
                if (columns is null) yield return new CsvLine(1, "", null, null, ("", "The first line names the columns: value, and if you like reason and expires_at."));
                yield break;
            }
            if (columns is null)
            {
                columns = ColumnsOf(parser);
                if (columns[0] >= 0 && !bad) continue;
                yield return new CsvLine(parser.RawRow, "", null, null, ("", "The first line names the columns: value, and if you like reason and expires_at, each once."));
                yield break;
            }
            var line = Line(parser, columns);
            // Cells are read when they are asked for, and found bad then.
            yield return bad || parser.RawRecord.Count('"') % 2 != 0
                ? new CsvLine(parser.RawRow, "", null, null, ("", "A quote is not closed, or stands within a cell that is not quoted."))
                : line;
        }
    }

    private static CsvLine Line(CsvParser parser, int[] columns)
    {
        var (value, reason, expires) = (CellOf(parser, columns[0]), CellOf(parser, columns[1]), CellOf(parser, columns[2]));
        (string, string)? problem = null;
        DateTimeOffset? expiresAt = null;
        foreach (var (column, cell) in new[] { (ValueColumn, value), (ReasonColumn, reason), (ExpiresColumn, expires) })
        {
            if (cell.Contains(Replacement, StringComparison.Ordinal)) problem ??= (column, "Text is UTF-8.");
        }
        if (expires.Length > 0)
        {
            if (DateTimeOffset.TryParse(expires, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var time)) expiresAt = time;
            else problem ??= (ExpiresColumn, "A time by RFC 3339 (2026-01-31T12:00:00Z).");
        }
        return new CsvLine(parser.RawRow, value, reason.Length == 0 ? null : reason, expiresAt, problem);
    }

    /// <summary>Of value, reason and expiry; −1 where there is none, and for the value where one of them is there twice.</summary>
    private static int[] ColumnsOf(CsvParser parser)
    {
        var columns = new[] { -1, -1, -1 };
        for (var i = 0; i < parser.Count; i++)
        {
            var at = Array.IndexOf([ValueColumn, ReasonColumn, ExpiresColumn], parser[i].Trim().TrimStart('\uFEFF').ToLowerInvariant());
            if (at < 0) continue;
            if (columns[at] >= 0) return [-1, -1, -1];
            columns[at] = i;
        }
        return columns;
    }

    private static string CellOf(CsvParser parser, int column)
    {
        if (column < 0 || column >= parser.Count) return "";
        var cell = parser[column];
        return cell.Length > 1 && cell[0] == Escape && (cell[1] == Escape || FormulaStarts.Contains(cell[1], StringComparison.Ordinal)) ? cell[1..] : cell;
    }

    /// <summary>A text as one cell that no spreadsheet takes for a formula.</summary>
    internal static void Cell(StringBuilder to, string text)
    {
        var escaped = text.Length > 0 && (text[0] == Escape || FormulaStarts.Contains(text[0], StringComparison.Ordinal));
        var quoted = text.AsSpan().IndexOfAny(",\"\r\n") >= 0 || (text.Length > 0 && (text[0] == ' ' || text[^1] == ' '));
        if (quoted) to.Append('"');
        if (escaped) to.Append(Escape);
        if (quoted) to.Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        else to.Append(text);
    }

    internal static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture);

    private sealed class LineTooLongException : IOException
    {
    }

    /// <summary>Hands out text, and stops when one line takes more than it may: the parser would keep all of it.</summary>
    private sealed class BoundedText(TextReader text) : TextReader
    {
        /// <summary>The parser reads ahead by its buffer.</summary>
        private const int ReadAhead = 4_096;

        private int _sinceStart;

        public bool TooLong { get; private set; }

        public void Restart() => _sinceStart = 0;

        public override async ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
        {
            if (_sinceStart > LineCharactersMax + ReadAhead)
            {
                TooLong = true;
                throw new LineTooLongException();
            }
            var read = await text.ReadAsync(buffer.Length > ReadAhead ? buffer[..ReadAhead] : buffer, cancellationToken);
            _sinceStart += read;
            return read;
        }

        public override async Task<int> ReadAsync(char[] buffer, int index, int count) => await ReadAsync(buffer.AsMemory(index, count));

        public override int Read(char[] buffer, int index, int count) => throw new NotSupportedException("The parser reads asynchronously.");
    }
}
