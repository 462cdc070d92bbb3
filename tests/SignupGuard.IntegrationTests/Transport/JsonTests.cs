using System.Net;
using System.Text;
using System.Text.Json;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;

namespace SignupGuard.IntegrationTests.Transport;

public sealed class JsonTests
{
    private TestDatabase _database = null!;
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _service.Http.PostAsync(path, content);
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private static string[] Fields(JsonElement status) =>
        [.. Detail(status, "google.rpc.BadRequest").GetProperty("fieldViolations").EnumerateArray()
            .Select(violation => $"{violation.GetProperty("field").GetString()} {violation.GetProperty("reason").GetString()}")];

    private static JsonElement Detail(JsonElement status, string type) =>
        status.GetProperty("details").EnumerateArray().Single(detail => detail.GetProperty("@type").GetString() == $"type.googleapis.com/{type}");

    [Test]
    public async Task A_signup_is_screened_and_read_over_JSON()
    {
        var (status, body) = await PostAsync("/v1/signups:screen", """{"signup":{"signup_id":"json","occurredAt":"2026-01-01T00:00:00Z","email":{"address":"a@example.org"},"custom":{"plan":{"string_value":"x"}}}}""");
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(body.GetProperty("decision").GetProperty("signupId").GetString(), Is.EqualTo("json"));

        var reported = await PostAsync("/v1/decisions/json:reportOutcome", """{"kind":"OUTCOME_KIND_ABUSE_CONFIRMED"}""");
        Assert.That((reported.Status, reported.Body.GetProperty("recorded").GetBoolean()), Is.EqualTo((HttpStatusCode.OK, true)));
        var stored = JsonDocument.Parse(await _service.Http.GetStringAsync("/v1/decisions/json")).RootElement;
        Assert.That(stored.GetProperty("decision").GetProperty("verdict").GetString(), Is.EqualTo("VERDICT_DENY"));
        Assert.That(stored.GetProperty("changes").GetArrayLength(), Is.EqualTo(2));
    }

    [Test]
    public async Task Violations_are_as_rich_as_over_gRPC()
    {
        var (status, body) = await PostAsync("/v1/signups:screen", """{"signup":{"signup_id":"x","network":{"ip":"1"}}}""");
        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Fields(body), Is.EqualTo(new[] { "signup.occurred_at REQUIRED", "signup IDENTIFIER_REQUIRED", "signup.network.ip INVALID_IP" }));
        Assert.That(Detail(body, "google.rpc.ErrorInfo").GetProperty("reason").GetString(), Is.EqualTo("INVALID_SIGNUP"));
    }

    [TestCase("""{"signup":{"signupid":"x"}}""", "signup.signupid UNKNOWN_FIELD")]
    [TestCase("""{"signup":{"device":{"devcie_id":"x"}}}""", "signup.device.devcie_id UNKNOWN_FIELD")]
    [TestCase("""{"signup":{"<b>anna@example.org</b>":1}}""", "signup UNKNOWN_FIELD")]
    [TestCase("""{"signup":{"email":"a@example.org"}}""", "signup.email INVALID_TYPE")]
    [TestCase("""{"signup":{"signup_id":5}}""", "signup.signup_id INVALID_TYPE")]
    [TestCase("""{"signup":{"signup_id":"\ud800"}}""", "signup.signup_id INVALID_CHARACTERS")]
    [TestCase("""{"signup":{"occurred_at":"yesterday"}}""", "signup.occurred_at INVALID_TIMESTAMP")]
    [TestCase("""{"signup":{"occurred_at":{"seconds":1}}}""", "signup.occurred_at INVALID_TIMESTAMP")]
    [TestCase("""{"signup":{"event":{"channel":"CHANNEL_FAX"}}}""", "signup.event.channel UNKNOWN_ENUM_VALUE")]
    [TestCase("""{"signup":{"subject":{"age":-1}}}""", "signup.subject.age INVALID_TYPE")]
    [TestCase("""{"signup":{"subject":{"age":1.5}}}""", "signup.subject.age INVALID_TYPE")]
    [TestCase("""{"signup":{"subject":{"age":4294967296}}}""", "signup.subject.age INVALID_TYPE")]
    [TestCase("""{"signup":{"device":{"form_seconds":"fast"}}}""", "signup.device.form_seconds INVALID_TYPE")]
    [TestCase("""{"signup":{"device":{"form_seconds":1e999}}}""", "signup.device.form_seconds INVALID_TYPE")]
    [TestCase("""{"signup":{"device":{"emulator":"yes"}}}""", "signup.device.emulator INVALID_TYPE")]
    [TestCase("""{"signup":{"network":{"forwarded_for":"192.0.2.1"}}}""", "signup.network.forwarded_for INVALID_TYPE")]
    [TestCase("""{"signup":{"network":{"forwarded_for":["192.0.2.1",5]}}}""", "signup.network.forwarded_for[1] INVALID_TYPE")]
    [TestCase("""{"signup":{"device":{"client_hints":["x"]}}}""", "signup.device.client_hints INVALID_TYPE")]
    [TestCase("""{"signup":{"custom":{"a":1}}}""", "signup.custom.a INVALID_TYPE")]
    [TestCase("""{"signup":{"custom":{"a":{"bool_value":true,"number_value":1}}}}""", "signup.custom.a INVALID_TYPE")]
    [TestCase("[]", " INVALID_TYPE")]
    [TestCase("\"x\"", " INVALID_TYPE")]
    public async Task JSON_of_another_shape_names_the_field_and_repeats_no_value(string json, string violation)
    {
        var (status, body) = await PostAsync("/v1/signups:screen", json);
        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Fields(body), Is.EqualTo(new[] { violation }));
        foreach (var value in new[] { "yesterday", "FAX", "anna", "fast" }) Assert.That(body.ToString(), Does.Not.Contain(value));
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("{\"signup\":{\"signup_id\":\"anna@example.org}}")]
    [TestCase("anna@example.org")]
    public async Task What_is_no_JSON_gets_its_place_told(string json)
    {
        var (status, body) = await PostAsync("/v1/signups:screen", json);
        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Detail(body, "google.rpc.ErrorInfo").GetProperty("reason").GetString(), Is.EqualTo("UNREADABLE_REQUEST"));
        Assert.That(body.GetProperty("message").GetString(), Does.StartWith("No JSON: line 1, byte "));
    }

    [Test]
    public async Task Changed_JSON_never_crashes_the_service_and_never_quotes_a_value_back()
    {
        var random = new Random(20261124);
        const string Json =
            """{"signup":{"signupId":"f","occurredAt":"2026-01-01T00:00:00Z","event":{"channel":"CHANNEL_WEB"},"subject":{"age":30,"givenName":"KANARIENVOGEL"},"email":{"address":"KANARIENVOGEL@example.org"},"network":{"ip":"192.0.2.1","forwardedFor":["192.0.2.2"],"edge":{"asn":64500,"residentialProxyConfidence":0.5}},"device":{"clientHints":{"mobile":"?0"},"utcOffsetMinutes":-60,"pasted":true},"custom":{"a":{"numberValue":1}}}}""";
        const string Pieces = "\"{}[]:,0-.e\\ntu";
        for (var i = 0; i < 500; i++)
        {
            var changed = Json.ToCharArray();
            for (var k = random.Next(1, 4); k > 0; k--) changed[random.Next(changed.Length)] = random.Next(4) == 0 ? (char)random.Next(1, 0x250) : Pieces[random.Next(Pieces.Length)];
            var (status, body) = await PostAsync("/v1/signups:screen", new string(changed));
            Assert.That(status, Is.AnyOf(HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.Conflict), new string(changed));
            if (status != HttpStatusCode.OK) Assert.That(body.ToString(), Does.Not.Contain("KANARIEN"), new string(changed));
        }
    }

    [Test]
    public async Task Deep_nesting_is_refused()
    {
        var (status, _) = await PostAsync("/v1/signups:screen", string.Concat(Enumerable.Repeat("{\"signup\":", 50_000)));
        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task A_body_beyond_the_bound_is_refused_by_size()
    {
        var (status, body) = await PostAsync("/v1/signups:screen", "{\"signup\":{\"signup_id\":\"" + new string('x', 3 * 1024 * 1024) + "\"}}");
        Assert.That(status, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(Detail(body, "google.rpc.ErrorInfo").GetProperty("reason").GetString(), Is.EqualTo("REQUEST_TOO_LARGE"));
    }

    [Test]
    public async Task An_unknown_signup_is_404()
    {
        using var response = await _service.Http.GetAsync("/v1/decisions/none");
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(Detail(JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement, "google.rpc.ErrorInfo").GetProperty("reason").GetString(), Is.EqualTo("SIGNUP_UNKNOWN"));
    }

    [Test]
    public async Task Health_is_told_over_HTTP_and_over_gRPC()
    {
        Assert.That(await _service.Http.GetStringAsync("/healthz"), Is.EqualTo("Healthy"));
        Assert.That(await _service.Http.GetStringAsync("/readyz"), Is.EqualTo("Healthy"));
        var health = await new Grpc.Health.V1.Health.HealthClient(_service.Channel).CheckAsync(new Grpc.Health.V1.HealthCheckRequest());
        Assert.That(health.Status, Is.EqualTo(Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving));
    }

    [Test]
    public async Task Reflection_lists_the_service()
    {
        using var call = new Grpc.Reflection.V1Alpha.ServerReflection.ServerReflectionClient(_service.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new Grpc.Reflection.V1Alpha.ServerReflectionRequest { ListServices = "" });
        Assert.That(await call.ResponseStream.MoveNext(CancellationToken.None), Is.True);
        Assert.That(call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name), Does.Contain("signupguard.v1.ScreeningService"));
    }
}
