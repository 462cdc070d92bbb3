using System.Text;
using Grpc.Core;

namespace SignupGuard.Service.Lists;

/// <summary>The pieces of an import as one text: UTF-8, with U+FFFD for what is none.</summary>
internal sealed class ImportText(IAsyncStreamReader<V1.ImportEntriesRequest> pieces, CancellationToken cancellation) : TextReader
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private ReadOnlyMemory<byte> _piece;
    private bool _ended;

    /// <summary>A piece that is no part of the file: what is read from there on is none.</summary>
    public bool Unexpected { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (_piece.IsEmpty && !_ended)
            {
                if (!await pieces.MoveNext(cancellation))
                {
                    _ended = true;
                }
                else if (pieces.Current.PartCase == V1.ImportEntriesRequest.PartOneofCase.Csv)
                {
                    _piece = pieces.Current.Csv.Memory;
                    continue;
                }
                else
                {
                    (Unexpected, _ended) = (true, true);
                }
            }
            _decoder.Convert(_piece.Span, buffer.Span, flush: _ended, out var bytes, out var characters, out _);
            _piece = _piece[bytes..];
            if (characters > 0 || (_ended && _piece.IsEmpty)) return characters;
        }
    }
}
