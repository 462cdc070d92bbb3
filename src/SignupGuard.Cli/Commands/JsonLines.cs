using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace SignupGuard.Cli.Commands;

/// <summary>One line of a file, as bytes: whether they are text is for the JSON reader to say, line by line.</summary>
/// <param name="Number">From 1.</param>
/// <param name="End">Bytes of the file up to the line's end.</param>
/// <param name="TooLong">Longer than <see cref="JsonLines.LineBytesMax"/>; the content is left out.</param>
internal sealed record JsonLine(long Number, long End, byte[] Content, bool TooLong);

internal static class JsonLines
{
    public const int LineBytesMax = 2 * 1024 * 1024;

    /// <summary>Lines in order; empty ones are passed over but counted. Memory is bounded whatever the file holds.</summary>
    public static async IAsyncEnumerable<JsonLine> ReadAsync(Stream file, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var pipe = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        long number = 0, end = 0, skipped = 0;
        while (true)
        {
            var read = await pipe.ReadAsync(cancellation);
            var buffer = read.Buffer;
            while (Next(ref buffer, read.IsCompleted, out var line, out var terminator))
            {
                number++;
                end += line.Length + terminator;
                if (skipped + line.Length > LineBytesMax) yield return new JsonLine(number, end, [], TooLong: true);
                else if (!IsBlank(line)) yield return new JsonLine(number, end, line.ToArray(), TooLong: false);
                skipped = 0;
            }
            if (read.IsCompleted) break;
            if (buffer.Length > LineBytesMax)
            {
                // Thrown away as it comes; the line's end tells of it.
                skipped += buffer.Length;
                end += buffer.Length;
                buffer = buffer.Slice(buffer.End);
            }
            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
        if (skipped > 0) yield return new JsonLine(number + 1, end, [], TooLong: true);
        await pipe.CompleteAsync();
    }

    private static bool Next(ref ReadOnlySequence<byte> buffer, bool last, out ReadOnlySequence<byte> line, out int terminator)
    {
        if (buffer.PositionOf((byte)'\n') is { } newline)
        {
            line = buffer.Slice(0, newline);
            buffer = buffer.Slice(buffer.GetPosition(1, newline));
            terminator = 1;
            return true;
        }
        line = buffer;
        terminator = 0;
        if (!last || buffer.IsEmpty) return false;
        buffer = buffer.Slice(buffer.End);
        return true;
    }

    private static bool IsBlank(in ReadOnlySequence<byte> line)
    {
        foreach (var segment in line)
        {
            if (segment.Span.ContainsAnyExcept(" \t\r"u8)) return false;
        }
        return true;
    }
}
