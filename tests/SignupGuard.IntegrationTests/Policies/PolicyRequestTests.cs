using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using SignupGuard.Core.Policies;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Policies;

/// <summary>Bad requests, the actor, and the same service as JSON over HTTP.</summary>
public sealed class PolicyRequestTests
{
    private TestDatabase _database = null!;
    private TestService _service = null!;
    private TestAdmin _ada = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
        _ada = new TestAdmin(_service, "ada");
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task Whoever_changes_something_says_who()
    {
        var client = _ada.Client;
        var changes = new Func<Task>[]
        {
            async () => await client.CreateDraftAsync(new CreateDraftRequest { Yaml = "x" }),
            async () => await client.UpdateDraftAsync(new UpdateDraftRequest()),
            async () => await client.SetShadowAsync(new SetShadowRequest()),
            async () => await client.ClearShadowAsync(new ClearShadowRequest()),
            async () => await client.RequestPublishAsync(new RequestPublishRequest()),
            async () => await client.ApprovePublishAsync(new ApprovePublishRequest()),
            async () => await client.RejectPublishAsync(new RejectPublishRequest()),
            async () => await client.RollbackAsync(new RollbackRequest()),
        };
        foreach (var change in changes)
        {
            var refused = await TestAdmin.RefusedAsync(change);
            Assert.That((refused.Code, refused.Reason), Is.EqualTo((StatusCode.Unauthenticated, "ACTOR_REQUIRED")));
        }
    }

    [Test]
    public async Task An_actor_is_one_bounded_name()
    {
        var headers = new[]
        {
            new Metadata { { "signupguard-actor", new string('a', 129) } },
            new Metadata { { "signupguard-actor", "ada" }, { "signupguard-actor", "grace" } },
        };
        foreach (var header in headers)
        {
            var refused = await TestAdmin.RefusedAsync(async () => await _ada.Client.CreateDraftAsync(new CreateDraftRequest { Yaml = "name: x" }, header));
            Assert.That((refused.Code, refused.Violations!.FieldViolations.Single().Field), Is.EqualTo((StatusCode.InvalidArgument, "signupguard-actor")));
        }
        var said = await _ada.Client.CreateDraftAsync(new CreateDraftRequest { Yaml = "name: x" }, new Metadata { { "signupguard-actor", "Ada Lovelace <ada@example.org>" } });
        Assert.That(said.Policy.Author, Is.EqualTo("Ada Lovelace <ada@example.org>"));
    }

    [Test]
    public async Task Every_broken_bound_is_named()
    {
        var client = _ada.Client;
        async Task<string[]> ViolationsAsync(Func<Task> call) =>
            [.. (await TestAdmin.RefusedAsync(call)).Violations!.FieldViolations.Select(violation => $"{violation.Field} {violation.Reason}").Order(StringComparer.Ordinal)];

        Assert.That(await ViolationsAsync(async () => await client.CreateDraftAsync(new CreateDraftRequest(), _ada.Headers)), Is.EqualTo(new[] { "yaml REQUIRED" }));
        Assert.That(
            await ViolationsAsync(async () => await client.CreateDraftAsync(new CreateDraftRequest { Yaml = new string('#', 1_000_001), Note = new string('n', 4_001) }, _ada.Headers)),
            Is.EqualTo(new[] { "note TOO_LONG", "yaml TOO_LONG" }));
        Assert.That(await ViolationsAsync(async () => await client.CreateDraftAsync(new CreateDraftRequest { Yaml = "a\0b" }, _ada.Headers)), Is.EqualTo(new[] { "yaml INVALID_CHARACTERS" }));
        Assert.That(await ViolationsAsync(async () => await client.CreateDraftAsync(new CreateDraftRequest { FromVersion = -1 }, _ada.Headers)), Is.EqualTo(new[] { "from_version OUT_OF_RANGE" }));
        Assert.That(
            await ViolationsAsync(async () => await client.UpdateDraftAsync(new UpdateDraftRequest { Etag = "mine", BaseVersion = -1 }, _ada.Headers)),
            Is.EqualTo(new[] { "base_version OUT_OF_RANGE", "etag INVALID_TOKEN", "version REQUIRED", "yaml REQUIRED" }));
        Assert.That(await ViolationsAsync(async () => await client.RejectPublishAsync(new RejectPublishRequest { Version = 1, Etag = "r1" }, _ada.Headers)), Is.EqualTo(new[] { "reason REQUIRED" }));
        Assert.That(await ViolationsAsync(async () => await client.RollbackAsync(new RollbackRequest { Version = 1 }, _ada.Headers)), Is.EqualTo(new[] { "reason REQUIRED" }));
        Assert.That(await ViolationsAsync(async () => await client.DiffPoliciesAsync(new DiffPoliciesRequest())), Is.EqualTo(new[] { "from_version REQUIRED", "to_version REQUIRED" }));
        Assert.That(
            await ViolationsAsync(async () => await client.ListPoliciesAsync(new ListPoliciesRequest { PageSize = 1_001, PageToken = "-1", States = { V1.PolicyState.Unspecified } })),
            Is.EqualTo(new[] { "page_size OUT_OF_RANGE", "page_token INVALID_TOKEN", "states[0] REQUIRED" }));
        Assert.That(
            await ViolationsAsync(async () => await client.ListAuditAsync(new ListAuditRequest { From = new Google.Protobuf.WellKnownTypes.Timestamp { Seconds = long.MaxValue } })),
            Is.EqualTo(new[] { "from INVALID_TIMESTAMP" }));
    }

    [TestCase("")]
    [TestCase("name: [")]
    [TestCase("name: x\nsurprise: 1")]
    [TestCase("name: x\nname: y")]
    public async Task What_is_no_document_is_told_with_its_place(string yaml)
    {
        var issue = (await _ada.Client.ValidatePolicyAsync(new ValidatePolicyRequest { Yaml = yaml })).Issues.Single();
        if (yaml.Length == 0) Assert.That((issue.Path, issue.Line), Is.EqualTo(("", 0)));
        else Assert.That(issue.Line > 0 && issue.Path == $"line {issue.Line}", issue.ToString());
    }

    [Test]
    public async Task Validation_names_the_part_the_place_and_what_was_meant_and_stores_nothing()
    {
        var before = await _database.ScalarAsync<long>("SELECT count(*) FROM policies");
        var yaml = TestAdmin.Changed("id: domain_fresh, when: \"[^\"]*\", points: [\\d.]+", "id: domain_fresh, when: \"!email.free &&\\n email.domain_agedays < 30\", points: 40, expires: soon");
        var answer = await _ada.Client.ValidatePolicyAsync(new ValidatePolicyRequest { Yaml = yaml });
        Assert.That(answer.Issues.Select(issue => issue.Path[(issue.Path.LastIndexOf('.') + 1)..]), Is.EquivalentTo(new[] { "points", "when", "expires" }));
        Assert.That(answer.Issues.Select(issue => issue.RuleId), Is.All.EqualTo("domain_fresh"));
        Assert.That(answer.Issues.Single(issue => issue.Path.EndsWith("when", StringComparison.Ordinal)) is { Line: 2, Column: 2, Suggestion: "email.domain_age_days" });
        var valid = await _ada.Client.ValidatePolicyAsync(new ValidatePolicyRequest { Yaml = DefaultPolicy.Yaml });
        Assert.That(valid is { Issues.Count: 0, Name: "default", Rules: > 30, LinkageRules: > 30 });
        Assert.That(await _database.ScalarAsync<long>("SELECT count(*) FROM policies"), Is.EqualTo(before));
    }

    [Test]
    public async Task The_same_over_json()
    {
        using var http = new HttpClient { BaseAddress = _service.Http.BaseAddress };
        using (var refused = await http.PostAsJsonAsync("/v1/policies", new { yaml = DefaultPolicy.Yaml }))
        {
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
            Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("ACTOR_REQUIRED"));
        }
        http.DefaultRequestHeaders.Add("signupguard-actor", "curl");
        async Task<JsonElement> PostAsync(string path, object body)
        {
            using var answer = await http.PostAsJsonAsync(path, body);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{text}\n{string.Join('\n', _service.Logs.Lines.TakeLast(5))}");
            return JsonDocument.Parse(text).RootElement;
        }

        var draft = (await PostAsync("/v1/policies", new { yaml = TestAdmin.ReviewsAll, note = "by hand" })).GetProperty("policy");
        var (version, etag) = (draft.GetProperty("version").GetInt64(), draft.GetProperty("etag").GetString());
        Assert.That(draft.GetProperty("author").GetString(), Is.EqualTo("curl"));
        draft = (await PostAsync($"/v1/policies/{version}:update", new { etag, yaml = DefaultPolicy.Yaml })).GetProperty("policy");
        etag = draft.GetProperty("etag").GetString();
        draft = (await PostAsync($"/v1/policies/{version}:requestPublish", new { etag })).GetProperty("policy");
        using (var refused = await http.PostAsJsonAsync($"/v1/policies/{version}:approvePublish", new { etag = draft.GetProperty("etag").GetString() }))
        {
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("SECOND_PERSON_REQUIRED"));
        }
        using (var refused = await http.PostAsJsonAsync($"/v1/policies/{version}:update", new { etag, yaml = DefaultPolicy.Yaml }))
        {
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
            Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("POLICY_CHANGED"));
        }
        using (var refused = await http.PostAsJsonAsync("/v1/policies:validate", new { yml = "x" }))
        {
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("UNKNOWN_FIELD"));
        }
        Assert.That((await PostAsync("/v1/policies:diff", new { fromVersion = "1", toYaml = TestAdmin.ReviewsAll })).GetProperty("differences").GetArrayLength(), Is.EqualTo(1));

        var active = JsonDocument.Parse(await http.GetStringAsync("/v1/policies:active")).RootElement;
        Assert.That(active.GetProperty("policy").GetProperty("version").GetInt64(), Is.EqualTo(1));
        Assert.That(JsonDocument.Parse(await http.GetStringAsync("/v1/policies?pageSize=2")).RootElement.GetProperty("policies").GetArrayLength(), Is.EqualTo(2));
        Assert.That(JsonDocument.Parse(await http.GetStringAsync("/v1/audit?actor=curl&pageSize=10")).RootElement.GetProperty("entries").GetArrayLength(), Is.EqualTo(3));
        Assert.That(await http.GetStringAsync($"/v1/policies/{version}/shadowDifferences"), Does.Contain("moves"));
        using var unknown = await http.GetAsync("/v1/policies/999");
        Assert.That(unknown.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }
}
