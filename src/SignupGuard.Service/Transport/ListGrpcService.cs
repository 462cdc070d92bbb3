using System.Text;
using Google.Protobuf;
using Grpc.Core;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Service.Lists;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Lists;

namespace SignupGuard.Service.Transport;

/// <summary>The contract's ListService, over gRPC and as JSON over HTTP. Translates; values are read by <see cref="ListValueReader"/>.</summary>
internal sealed class ListGrpcService(ListStore store, ListValidation validation, KeyHasher hasher, FactsCipher cipher) : V1.ListService.ListServiceBase
{
    /// <summary>Lines of one import.</summary>
    public const int ImportLinesMax = 2_000_000;

    /// <summary>Bad lines after which an import is read no further.</summary>
    private const int BadLinesMax = 40;

    private const int PageSizeUnset = 100;

    /// <summary>Characters of an export sent at a time.</summary>
    private const int ExportPiece = 64 * 1024;

    /// <summary>What sealed values are, to the cipher.</summary>
    private const string Purpose = "list entry";

    private readonly ListValueReader _values = ListValueForms.Reader(hasher);

    public override async Task<V1.ListListsResponse> ListLists(V1.ListListsRequest request, ServerCallContext context)
    {
        var response = new V1.ListListsResponse();
        response.Lists.Add((await store.AllAsync(Tenancy.Of(context), context.CancellationToken)).Select(ListMap.ToContract));
        return response;
    }

    public override async Task<V1.GetListResponse> GetList(V1.GetListRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        return new V1.GetListResponse { List = ListMap.ToContract(await FindAsync(request.Name, context)) };
    }

    public override async Task<V1.CreateListResponse> CreateList(V1.CreateListRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var change = await store.CreateAsync(Deed(context), request.Name, (ListEffect)request.Effect, (ListType)request.Type, request.Description, context.CancellationToken);
        return new V1.CreateListResponse { List = ListMap.ToContract(Done(change)) };
    }

    public override async Task<V1.UpdateListResponse> UpdateList(V1.UpdateListRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var effect = request.Effect == V1.ListEffect.Unspecified ? (ListEffect?)null : (ListEffect)request.Effect;
        var description = request.HasDescription ? request.Description : null;
        var change = await store.UpdateAsync(Deed(context), request.Name, ListMap.Version(request.Etag), effect, description, context.CancellationToken);
        return new V1.UpdateListResponse { List = ListMap.ToContract(Done(change)) };
    }

    public override async Task<V1.DeleteListResponse> DeleteList(V1.DeleteListRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        return new V1.DeleteListResponse { Entries = Done(await store.DeleteAsync(Deed(context), request.Name, ListMap.Version(request.Etag), context.CancellationToken)).Entries };
    }

    public override async Task<V1.ListEntriesResponse> ListEntries(V1.ListEntriesRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var tenant = Tenancy.Of(context);
        var list = await FindAsync(request.List, context);
        var only = request.Value.Length == 0 ? (ListKey?)null : Read(tenant, list, request.Value, "value").Key;
        var after = request.PageToken.Length == 0 ? (ListKey?)null : ListKey.From(Guid.Parse(request.PageToken));
        var pageSize = request.PageSize == 0 ? PageSizeUnset : request.PageSize;
        var entries = await store.EntriesAsync(tenant, list.Id, only, after, pageSize, context.CancellationToken);
        var response = new V1.ListEntriesResponse { NextPageToken = entries.Count == pageSize ? entries[^1].Key.ToGuid().ToString() : "" };
        response.Entries.Add(entries.Select(entry => ListMap.ToContract(list, entry, Open(tenant, entry))));
        return response;
    }

    public override async Task<V1.AddEntriesResponse> AddEntries(V1.AddEntriesRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var tenant = Tenancy.Of(context);
        var list = await FindAsync(request.List, context);
        var (entries, violations) = (new List<NewEntry>(request.Entries.Count), new List<FieldViolation>());
        for (var i = 0; i < request.Entries.Count; i++)
        {
            var entry = request.Entries[i];
            if (_values.Read(tenant, list.Type, entry.Value) is not { } value)
            {
                violations.Add(new FieldViolation($"entries[{i}].value", ViolationCode.InvalidFormat, ListValueReader.Form(list.Type)));
                continue;
            }
            entries.Add(New(tenant, value, Text(entry.Reason) ?? Text(request.Reason), (entry.ExpiresAt ?? request.ExpiresAt)?.ToDateTimeOffset()));
        }
        Demand(violations);
        var added = await store.AddAsync(Deed(context), list, entries, context.CancellationToken) ?? throw Refusal.UnknownList().ToRpcException();
        return new V1.AddEntriesResponse
        {
            Added = added.Added,
            Changed = added.Changed,
            Unchanged = added.Unchanged,
        };
    }

    public override async Task<V1.RemoveEntriesResponse> RemoveEntries(V1.RemoveEntriesRequest request, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var tenant = Tenancy.Of(context);
        var list = await FindAsync(request.List, context);
        var keys = new HashSet<ListKey>();
        var violations = new List<FieldViolation>();
        for (var i = 0; i < request.Values.Count; i++)
        {
            if (_values.Read(tenant, list.Type, request.Values[i]) is { } value) keys.Add(value.Key);
            else violations.Add(new FieldViolation($"values[{i}]", ViolationCode.InvalidFormat, ListValueReader.Form(list.Type)));
        }
        Demand(violations);
        keys.UnionWith(request.EntryIds.Select(id => ListKey.From(Guid.Parse(id))));
        return new V1.RemoveEntriesResponse { Removed = await store.RemoveAsync(Deed(context), list, keys, context.CancellationToken) ?? throw Refusal.UnknownList().ToRpcException() };
    }

    public override async Task<V1.ImportEntriesResponse> ImportEntries(IAsyncStreamReader<V1.ImportEntriesRequest> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.PartCase != V1.ImportEntriesRequest.PartOneofCase.Header)
            throw Refusal.Invalid([new FieldViolation("header", ViolationCode.Required, "The first message is the header.")]).ToRpcException();
        var header = requestStream.Current.Header;
        Demand(validation.Check(header));
        var deed = Deed(context);
        var list = await FindAsync(header.List, context);
        await using var import = header.ValidateOnly ? null : await store.BeginImportAsync(context.CancellationToken);
        using var text = new ImportText(requestStream, context.CancellationToken);
        var response = new V1.ImportEntriesResponse();
        var violations = new List<FieldViolation>();
        await foreach (var line in ListCsv.ReadAsync(text))
        {
            if (Read(deed.Tenant, list, header, line) is not { } entry)
            {
                violations.Add(Violation(list, line));
                if (violations.Count == BadLinesMax) break;
                continue;
            }
            if (++response.Lines > ImportLinesMax)
            {
                violations.Add(new FieldViolation("csv", ViolationCode.TooMany, $"At most {ImportLinesMax:N0} lines."));
                break;
            }
            if (violations.Count == 0 && import is not null) await import.AddAsync(entry, context.CancellationToken);
        }
        if (text.Unexpected) violations.Add(new FieldViolation("csv", ViolationCode.Required, "After the header every message is a piece of the file."));
        Demand(violations);
        if (import is null) return response;
        var added = await import.CompleteAsync(deed, list, context.CancellationToken) ?? throw Refusal.UnknownList().ToRpcException();
        response.Added = added.Added;
        response.Changed = added.Changed;
        response.Unchanged = response.Lines - added.Added - added.Changed;
        return response;
    }

    public override async Task ExportEntries(V1.ExportEntriesRequest request, IServerStreamWriter<V1.ExportEntriesResponse> responseStream, ServerCallContext context)
    {
        Demand(validation.Check(request));
        var deed = Deed(context);
        var list = await FindAsync(request.List, context);
        // Before the first value leaves.
        await store.ExportingAsync(deed, list, context.CancellationToken);
        var piece = new StringBuilder(ListCsv.Header);
        await foreach (var entry in store.AllEntriesAsync(deed.Tenant, list.Id, context.CancellationToken))
        {
            ListCsv.Write(piece, Open(deed.Tenant, entry) ?? entry.Value!, entry.Reason, entry.ExpiresAt, entry.Author, entry.CreatedAt);
            if (piece.Length >= ExportPiece) await SendAsync();
        }
        await SendAsync();

        async Task SendAsync()
        {
            await responseStream.WriteAsync(new V1.ExportEntriesResponse { Csv = ByteString.CopyFromUtf8(piece.ToString()) }, context.CancellationToken);
            piece.Clear();
        }
    }

    private static ListDeed Deed(ServerCallContext context) => new(Tenancy.Of(context), Caller.Actor(context));

    private async Task<StoredList> FindAsync(string name, ServerCallContext context) =>
        await store.FindAsync(Tenancy.Of(context), name, context.CancellationToken) ?? throw Refusal.UnknownList().ToRpcException();

    private static StoredList Done(ListChange change) => change switch
    {
        ListChange.Done done => done.List,
        ListChange.Unknown => throw Refusal.UnknownList().ToRpcException(),
        ListChange.Exists => throw Refusal.KnownList().ToRpcException(),
        ListChange.Outdated => throw Refusal.OutdatedEtag().ToRpcException(),
        ListChange.TooMany => throw Refusal.ListsFull(ListStore.ListsMax).ToRpcException(),
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "A change without an answer."),
    };

    private ListValue Read(string tenant, StoredList list, string text, string field) =>
        _values.Read(tenant, list.Type, text) ?? throw Refusal.Invalid([new FieldViolation(field, ViolationCode.InvalidFormat, ListValueReader.Form(list.Type))]).ToRpcException();

    /// <summary>Null for a line that is no entry.</summary>
    private NewEntry? Read(string tenant, StoredList list, V1.ImportHeader header, CsvLine line)
    {
        if (line.Problem is not null || (line.Reason is { } reason && !ListValidation.IsReason(reason))) return null;
        return _values.Read(tenant, list.Type, line.Value) is { } value ? New(tenant, value, line.Reason ?? Text(header.Reason), line.ExpiresAt ?? header.ExpiresAt?.ToDateTimeOffset()) : null;
    }

    private static FieldViolation Violation(StoredList list, CsvLine line) =>
        line.Problem is var (column, message) ? new FieldViolation(column.Length == 0 ? $"csv.line[{line.Line}]" : $"csv.line[{line.Line}].{column}", ViolationCode.InvalidFormat, message)
        : line.Reason is { } reason && !ListValidation.IsReason(reason)
            ? new FieldViolation($"csv.line[{line.Line}].reason", ViolationCode.InvalidFormat, $"One line of at most {ListStore.ReasonCharactersMax} characters.")
        : new FieldViolation($"csv.line[{line.Line}].value", ViolationCode.InvalidFormat, ListValueReader.Form(list.Type));

    private NewEntry New(string tenant, ListValue value, string? reason, DateTimeOffset? expiresAt) =>
        new(value.Key, value.IsPersonal ? null : value.Text, value.IsPersonal ? cipher.SealText(tenant, Purpose, value.Text) : null, reason, expiresAt);

    private string? Open(string tenant, StoredEntry entry) => entry.Sealed is { } stored ? cipher.OpenText(tenant, Purpose, stored) : null;

    private static string? Text(string text) => text.Length == 0 ? null : text;

    private static void Demand(IReadOnlyList<FieldViolation> violations)
    {
        if (violations.Count > 0) throw Refusal.Invalid(violations).ToRpcException();
    }
}
