using System.Globalization;
using System.Text;
using CsCheck;
using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Service.Lists;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Lists;

public sealed class ListImportTests
{
    private TestDatabase _database = null!;
    private TestService _service = null!;
    private ListClient _lists = null!;
    private static int _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
        _lists = new ListClient(_service);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async Task<string> NewListAsync(ListType type)
    {
        var name = $"list-{Interlocked.Increment(ref _next)}";
        await _lists.CreateAsync(name, ListEffect.Watch, type);
        return name;
    }

    private async Task<long> CountAsync(string list) => (await _lists.Raw.GetListAsync(new GetListRequest { Name = list })).List.Entries;

    [Test]
    public async Task A_hundred_thousand_lines_are_imported_exported_and_imported_again_without_a_change()
    {
        const int lines = 100_000;
        var list = await NewListAsync(ListType.Email);
        var csv = new StringBuilder("value,reason\n");
        for (var i = 0; i < lines; i++) csv.Append(CultureInfo.InvariantCulture, $"person{i}@host{i % 100}.example,\"feed, part {i % 3}\"\n");
        var first = await _lists.ImportAsync(list, csv.ToString());
        Assert.That((first.Lines, first.Added, first.Changed, first.Unchanged), Is.EqualTo((lines, lines, 0, 0)));
        Assert.That(await CountAsync(list), Is.EqualTo(lines));
        Assert.That((await _lists.EntriesAsync(list, "Person77777@host77.example")).Single().Reason, Is.EqualTo("feed, part 2"));

        var export = await _lists.ExportAsync(list);
        Assert.That(export.Count(character => character == '\n'), Is.EqualTo(lines + 1));
        var revision = await _database.ScalarAsync<long>("SELECT max(revision) FROM list_entries");
        var again = await _lists.ImportAsync(list, export);
        Assert.That((again.Lines, again.Added, again.Changed, again.Unchanged), Is.EqualTo((lines, 0, 0, lines)));
        Assert.That(await _database.ScalarAsync<long>("SELECT max(revision) FROM list_entries"), Is.EqualTo(revision));
    }

    [TestCase("", "csv.line[1]")]
    [TestCase("name,reason\nAS1,x\n", "csv.line[1]")]
    [TestCase("value,value\nAS1,AS2\n", "csv.line[1]")]
    [TestCase("value\nAS1\nno\nAS2\nnope\n", "csv.line[3].value csv.line[5].value")]
    [TestCase("value,reason\nAS1,\"two\nlines\"\n", "csv.line[3].reason")]
    [TestCase("value,expires_at\nAS1,tomorrow\n", "csv.line[2].expires_at")]
    [TestCase("value\nAS1\n\"AS2\n", "csv.line[4]")]
    [TestCase("value\nAS1\nA\"S2\n", "csv.line[3]")]
    [TestCase("value,reason\nAS1,\u0007\n", "csv.line[2].reason")]
    public async Task A_file_with_a_bad_line_adds_nothing_and_names_the_line(string csv, string fields)
    {
        var list = await NewListAsync(ListType.Asn);
        var refused = await Refused.ByAsync(() => _lists.ImportAsync(list, csv));
        Assert.That((refused.Status, refused.Reason, string.Join(' ', refused.Fields)), Is.EqualTo((StatusCode.InvalidArgument, "INVALID_REQUEST", fields)));
        Assert.That(await CountAsync(list), Is.Zero);
        Assert.That(await _lists.EntriesAsync(list), Is.Empty);
    }

    [Test]
    public async Task Text_that_is_no_UTF8_is_named_by_its_line()
    {
        var list = await NewListAsync(ListType.Device);
        byte[] csv = [.. "value\ngood\n"u8, 0xC3, 0x28, .. "\nmore\n"u8];
        Assert.That((await Refused.ByAsync(() => _lists.ImportAsync(new ImportHeader { List = list }, csv, pieceBytes: 1))).Fields, Is.EqualTo(new[] { "csv.line[3].value" }));
        // Cut within a character is no fault.
        Assert.That((await _lists.ImportAsync(new ImportHeader { List = list }, Encoding.UTF8.GetBytes("value\ndäv-€-𝄞\n"), pieceBytes: 1)).Added, Is.EqualTo(1));
    }

    [Test]
    public async Task Endless_lines_and_quotes_end_the_import_within_bounded_memory()
    {
        var list = await NewListAsync(ListType.Device);
        foreach (var start in new[] { "value\n", "value\n\"", "value\n\"x\"," })
        {
            byte[] csv = [.. Encoding.UTF8.GetBytes(start), .. Enumerable.Repeat((byte)'a', 8 * 1024 * 1024)];
            Assert.That((await Refused.ByAsync(() => _lists.ImportAsync(new ImportHeader { List = list }, csv))).Fields, Is.EqualTo(new[] { "csv.line[2]" }));
        }
        byte[] quoted = [.. "value\n"u8, .. Enumerable.Repeat("\"\n\","u8.ToArray(), 500_000).SelectMany(bytes => bytes)];
        Assert.That((await Refused.ByAsync(() => _lists.ImportAsync(new ImportHeader { List = list }, quoted))).Fields.Single(), Does.StartWith("csv.line["));
    }

    [Test]
    public async Task Defaults_of_the_header_hold_for_lines_without_their_own_and_a_check_adds_nothing()
    {
        var list = await NewListAsync(ListType.Bin);
        var header = new ImportHeader
        {
            List = list,
            Reason = "from the header",
            ValidateOnly = true,
        };
        var csv = "\uFEFFreason,value,colour\r\n,456789,red\r\nown,\"4567890\",blue\r\n"u8.ToArray();
        Assert.That((await _lists.ImportAsync(header, csv)).Lines, Is.EqualTo(2));
        Assert.That(await CountAsync(list), Is.Zero);
        header.ValidateOnly = false;
        Assert.That((await _lists.ImportAsync(header, csv)).Added, Is.EqualTo(2));
        Assert.That((await _lists.EntriesAsync(list)).Select(entry => (entry.Value, entry.Reason)), Is.EquivalentTo(new[] { ("456789", "from the header"), ("4567890", "own") }));
    }

    [Test]
    public async Task Of_a_value_that_is_in_the_file_twice_the_last_counts()
    {
        var list = await NewListAsync(ListType.Email);
        var imported = await _lists.ImportAsync(list, "value,reason\na@gmail.com,one\nb@example.org,b\nA.@googlemail.com,two\n");
        Assert.That((imported.Lines, imported.Added, imported.Unchanged), Is.EqualTo((3, 2, 1)));
        Assert.That((await _lists.EntriesAsync(list, "a@gmail.com")).Single().Reason, Is.EqualTo("two"));
    }

    [Test]
    public async Task Cells_that_a_spreadsheet_would_run_are_quoted_in_an_export_and_come_back_as_they_were()
    {
        var list = await NewListAsync(ListType.Device);
        string[] values = ["=1+1", "+4930", "-2", "@sum", "'=already", "'plain", "''", "a,b", "say \"hi\"", " spaced "];
        await _lists.AddAsync(list, "=HYPERLINK(\"x\")", values);
        var export = await _lists.ExportAsync(list);
        foreach (var cell in export.Split("\r\n").SelectMany(line => line.Split(',')).Where(cell => cell.Length > 0)) Assert.That(cell.TrimStart('"'), Does.Not.Match("^[=+\\-@]"));
        var copy = await NewListAsync(ListType.Device);
        Assert.That((await _lists.ImportAsync(copy, export)).Added, Is.EqualTo(values.Length));
        Assert.That(string.Join('\n', (await _lists.ExportAsync(copy)).Split('\n').Select(line => line[..Math.Min(line.Length, 20)])), Is.EqualTo(string.Join('\n', export.Split('\n').Select(line => line[..Math.Min(line.Length, 20)]))));
        foreach (var value in values) Assert.That((await _lists.EntriesAsync(copy, value)).Single().Reason, Is.EqualTo("=HYPERLINK(\"x\")"), value);
    }

    [Test]
    public async Task Any_cells_are_read_as_they_were_written() =>
        await Gen.Select(Gen.String[Gen.Char["ab,\"'=+-@ \t\r\né𝄞"], 1, 12], Gen.String[Gen.Char["ab,\"'=+-@ é"], 0, 12], Gen.DateTime).Array[1, 8].SampleAsync(async rows =>
        {
            var csv = new StringBuilder(ListCsv.Header);
            var times = rows.Select(row => new DateTimeOffset(DateTime.SpecifyKind(row.Item3, DateTimeKind.Utc))).ToArray();
            for (var i = 0; i < rows.Length; i++) ListCsv.Write(csv, rows[i].Item1, rows[i].Item2, times[i], "anna", times[i]);
            var read = new List<CsvLine>();
            using var text = new StringReader(csv.ToString());
            await foreach (var line in ListCsv.ReadAsync(text)) read.Add(line);
            return read.Select(line => (line.Value, line.Reason ?? "", line.ExpiresAt)).SequenceEqual(rows.Select((row, i) => (row.Item1, row.Item2, (DateTimeOffset?)times[i])));
        }, iter: 500);

    [Test]
    public async Task Any_bytes_are_lines_or_problems_and_never_throw() =>
        await Gen.String[Gen.Char["value,rson\"'\n\r\t =é\u0000\uFFFD"], 0, 200].SampleAsync(async content =>
        {
            using var text = new StringReader(content);
            await foreach (var line in ListCsv.ReadAsync(text))
            {
                if (line.Line < 0) return false;
            }
            return true;
        }, iter: 2_000);

    [Test]
    public async Task An_import_that_is_broken_off_leaves_nothing()
    {
        var list = await NewListAsync(ListType.Asn);
        using (var call = _lists.Raw.ImportEntries(_lists.Headers))
        {
            await call.RequestStream.WriteAsync(new ImportEntriesRequest { Header = new ImportHeader { List = list } });
            await call.RequestStream.WriteAsync(new ImportEntriesRequest { Csv = Google.Protobuf.ByteString.CopyFromUtf8("value\nAS1\nAS2\n") });
        }
        Assert.That((await _lists.AddAsync(list, "r", "AS9")).Added, Is.EqualTo(1));
        Assert.That((await _lists.EntriesAsync(list)).Select(entry => entry.Value), Is.EqualTo(new[] { "AS9" }));
    }

    [Test]
    public async Task The_header_comes_first_and_once()
    {
        var list = await NewListAsync(ListType.Asn);
        async Task SendAsync(params ImportEntriesRequest[] parts)
        {
            using var call = _lists.Raw.ImportEntries(_lists.Headers);
            try
            {
                foreach (var part in parts) await call.RequestStream.WriteAsync(part);
                await call.RequestStream.CompleteAsync();
            }
            catch (RpcException)
            {
                // The call itself says why.
            }
            await call;
        }

        var header = new ImportEntriesRequest { Header = new ImportHeader { List = list } };
        var piece = new ImportEntriesRequest { Csv = Google.Protobuf.ByteString.CopyFromUtf8("value\nAS1\n") };
        Assert.That((await Refused.ByAsync(() => SendAsync())).Fields, Is.EqualTo(new[] { "header" }));
        Assert.That((await Refused.ByAsync(() => SendAsync(piece))).Fields, Is.EqualTo(new[] { "header" }));
        Assert.That((await Refused.ByAsync(() => SendAsync(header, piece, header))).Fields, Is.EqualTo(new[] { "csv" }));
    }
}
