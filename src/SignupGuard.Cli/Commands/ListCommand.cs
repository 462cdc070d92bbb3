using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.V1;

namespace SignupGuard.Cli.Commands;

/// <summary><c>signupguard list</c>: lists of a running service, through its API and under the caller's name.</summary>
internal static class ListCommand
{
    /// <summary>Bytes of a file sent at a time.</summary>
    private const int PieceBytes = 64 * 1024;

    public static Command Create() => new("list", "Lists of values to allow, deny or watch, on a running service.")
    {
        ShowCommand(), CreateCommand(), UpdateCommand(), DeleteCommand(), AddCommand(), RemoveCommand(), ImportCommand(), ExportCommand(),
    };

    private static Argument<string> Name() => new("name") { Description = "The list's name." };

    private static Option<string> Reason() => new("--reason") { Description = "Shown to reviewers in decisions; nothing of a person.", DefaultValueFactory = _ => "" };

    private static Option<DateTimeOffset?> Expires() => new("--expires") { Description = "The entries hold for signups before this time (2027-01-31 or 2027-01-31T12:00:00Z). Default: for ever." };

    private static Command ShowCommand()
    {
        var name = new Argument<string?>("name") { Description = "A list; without it all of them.", Arity = ArgumentArity.ZeroOrOne };
        var value = new Option<string?>("--value") { Description = "Only the entry of this value. It stands in this machine's process list meanwhile: - reads it from the standard input." };
        var entries = new Option<bool>("--entries") { Description = "Its entries too; values of persons are masked." };
        return Make("show", "Show all lists, one, or its entries.", [name], [value, entries], async (call, parsed) =>
        {
            if (parsed.GetValue(name) is not { } list)
            {
                foreach (var one in (await call.Client.ListListsAsync(new ListListsRequest(), call.Headers, cancellationToken: call.Cancellation)).Lists) Print(one);
                return;
            }
            var asked = await ValueAsync(parsed.GetValue(value));
            if (asked is null) Print((await call.Client.GetListAsync(new GetListRequest { Name = list }, call.Headers, cancellationToken: call.Cancellation)).List);
            if (asked is null && !parsed.GetValue(entries)) return;
            var request = new ListEntriesRequest
            {
                List = list,
                Value = asked ?? "",
                PageSize = 1_000,
            };
            do
            {
                var page = await call.Client.ListEntriesAsync(request, call.Headers, cancellationToken: call.Cancellation);
                foreach (var entry in page.Entries) Print(entry);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
        });
    }

    private static Command CreateCommand()
    {
        var name = Name();
        var effect = Word<ListEffect>("--effect", "What being on it does", required: true);
        var type = Word<ListType>("--type", "What its values are", required: true);
        var description = new Option<string>("--description") { Description = "For people.", DefaultValueFactory = _ => "" };
        return Make("create", "Make an empty list.", [name], [effect, type, description], async (call, parsed) => Print((await call.Client.CreateListAsync(
            new CreateListRequest
            {
                Name = parsed.GetRequiredValue(name),
                Effect = parsed.GetValue(effect),
                Type = parsed.GetValue(type),
                Description = parsed.GetRequiredValue(description),
            },
            call.Headers,
            cancellationToken: call.Cancellation)).List));
    }

    private static Command UpdateCommand()
    {
        var name = Name();
        var effect = Word<ListEffect>("--effect", "What being on it does", required: false);
        var description = new Option<string?>("--description") { Description = "For people." };
        return Make("update", "Change a list's effect or description.", [name], [effect, description], async (call, parsed) =>
        {
            var list = (await call.Client.GetListAsync(new GetListRequest { Name = parsed.GetRequiredValue(name) }, call.Headers, cancellationToken: call.Cancellation)).List;
            var request = new UpdateListRequest
            {
                Name = list.Name,
                Etag = list.Etag,
                Effect = parsed.GetValue(effect),
            };
            if (parsed.GetValue(description) is { } text) request.Description = text;
            Print((await call.Client.UpdateListAsync(request, call.Headers, cancellationToken: call.Cancellation)).List);
        });
    }

    private static Command DeleteCommand()
    {
        var name = Name();
        return Make("delete", "Remove a list with its entries.", [name], [], async (call, parsed) =>
        {
            var list = (await call.Client.GetListAsync(new GetListRequest { Name = parsed.GetRequiredValue(name) }, call.Headers, cancellationToken: call.Cancellation)).List;
            var gone = await call.Client.DeleteListAsync(new DeleteListRequest { Name = list.Name, Etag = list.Etag }, call.Headers, cancellationToken: call.Cancellation);
            Console.WriteLine($"{list.Name} removed, with {gone.Entries:N0} entries.");
        });
    }

    private static Command AddCommand()
    {
        var (name, values, reason, expires) = (Name(), Values(), Reason(), Expires());
        return Make("add", "Add values, or give them another reason and expiry.", [name, values], [reason, expires], async (call, parsed) =>
        {
            var request = new AddEntriesRequest
            {
                List = parsed.GetRequiredValue(name),
                Reason = parsed.GetRequiredValue(reason),
                ExpiresAt = Time(parsed.GetValue(expires)),
            };
            foreach (var value in await ValuesAsync(parsed.GetRequiredValue(values))) request.Entries.Add(new NewEntry { Value = value });
            var added = await call.Client.AddEntriesAsync(request, call.Headers, cancellationToken: call.Cancellation);
            Console.WriteLine($"{added.Added:N0} added, {added.Changed:N0} changed, {added.Unchanged:N0} unchanged.");
        });
    }

    private static Command RemoveCommand()
    {
        var (name, values) = (Name(), Values());
        return Make("remove", "Remove values.", [name, values], [], async (call, parsed) =>
        {
            var request = new RemoveEntriesRequest { List = parsed.GetRequiredValue(name) };
            request.Values.Add(await ValuesAsync(parsed.GetRequiredValue(values)));
            Console.WriteLine($"{(await call.Client.RemoveEntriesAsync(request, call.Headers, cancellationToken: call.Cancellation)).Removed:N0} removed.");
        });
    }

    private static Command ImportCommand()
    {
        var (name, reason, expires) = (Name(), Reason(), Expires());
        var input = new Option<string>("--in") { Description = "CSV file with a column value, and if you like reason and expires_at. - reads the standard input.", Required = true };
        var check = new Option<bool>("--check") { Description = "Check the file and add nothing." };
        return Make("import", "Add the values of a CSV file, all or none.", [name], [input, reason, expires, check], async (call, parsed) =>
        {
            await using var file = parsed.GetRequiredValue(input) is OutputFile.StandardStream ? Console.OpenStandardInput() : File.OpenRead(parsed.GetRequiredValue(input));
            using var import = call.Client.ImportEntries(call.Headers, cancellationToken: call.Cancellation);
            try
            {
                await import.RequestStream.WriteAsync(
                    new ImportEntriesRequest
                    {
                        Header = new ImportHeader
                        {
                            List = parsed.GetRequiredValue(name),
                            Reason = parsed.GetRequiredValue(reason),
                            ExpiresAt = Time(parsed.GetValue(expires)),
                            ValidateOnly = parsed.GetValue(check),
                        },
                    },
                    call.Cancellation);
                var buffer = new byte[PieceBytes];
                int read;
                while ((read = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, call.Cancellation)) > 0)
                    await import.RequestStream.WriteAsync(new ImportEntriesRequest { Csv = ByteString.CopyFrom(buffer, 0, read) }, call.Cancellation);
                await import.RequestStream.CompleteAsync();
            }
            catch (Exception failure) when (failure is RpcException or InvalidOperationException)
            {
                // The service has answered before it had all of the file; the answer says why.
            }
            var done = await import;
            Console.WriteLine(parsed.GetValue(check)
                ? $"{done.Lines:N0} lines, all good. Nothing was added."
                : $"{done.Lines:N0} lines: {done.Added:N0} added, {done.Changed:N0} changed, {done.Unchanged:N0} unchanged.");
        });
    }

    private static Command ExportCommand()
    {
        var name = Name();
        var output = new Option<string>("--out") { Description = "CSV file to write, with all values in the clear: keep it well. - writes to the standard output.", Required = true };
        return Make("export", "Write all entries of a list as CSV, in the clear. Stands in the audit.", [name], [output], async (call, parsed) =>
        {
            var path = parsed.GetRequiredValue(output);
            using var export = call.Client.ExportEntries(new ExportEntriesRequest { List = parsed.GetRequiredValue(name) }, call.Headers, cancellationToken: call.Cancellation);
            await using var file = OutputFile.Create(path, ownerOnly: true);
            await foreach (var piece in export.ResponseStream.ReadAllAsync(call.Cancellation)) await file.Content.WriteAsync(piece.Csv.Memory, call.Cancellation);
            await file.FinishAsync();
        });
    }

    private sealed record Call(ListService.ListServiceClient Client, Metadata Headers, CancellationToken Cancellation);

    private static Command Make(string name, string description, Argument[] arguments, System.CommandLine.Option[] options, Func<Call, ParseResult, Task> run) =>
        AdminCall.Command(name, description, arguments, options, async call =>
        {
            await run(new Call(new ListService.ListServiceClient(call.Channel), call.Headers, call.Cancellation), call.Parsed);
            return 0;
        });

    private static Argument<string[]> Values() => new("values")
    {
        Description = "Values of the list's type. They stand in this machine's process list and the shell's history: - reads them from the standard input, one a line.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static async Task<IReadOnlyList<string>> ValuesAsync(string[] given)
    {
        if (given is not [OutputFile.StandardStream]) return given;
        var lines = new List<string>();
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line.Length > 0) lines.Add(line);
        }
        return lines;
    }

    private static async Task<string?> ValueAsync(string? given) => given is OutputFile.StandardStream ? await Console.In.ReadLineAsync() : given;

    private static Timestamp? Time(DateTimeOffset? time) => time is { } set ? Timestamp.FromDateTimeOffset(set) : null;

    /// <summary>An enumeration of the contract by its words: LIST_EFFECT_DENY is "deny".</summary>
    private static Option<T> Word<T>(string name, string description, bool required)
        where T : struct, System.Enum
    {
        var words = System.Enum.GetValues<T>().Where(value => !value.Equals(default(T))).ToDictionary(value => value.ToString().ToLowerInvariant(), StringComparer.Ordinal);
        return new Option<T>(name)
        {
            Description = $"{description}: {string.Join(", ", words.Keys)}.",
            Required = required,
            CustomParser = argument =>
            {
                if (words.TryGetValue(argument.Tokens[0].Value, out var value)) return value;
                argument.AddError($"{name} is one of {string.Join(", ", words.Keys)}.");
                return default;
            },
        };
    }

    private static void Print(List list) => Console.WriteLine(
        $"{list.Name}: {list.Effect.ToString().ToLowerInvariant()} {list.Type.ToString().ToLowerInvariant()}, {list.Entries.ToString("N0", CultureInfo.InvariantCulture)} entries"
        + (list.Description.Length > 0 ? $"; {list.Description}" : ""));

    private static void Print(Entry entry) => Console.WriteLine(string.Join(
        '\t',
        entry.Value,
        entry.Reason,
        entry.ExpiresAt is null ? "" : $"until {entry.ExpiresAt.ToDateTimeOffset():u}",
        $"{entry.Author}, {entry.CreatedAt.ToDateTimeOffset():u}"));
}
