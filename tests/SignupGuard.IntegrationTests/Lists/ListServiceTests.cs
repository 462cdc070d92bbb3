using System.Net;
using System.Text;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Lists;

public sealed class ListServiceTests
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

    private static string NewName() => $"list-{Interlocked.Increment(ref _next)}";

    [Test]
    public async Task A_list_is_made_read_changed_and_removed_and_its_name_is_free_again()
    {
        var name = NewName();
        var made = await _lists.CreateAsync(name, ListEffect.Deny, ListType.Email);
        Assert.That((made.Effect, made.Type, made.Entries, made.Author), Is.EqualTo((ListEffect.Deny, ListType.Email, 0L, "anna")));
        await _lists.AddAsync(name, "seen", "a@example.org", "b@example.org");

        var changed = (await _lists.Raw.UpdateListAsync(new UpdateListRequest { Name = name, Etag = made.Etag, Effect = ListEffect.Watch }, _lists.Headers)).List;
        Assert.That((changed.Effect, changed.Description, changed.Entries), Is.EqualTo((ListEffect.Watch, "", 2L)));
        changed = (await _lists.Raw.UpdateListAsync(new UpdateListRequest { Name = name, Etag = changed.Etag, Description = "why" }, _lists.Headers)).List;
        Assert.That((changed.Effect, changed.Description), Is.EqualTo((ListEffect.Watch, "why")));
        Assert.That((await _lists.Raw.GetListAsync(new GetListRequest { Name = name })).List, Is.EqualTo(changed));

        Assert.That((await _lists.Raw.DeleteListAsync(new DeleteListRequest { Name = name, Etag = changed.Etag }, _lists.Headers)).Entries, Is.EqualTo(2));
        Assert.That((await _lists.Raw.ListListsAsync(new ListListsRequest())).Lists.Select(list => list.Name), Does.Not.Contain(name));
        Assert.That((await _lists.CreateAsync(name, ListEffect.Allow, ListType.Ip)).Entries, Is.Zero);
    }

    [Test]
    public async Task Of_two_admins_who_change_a_list_at_once_one_is_told()
    {
        var made = await _lists.CreateAsync(NewName(), ListEffect.Deny, ListType.Email);
        var attempts = Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                await _lists.Raw.UpdateListAsync(new UpdateListRequest { Name = made.Name, Etag = made.Etag, Description = $"by {i}" }, _lists.Headers);
                return StatusCode.OK;
            }
            catch (RpcException refused)
            {
                return refused.StatusCode;
            }
        });
        var outcomes = await Task.WhenAll(attempts);
        Assert.That(outcomes.Count(status => status == StatusCode.OK), Is.EqualTo(1));
        Assert.That(outcomes.Count(status => status == StatusCode.Aborted), Is.EqualTo(7));
        var refused = await Refused.ByAsync(() => _lists.Raw.DeleteListAsync(new DeleteListRequest { Name = made.Name, Etag = made.Etag }, _lists.Headers).ResponseAsync);
        Assert.That((refused.Status, refused.Reason), Is.EqualTo((StatusCode.Aborted, "ETAG_MISMATCH")));
    }

    [Test]
    public async Task A_name_that_is_taken_or_unknown_is_told_with_a_stable_reason()
    {
        var made = await _lists.CreateAsync(NewName(), ListEffect.Deny, ListType.Email);
        Assert.That((await Refused.ByAsync(() => _lists.CreateAsync(made.Name, ListEffect.Deny, ListType.Email))).Reason, Is.EqualTo("LIST_EXISTS"));
        Assert.That((await Refused.ByAsync(() => _lists.AddAsync("nowhere", "r", "a@example.org"))).Reason, Is.EqualTo("LIST_UNKNOWN"));
        Assert.That((await Refused.ByAsync(() => _lists.ExportAsync("nowhere"))).Reason, Is.EqualTo("LIST_UNKNOWN"));
        Assert.That((await Refused.ByAsync(() => _lists.ImportAsync("nowhere", "value\n"))).Reason, Is.EqualTo("LIST_UNKNOWN"));
    }

    [Test]
    public async Task Every_bound_is_named_by_its_field()
    {
        async Task<string[]> Fields(Func<Task> call) => (await Refused.ByAsync(call)).Fields;
        Assert.That(await Fields(() => _lists.Raw.CreateListAsync(new CreateListRequest { Name = "No", Description = new string('x', 1_025) }, _lists.Headers).ResponseAsync), Is.EqualTo(new[] { "name", "effect", "type", "description" }));
        Assert.That(await Fields(() => _lists.Raw.UpdateListAsync(new UpdateListRequest { Name = "a", Effect = (ListEffect)9 }, _lists.Headers).ResponseAsync), Is.EqualTo(new[] { "etag", "effect" }));
        var name = NewName();
        await _lists.CreateAsync(name, ListEffect.Deny, ListType.Ip);
        Assert.That(await Fields(() => _lists.AddAsync(name, "r", "203.0.113.1", "no", "203.0.113.0/4")), Is.EqualTo(new[] { "entries[1].value", "entries[2].value" }));
        Assert.That(await Fields(() => _lists.AddAsync(name, "two\nlines", "203.0.113.1")), Is.EqualTo(new[] { "reason" }));
        Assert.That(await Fields(() => _lists.AddAsync(name, "r", DateTimeOffset.UtcNow.AddDays(-1), "203.0.113.1")), Is.EqualTo(new[] { "expires_at" }));
        Assert.That(await Fields(() => _lists.AddAsync(name, "r")), Is.EqualTo(new[] { "entries" }));
        Assert.That(await Fields(() => _lists.AddAsync(name, "r", [.. Enumerable.Repeat("203.0.113.1", 1_001)])), Is.EqualTo(new[] { "entries" }));
        Assert.That(await Fields(() => _lists.RemoveAsync(name)), Is.EqualTo(new[] { "values" }));
        Assert.That(await Fields(() => _lists.RemoveAsync(name, "no")), Is.EqualTo(new[] { "values[0]" }));
        Assert.That(await Fields(() => _lists.EntriesAsync(name, "no")), Is.EqualTo(new[] { "value" }));
        Assert.That(await Fields(() => _lists.Raw.ListEntriesAsync(new ListEntriesRequest { List = name, PageSize = 1_001, PageToken = "x" }).ResponseAsync), Is.EqualTo(new[] { "page_size", "page_token" }));
        Assert.That(await _lists.EntriesAsync(name), Is.Empty);
    }

    [Test]
    public async Task A_value_is_found_changed_and_removed_in_any_form_that_means_it()
    {
        var name = NewName();
        await _lists.CreateAsync(name, ListEffect.Deny, ListType.Email);
        Assert.That((await _lists.AddAsync(name, "first", "An.Na+x@googlemail.com", "anna@gmail.com", "b@example.org")).Added, Is.EqualTo(2));
        var same = await _lists.AddAsync(name, "first", "b@example.org");
        Assert.That((same.Added, same.Changed, same.Unchanged), Is.EqualTo((0, 0, 1)));
        var other = await _lists.AddAsync(name, "second", DateTimeOffset.UtcNow.AddDays(1), "ANNA+y@gmail.com", "c@example.org");
        Assert.That((other.Added, other.Changed, other.Unchanged), Is.EqualTo((1, 1, 0)));

        var entry = (await _lists.EntriesAsync(name, "a.n.n.a@gmail.com")).Single();
        Assert.That((entry.Value, entry.Masked, entry.Reason, entry.Author, entry.ExpiresAt is not null), Is.EqualTo(("a***@gmail.com", true, "second", "anna", true)));
        Assert.That((await _lists.Raw.GetListAsync(new GetListRequest { Name = name })).List.Entries, Is.EqualTo(3));
        Assert.That(await _lists.RemoveAsync(name, "anna@googlemail.com", "nobody@example.org"), Is.EqualTo(1));
        Assert.That(await _lists.EntriesAsync(name, "anna@gmail.com"), Is.Empty);

        var byId = new RemoveEntriesRequest { List = name };
        byId.EntryIds.Add((await _lists.EntriesAsync(name)).Select(left => left.EntryId));
        Assert.That((await _lists.Raw.RemoveEntriesAsync(byId, _lists.Headers)).Removed, Is.EqualTo(2));
        Assert.That((await _lists.Raw.GetListAsync(new GetListRequest { Name = name })).List.Entries, Is.Zero);
        // Once more, as something new.
        Assert.That((await _lists.AddAsync(name, "third", "anna@gmail.com")).Added, Is.EqualTo(1));
    }

    [Test]
    public async Task Pages_show_every_entry_once()
    {
        var name = NewName();
        await _lists.CreateAsync(name, ListEffect.Watch, ListType.Asn);
        await _lists.AddAsync(name, "r", [.. Enumerable.Range(1, 25).Select(i => $"AS{i}")]);
        var (seen, token) = (new List<string>(), "");
        do
        {
            var page = await _lists.Raw.ListEntriesAsync(new ListEntriesRequest { List = name, PageSize = 10, PageToken = token });
            seen.AddRange(page.Entries.Select(entry => entry.Value));
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        Assert.That(seen, Is.EquivalentTo(Enumerable.Range(1, 25).Select(i => $"AS{i}")));
    }

    [Test]
    public async Task Lists_are_made_and_filled_over_JSON_and_values_of_persons_are_never_in_an_address()
    {
        var name = NewName();
        async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpMethod method, string path, string? json)
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
            request.Headers.Add("signupguard-actor", "anna");
            if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
            using var response = await _service.Http.SendAsync(request);
            return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
        }

        var (status, body) = await SendAsync(HttpMethod.Post, "/v1/lists", $$"""{"name":"{{name}}","effect":"LIST_EFFECT_DENY","type":"LIST_TYPE_EMAIL"}""");
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK));
        var etag = body.GetProperty("list").GetProperty("etag").GetString();
        Assert.That((await SendAsync(HttpMethod.Post, $"/v1/lists/{name}/entries:add", """{"entries":[{"value":"a@example.org"}],"reason":"r","expires_at":"2099-01-01T00:00:00Z"}""")).Body.GetProperty("added").ToString(), Is.EqualTo("1"));
        Assert.That((await SendAsync(HttpMethod.Post, $"/v1/lists/{name}/entries:search", """{"value":"A@example.org"}""")).Body.GetProperty("entries").GetArrayLength(), Is.EqualTo(1));
        Assert.That((await SendAsync(HttpMethod.Patch, $"/v1/lists/{name}", $$"""{"etag":"{{etag}}","description":"d"}""")).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await SendAsync(HttpMethod.Get, $"/v1/lists/{name}", null)).Body.GetProperty("list").GetProperty("entries").ToString(), Is.EqualTo("1"));
        Assert.That((await SendAsync(HttpMethod.Post, $"/v1/lists/{name}/entries:remove", """{"values":["a@example.org"]}""")).Body.GetProperty("removed").ToString(), Is.EqualTo("1"));
        Assert.That((await SendAsync(HttpMethod.Post, $"/v1/lists/{name}/entries:add", """{"entries":[{"valeu":"a@example.org"}]}""")).Status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That((await SendAsync(HttpMethod.Delete, $"/v1/lists/{name}?etag=0", null)).Status, Is.EqualTo(HttpStatusCode.Conflict));
    }

    [Test]
    public async Task Neither_the_database_nor_the_log_holds_a_value_of_a_person()
    {
        foreach (var (type, value) in new[]
        {
            (ListType.Email, "quentin.quux@gmail.com"), (ListType.Phone, "+4915112345678"), (ListType.Ip, "203.0.113.77"),
            (ListType.Device, "device-quux"), (ListType.Card, "card-quux"), (ListType.Account, "account-quux"),
        })
        {
            var name = NewName();
            await _lists.CreateAsync(name, ListEffect.Deny, type);
            await _lists.AddAsync(name, "r", value);
            Assert.That((await _lists.EntriesAsync(name)).Single().Value, Does.Not.Contain("quux").And.Not.Contain("12345").And.Not.Contain("203.0.113.77"));
            Assert.That(await _lists.ExportAsync(name), Does.Contain(value.Replace(".", "", StringComparison.Ordinal)[..7]).Or.Contain(value));
        }
        var stored = await _database.ScalarAsync<string>("SELECT string_agg(e::text || coalesce(convert_from(decode(replace(encode(sealed, 'hex'), '00', ''), 'hex'), 'LATIN1'), ''), ' ') FROM list_entries e");
        foreach (var text in new[] { "quux", "quentin", "15112345678", "203.0.113.77" })
        {
            Assert.That(stored, Does.Not.Contain(text));
            Assert.That(_service.Logs.Lines.Select(line => line.Text), Has.None.Contains(text));
        }
    }

    [Test]
    public async Task What_nobody_owns_is_kept_and_shown_in_the_clear()
    {
        var name = NewName();
        await _lists.CreateAsync(name, ListEffect.Deny, ListType.Ip);
        await _lists.AddAsync(name, "r", "203.0.113.0/24", "2001:DB8::/32");
        var entries = await _lists.EntriesAsync(name);
        Assert.That(entries.Select(entry => (entry.Value, entry.Masked)), Is.EquivalentTo(new[] { ("203.0.113.0/24", false), ("2001:db8::/32", false) }));
        Assert.That(Timestamp.FromDateTime(DateTime.UtcNow.AddMinutes(1)), Is.GreaterThan(entries[0].CreatedAt));
    }
}
