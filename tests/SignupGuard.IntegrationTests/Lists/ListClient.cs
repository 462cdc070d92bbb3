using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Lists;

/// <summary>Lists as an admin changes them, over gRPC.</summary>
internal sealed class ListClient(TestService service, string actor = "anna")
{
    private readonly ListService.ListServiceClient _client = new(service.Channel);
    private readonly Metadata _headers = new() { { "signupguard-actor", actor } };

    public ListService.ListServiceClient Raw => _client;

    public Metadata Headers => _headers;

    public async Task<List> CreateAsync(string name, ListEffect effect, ListType type) => (await _client.CreateListAsync(
        new CreateListRequest
        {
            Name = name,
            Effect = effect,
            Type = type,
        },
        _headers)).List;

    public async Task<AddEntriesResponse> AddAsync(string list, string reason, params string[] values) => await AddAsync(list, reason, null, values);

    public async Task<AddEntriesResponse> AddAsync(string list, string reason, DateTimeOffset? expires, params string[] values)
    {
        var request = new AddEntriesRequest
        {
            List = list,
            Reason = reason,
            ExpiresAt = expires is { } time ? Timestamp.FromDateTimeOffset(time) : null,
        };
        request.Entries.Add(values.Select(value => new NewEntry { Value = value }));
        return await _client.AddEntriesAsync(request, _headers);
    }

    public async Task<long> RemoveAsync(string list, params string[] values)
    {
        var request = new RemoveEntriesRequest { List = list };
        request.Values.Add(values);
        return (await _client.RemoveEntriesAsync(request, _headers)).Removed;
    }

    public async Task<IReadOnlyList<Entry>> EntriesAsync(string list, string value = "") =>
        [.. (await _client.ListEntriesAsync(new ListEntriesRequest { List = list, Value = value }, _headers)).Entries];

    /// <param name="pieceBytes">How the file is cut: anywhere.</param>
    public async Task<ImportEntriesResponse> ImportAsync(ImportHeader header, byte[] csv, int pieceBytes = 64 * 1024)
    {
        using var call = _client.ImportEntries(_headers);
        await call.RequestStream.WriteAsync(new ImportEntriesRequest { Header = header });
        try
        {
            for (var at = 0; at < csv.Length; at += pieceBytes)
                await call.RequestStream.WriteAsync(new ImportEntriesRequest { Csv = ByteString.CopyFrom(csv, at, Math.Min(pieceBytes, csv.Length - at)) });
            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // Refused before all of it was sent; the call itself says why.
        }
        return await call;
    }

    public Task<ImportEntriesResponse> ImportAsync(string list, string csv, int pieceBytes = 64 * 1024) => ImportAsync(new ImportHeader { List = list }, Encoding.UTF8.GetBytes(csv), pieceBytes);

    public async Task<string> ExportAsync(string list)
    {
        using var call = _client.ExportEntries(new ExportEntriesRequest { List = list }, _headers);
        var text = new StringBuilder();
        await foreach (var piece in call.ResponseStream.ReadAllAsync()) text.Append(piece.Csv.ToStringUtf8());
        return text.ToString();
    }
}

internal static class Refused
{
    /// <summary>The reason of a refusal, and the fields it names.</summary>
    public static async Task<(StatusCode Status, string Reason, string[] Fields)> ByAsync(Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => call());
        var status = failure!.GetRpcStatus()!;
        return (failure.StatusCode, status.GetDetail<Google.Rpc.ErrorInfo>().Reason, [.. (status.GetDetail<Google.Rpc.BadRequest>()?.FieldViolations ?? []).Select(violation => violation.Field)]);
    }
}
