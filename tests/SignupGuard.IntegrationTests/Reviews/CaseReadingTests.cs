using System.Net.Http.Json;
using System.Text.Json;
using SignupGuard.IntegrationTests.Policies;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Reviews;

/// <summary>What reviewers read, over gRPC and as JSON: one service with a network, single cases and honest signups.</summary>
public sealed class CaseReadingTests
{
    private const string Reviewer = "lin";

    private ReviewBench _bench = null!;
    private IReadOnlyList<Flagged> _network = null!;
    private IReadOnlyList<Flagged> _single = null!;
    private Signup _told = null!;
    private Signup _twin = null!;

    private ReviewService.ReviewServiceClient Client => _bench.Client;

    [OneTimeSetUp]
    public async Task Start()
    {
        _bench = await ReviewBench.StartAsync();
        // Its second look denies it: whoever shares so much with so many is no honest account.
        _network = await _bench.FlagAsync(Enumerable.Range(0, 14).Select(number => ReviewBench.Marked(number % 7 == 6 ? null : "review", card: "card-n", device: "device-n")));
        _single = await _bench.FlagAsync(Enumerable.Range(0, 7).Select(number => ReviewBench.Marked(number < 5 ? "review" : "deny")));
        (_told, _twin) = (Told("told", "zebulon.quackenbush"), Told("twin", "wilhelmina.featherstone"));
        await _bench.FlagAsync([_told, _twin]);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _bench.DisposeAsync();

    [Test]
    public async Task A_case_is_found_by_its_id_its_signup_and_the_code_its_applicant_was_given()
    {
        var flagged = _single[0];
        var byId = await Client.GetCaseAsync(new GetCaseRequest { CaseId = flagged.CaseId });
        Assert.That(byId.Case is { State: CaseState.Open, Signups: 1, HasClusterId: false, Verdict: Verdict.Review, ClaimedBy: "" });
        Assert.That(byId.Case.SignupId, Is.EqualTo(flagged.SignupId));
        Assert.That(byId.Case.ReasonCodes, Does.Contain("MARKED_REVIEW"));
        Assert.That(byId.Signup.Decision, Is.EqualTo(flagged.First));
        Assert.That(byId.Signup.Changes.Single().Decision, Is.EqualTo(flagged.First));
        Assert.That(byId.Events.Select(told => told.Kind), Is.EqualTo(new[] { "opened" }));
        Assert.That(byId.Members, Is.Empty);
        Assert.That(await Client.GetCaseAsync(new GetCaseRequest { SignupId = flagged.SignupId }), Is.EqualTo(byId));
        var typed = $" {flagged.First.OutwardCode[..5].ToLowerInvariant()}-{flagged.First.OutwardCode[5..]}";
        Assert.That(await Client.GetCaseAsync(new GetCaseRequest { OutwardCode = typed }), Is.EqualTo(byId));

        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.GetCaseAsync(new GetCaseRequest { CaseId = Guid.NewGuid().ToString() })), Is.EqualTo("NotFound CASE_UNKNOWN"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.GetCaseAsync(new GetCaseRequest { OutwardCode = "NOSUCHCODE" })), Is.EqualTo("NotFound CASE_UNKNOWN"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.GetCaseAsync(new GetCaseRequest { SignupId = _told.SignupId })), Is.EqualTo("NotFound CASE_UNKNOWN"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.GetCaseAsync(new GetCaseRequest())), Is.EqualTo("InvalidArgument INVALID_REQUEST"));
        Assert.That(
            await ReviewBench.RefusedAsync(async () => await Client.GetCaseAsync(new GetCaseRequest { CaseId = flagged.CaseId, SignupId = flagged.SignupId })),
            Is.EqualTo("InvalidArgument INVALID_REQUEST"));
    }

    [Test]
    public async Task A_networks_case_tells_its_members_and_the_id_of_one_folded_in_leads_to_it()
    {
        var read = await Client.GetCaseAsync(new GetCaseRequest { SignupId = _network[0].SignupId });
        var members = _network.Where(member => member.CaseId.Length > 0).ToList();
        Assert.That(read.Case.Signups, Is.EqualTo(members.Count));
        Assert.That(read.Case.HasClusterId);
        Assert.That(read.Members.Select(member => member.SignupId), Is.EquivalentTo(members.Select(member => member.SignupId)));
        Assert.That(read.Members.Select(member => member.Score), Is.Ordered.Descending);
        Assert.That(read.Members.Select(member => member.CaseId), Has.All.EqualTo(read.Case.CaseId));
        Assert.That(read.Signup.Summary.SignupId, Is.EqualTo(read.Case.SignupId));
        Assert.That(read.Events.Select(told => told.Kind), Does.Contain("joined"));
        var folded = await _bench.Database.ScalarAsync<string>($"SELECT id::text FROM cases WHERE merged_into = '{read.Case.CaseId}' LIMIT 1");
        Assert.That((await Client.GetCaseAsync(new GetCaseRequest { CaseId = folded })).Case, Is.EqualTo(read.Case));
    }

    [Test]
    public async Task A_network_is_a_graph_of_all_its_members_and_the_keys_that_tie_them()
    {
        var id = (await Client.GetCaseAsync(new GetCaseRequest { SignupId = _network[0].SignupId })).Case.ClusterId;
        var network = await Client.GetClusterAsync(new GetClusterRequest { ClusterId = id });
        Assert.That(network.Members.Select(member => member.SignupId), Is.EqualTo(_network.Select(member => member.SignupId)));
        Assert.That((network.Cluster.ClusterId, network.Cluster.Size, network.Truncated), Is.EqualTo((id, (long)_network.Count, false)));
        var keys = network.Keys.Where(key => key.Members == _network.Count).ToList();
        Assert.That(keys.Select(key => key.KeyKind), Is.SupersetOf(new[] { "card", "device" }));
        for (var i = 0; i < network.Keys.Count; i++)
        {
            Assert.That(network.Members.Count(member => member.Keys.Contains(i)), Is.EqualTo(network.Keys[i].Members));
            Assert.That(network.Keys[i].Accounts, Is.GreaterThanOrEqualTo(network.Keys[i].Members));
        }
        Assert.That(network.Members, Has.All.Matches<ClusterMember>(member => member!.Keys.Count > 0));
        Assert.That(network.Growth.Sum(hour => hour.Members), Is.EqualTo(_network.Count));
        // Evidence of a decision names the same keys.
        var evidence = (await Client.GetSignupAsync(new GetSignupRequest { SignupId = _network[^1].SignupId })).Signup.Decision.Reasons.SelectMany(reason => reason.Path).ToList();
        Assert.That(evidence.Select(step => step.KeyRef), Is.SubsetOf(network.Keys.Select(key => key.KeyRef)).And.Not.Empty);

        var cut = await Client.GetClusterAsync(new GetClusterRequest { ClusterId = id, MembersMax = 5 });
        Assert.That(cut.Members, Is.EqualTo(network.Members.Take(5)).Using<ClusterMember>((one, two) => one.SignupId == two.SignupId && one.Keys.Count == two.Keys.Count));
        Assert.That(cut.Truncated);
        Assert.That((cut.Cluster, cut.Etag), Is.EqualTo((network.Cluster, network.Etag)));
        Assert.That(cut.Growth.Sum(hour => hour.Members), Is.EqualTo(_network.Count));
        Assert.That(cut.Growth.Sum(hour => hour.Denied), Is.EqualTo(network.Growth.Sum(hour => hour.Denied)));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.GetClusterAsync(new GetClusterRequest { ClusterId = 987_654 })), Is.EqualTo("NotFound CLUSTER_UNKNOWN"));
    }

    [Test]
    public async Task A_signup_shows_what_rules_could_read_and_nothing_of_the_person()
    {
        var signup = (await Client.GetSignupAsync(new GetSignupRequest { SignupId = _told.SignupId })).Signup;
        var signals = signup.Signals.ToDictionary(signal => signal.Name, signal => signal.Value);
        Assert.That(signals["email.domain"], Is.EqualTo("gmail.com"));
        Assert.That(signals["event.channel"], Is.EqualTo("web"));
        Assert.That(signals["phone.region"], Is.EqualTo("DE"));
        Assert.That(signals["custom.plan"], Is.EqualTo("free"));
        Assert.That(signup.Signals.Select(signal => signal.Group).Distinct(), Is.SubsetOf(new[] { "email", "phone", "ip", "device", "payment", "event", "subject", "custom" }));
        Assert.That(signup.Signals, Has.All.Matches<SignalValue>(signal => signal!.Description.Length > 0));
        // Never flagged: lists know it all the same.
        Assert.That(signup.Summary is { Channel: "web", Product: "mail", CaseId: "", HasLabel: false });
        var all = signup.ToString();
        foreach (var personal in (string[])["quackenbush", "zebulon", "30123456", "203.0.113.77", "Example Lane"]) Assert.That(all, Does.Not.Contain(personal).IgnoreCase);
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.GetSignupAsync(new GetSignupRequest { SignupId = "nobody" })), Is.EqualTo("NotFound SIGNUP_UNKNOWN"));
    }

    [Test]
    public async Task Who_shares_evidence_is_linked_and_who_only_looks_alike_is_similar()
    {
        var member = (await Client.GetSignupAsync(new GetSignupRequest { SignupId = _network[0].SignupId })).Signup;
        Assert.That(member.Linked.Select(linked => linked.Signup.SignupId), Is.EquivalentTo(_network.Skip(1).Select(other => other.SignupId)));
        Assert.That(member.Linked, Has.All.Matches<LinkedSignup>(linked => linked!.Strength > 0 && linked.KeyKinds.Contains("card")));

        var told = (await Client.GetSignupAsync(new GetSignupRequest { SignupId = _told.SignupId })).Signup;
        Assert.That(told.Linked, Is.Empty);
        var twin = told.Similar.Single(similar => similar.Signup.SignupId == _twin.SignupId);
        Assert.That(twin.Strength, Is.InRange(0.3, 1));
        Assert.That(twin.KeyKinds, Is.Not.Empty);
    }

    [Test]
    public async Task The_queue_is_read_page_by_page_and_its_token_is_good_for_no_other_question()
    {
        var whole = await Client.ListCasesAsync(new ListCasesRequest { PageSize = 500 });
        Assert.That(whole.NextPageToken, Is.Empty);
        Assert.That(whole.Cases.Select(found => found.State), Has.All.EqualTo(CaseState.Open));
        Assert.That(whole.Cases.Select(found => found.CaseId), Is.EquivalentTo(_single.Take(5).Select(flagged => flagged.CaseId)));
        Assert.That(whole.Cases.Select(found => found.Priority), Is.Ordered.Descending);

        var (paged, token, tokens) = (new List<Case>(), "", new List<string>());
        do
        {
            var page = await Client.ListCasesAsync(new ListCasesRequest { PageSize = 2, PageToken = token });
            paged.AddRange(page.Cases);
            token = page.NextPageToken;
            tokens.Add(token);
        }
        while (token.Length > 0);
        Assert.That(paged, Is.EqualTo(whole.Cases));
        foreach (var other in new[]
        {
            new ListCasesRequest { PageToken = tokens[0], Order = CaseOrder.Newest },
            new ListCasesRequest { PageToken = tokens[0], Filter = "case.priority > 1" },
            new ListCasesRequest { PageToken = tokens[0], ClaimedBy = "lin" },
            new ListCasesRequest { PageToken = tokens[0], States = { CaseState.Open } },
            new ListCasesRequest { PageToken = "nonsense?" },
        })
        {
            var (_, reason, violations) = await TestAdmin.RefusedAsync(async () => await Client.ListCasesAsync(other));
            Assert.That((reason, violations!.FieldViolations.Single().Field), Is.EqualTo(("INVALID_REQUEST", "page_token")));
        }

        var denied = await Client.ListCasesAsync(new ListCasesRequest { States = { CaseState.Denied } });
        Assert.That(denied.Cases.Select(found => found.CaseId), Is.EquivalentTo(_single.Skip(5).Select(flagged => flagged.CaseId).Append(_network[0].CaseId)));
        var largest = await Client.ListCasesAsync(new ListCasesRequest { States = { CaseState.Open, CaseState.Denied }, Order = CaseOrder.Size, PageSize = 1 });
        Assert.That(largest.Cases.Single().CaseId, Is.EqualTo(_network[0].CaseId));
    }

    [Test]
    public async Task Counts_of_the_queue_are_those_of_its_cases()
    {
        var before = await Client.CountCasesAsync(new CountCasesRequest(), ReviewBench.As(Reviewer));
        Assert.That((before.Open, before.Escalated, before.Appealed, before.CountedTo), Is.EqualTo((5L, 0L, 0L, 100_000L)));
        Assert.That(before.OldestOpenedAt, Is.EqualTo((await Client.ListCasesAsync(new ListCasesRequest { Order = CaseOrder.Oldest, PageSize = 1 })).Cases[0].OpenedAt));
        await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = _single[1].CaseId }, ReviewBench.As(Reviewer));
        try
        {
            var mine = await Client.CountCasesAsync(new CountCasesRequest(), ReviewBench.As(Reviewer));
            Assert.That((mine.Claimed, mine.Mine), Is.EqualTo((1L, 1L)));
            Assert.That((await Client.CountCasesAsync(new CountCasesRequest(), ReviewBench.As("max"))).Mine, Is.Zero);
            Assert.That((await Client.CountCasesAsync(new CountCasesRequest())).Mine, Is.Zero);
            var held = await Client.ListCasesAsync(new ListCasesRequest { ClaimedBy = Reviewer });
            Assert.That(held.Cases.Single() is { ClaimedBy: Reviewer } found && found.CaseId == _single[1].CaseId);
            Assert.That((await Client.CountCasesAsync(new CountCasesRequest { Filter = $"signup.id == '{_single[1].SignupId}'" }, ReviewBench.As(Reviewer))) is { Open: 1, Claimed: 1, Mine: 1 });
            Assert.That((await Client.CountCasesAsync(new CountCasesRequest { Filter = "case.signups > 1" })) is { Open: 0, Claimed: 0, OldestOpenedAt: null });
        }
        finally
        {
            await Client.ReleaseCaseAsync(new ReleaseCaseRequest { CaseId = _single[1].CaseId }, ReviewBench.As(Reviewer));
        }
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.CountCasesAsync(new CountCasesRequest { Filter = "ip.country == 'DE'" })), Is.EqualTo("InvalidArgument INVALID_REQUEST"));
    }

    [Test]
    public async Task Notes_are_read_oldest_first()
    {
        foreach (var text in (string[])["first", "second"]) await Client.AddNoteAsync(new AddNoteRequest { CaseId = _single[2].CaseId, Text = text }, ReviewBench.As(Reviewer));
        var notes = (await Client.ListNotesAsync(new ListNotesRequest { CaseId = _single[2].CaseId })).Notes;
        Assert.That(notes.Select(note => (note.Author, note.Text)), Is.EqualTo(new[] { (Reviewer, "first"), (Reviewer, "second") }));
        Assert.That((await Client.GetCaseAsync(new GetCaseRequest { CaseId = _single[2].CaseId })).Notes, Is.EqualTo(notes));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.ListNotesAsync(new ListNotesRequest { CaseId = Guid.NewGuid().ToString() })), Is.EqualTo("NotFound CASE_UNKNOWN"));
    }

    [Test]
    public async Task The_same_is_read_as_JSON()
    {
        var http = _bench.Service.Http;
        var list = await http.GetFromJsonAsync<JsonElement>("/v1/cases?page_size=2&order=CASE_ORDER_OLDEST");
        Assert.That(list.GetProperty("cases").GetArrayLength(), Is.EqualTo(2));
        Assert.That(list.GetProperty("nextPageToken").GetString(), Is.Not.Empty);
        Assert.That((await http.GetFromJsonAsync<JsonElement>("/v1/cases:count")).GetProperty("open").GetInt64(), Is.EqualTo(5));
        var flagged = _single[0];
        var id = $"/v1/cases/{flagged.CaseId}";
        foreach (var path in (string[])[id, $"/v1/signups/{flagged.SignupId}/case", $"/v1/outward-codes/{flagged.First.OutwardCode}/case"])
            Assert.That((await http.GetFromJsonAsync<JsonElement>(path)).GetProperty("case").GetProperty("caseId").GetString(), Is.EqualTo(flagged.CaseId));
        Assert.That((await http.GetFromJsonAsync<JsonElement>($"/v1/signups/{_told.SignupId}")).GetProperty("signup").GetProperty("summary").GetProperty("channel").GetString(), Is.EqualTo("web"));
        Assert.That((await http.GetFromJsonAsync<JsonElement>(id + "/notes")).GetProperty("notes").GetArrayLength(), Is.Zero);
    }

    /// <summary>An honest signup that says much of its person; the second looks like it and shares nothing with it that is anybody's own.</summary>
    private static Signup Told(string id, string local)
    {
        var signup = ReviewBench.Marked(null);
        signup.SignupId = id;
        signup.Email.Address = $"{local}@gmail.com";
        signup.Event = new Event
        {
            Channel = Channel.Web,
            Product = "mail",
        };
        signup.Subject = new Subject
        {
            FullName = id == "told" ? "Zebulon Quackenbush" : "Wilhelmina Featherstone",
            Organisation = $"{local} Ltd",
            Country = "DE",
        };
        signup.Phone = new PhoneNumber { Number = id == "told" ? "+493012345678" : "+498998765432" };
        signup.Network = new Network
        {
            Ip = id == "told" ? "203.0.113.77" : "198.51.100.9",
            Edge = new EdgeIpIntelligence { Country = "DE", Asn = 64_500, NetworkClass = NetworkClass.Residential },
        };
        signup.Device = new Device
        {
            UserAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            TimeZone = "Europe/Berlin",
            AcceptLanguage = "de-DE,de;q=0.9",
        };
        signup.Payment = new Payment
        {
            Kind = PaymentKind.Card,
            Bin = "411111",
            InstrumentFingerprint = $"card-of-{id}",
            BillingAddress = new Address { Line1 = $"{(id == "told" ? 1 : 77)} Example Lane", City = "Berlin", Country = "DE" },
        };
        signup.Custom["plan"] = new CustomValue { StringValue = "free" };
        return signup;
    }
}
