using System.Collections.Concurrent;
using System.Text;
using Grpc.Core;
using Npgsql;
using SignupGuard.IntegrationTests.Policies;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.Storage.Reviews;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Reviews;

public sealed class LeaseTests
{
    private ReviewBench _bench = null!;

    private ReviewService.ReviewServiceClient Client => _bench.Client;

    [OneTimeSetUp]
    public async Task Start() => _bench = await ReviewBench.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _bench.DisposeAsync();

    [SetUp]
    public async Task EmptyQueue() => await _bench.Database.ExecuteAsync("UPDATE cases SET claimed_by = 'nobody', claimed_until = 'infinity'");

    [Test]
    public async Task Many_callers_at_once_never_get_the_same_case_and_leave_none()
    {
        const int Cases = 60;
        await _bench.FlagAsync(Enumerable.Range(0, Cases).Select(_ => ReviewBench.Marked("review")));
        var taken = new ConcurrentBag<(string Case, string By)>();
        // On two hosts, each asking until nothing is left.
        await using var other = await TestService.StartAsync(_bench.Database);
        ReviewService.ReviewServiceClient[] clients = [Client, new ReviewService.ReviewServiceClient(other.Channel)];
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async number =>
        {
            var reviewer = $"reviewer-{number}";
            while ((await clients[number % 2].ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As(reviewer))).Case is { } claimed)
            {
                Assert.That(claimed.ClaimedBy, Is.EqualTo(reviewer));
                taken.Add((claimed.CaseId, reviewer));
            }
        }));
        Assert.That(taken.Select(item => item.Case), Is.Unique);
        Assert.That(taken, Has.Count.EqualTo(Cases));
        var holders = taken.ToDictionary(item => item.Case, item => item.By);
        foreach (var (id, by) in holders) Assert.That(await _bench.CaseAsync(id, "claimed_by"), Is.EqualTo(by));
    }

    [Test]
    public async Task A_queue_is_worked_in_its_order_and_may_be_a_part_of_all()
    {
        var plain = await _bench.FlagAsync();
        var appealed = await _bench.FlagAsync();
        var part = await _bench.FlagAsync();
        await Client.OpenAppealAsync(new OpenAppealRequest { OutwardCode = appealed.First.OutwardCode, Text = "?" }, ReviewBench.As("support"));
        await _bench.Database.ExecuteAsync($"UPDATE cases SET priority = 99, labels = ARRAY['vip'] WHERE id = '{part.CaseId}'");

        Assert.That((await Client.ClaimNextAsync(new ClaimNextRequest { Filter = "'vip' in decision.labels" }, ReviewBench.As("lin"))).Case.CaseId, Is.EqualTo(part.CaseId));
        Assert.That((await Client.ClaimNextAsync(new ClaimNextRequest { Filter = "'vip' in decision.labels" }, ReviewBench.As("max"))).Case, Is.Null);
        await Client.ReleaseCaseAsync(new ReleaseCaseRequest { CaseId = part.CaseId }, ReviewBench.As("lin"));
        foreach (var expected in (Flagged[])[appealed, part, plain])
            Assert.That((await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("lin"))).Case.CaseId, Is.EqualTo(expected.CaseId));
        foreach (var filter in (string[])["email.free", "decision.", "nobody.knows == 1"])
        {
            var (code, _, violations) = await TestAdmin.RefusedAsync(async () => await Client.ClaimNextAsync(new ClaimNextRequest { Filter = filter }, ReviewBench.As("lin")));
            Assert.That((code, violations!.FieldViolations[0].Field, violations.FieldViolations[0].Reason), Is.EqualTo((StatusCode.InvalidArgument, "filter", "INVALID_EXPRESSION")));
        }
    }

    [Test]
    public async Task The_next_case_is_found_by_the_index_of_the_queue()
    {
        await using var database = await TestPostgres.CreateDatabaseAsync();
        await database.ExecuteAsync(ManyCases.Sql(20_000));
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"EXPLAIN {CaseStore.ClaimNextSql("true")}", connection);
        foreach (var value in (object[])["default", (short)1, DateTimeOffset.UtcNow, "lin", DateTimeOffset.UtcNow.AddMinutes(1)]) command.Parameters.Add(new NpgsqlParameter { Value = value });
        var plan = new StringBuilder();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) plan.AppendLine(reader.GetString(0));
        Assert.That(plan.ToString(), Does.Contain("cases_queue").And.Not.Contain("Seq Scan").And.Not.Contain("Sort"));
    }

    [Test]
    public async Task A_held_case_is_refused_to_others_and_prolonged_to_its_holder()
    {
        var flagged = await _bench.FlagAsync();
        var first = (await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId, LeaseSeconds = 60 }, ReviewBench.As("lin"))).Case;
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("max"))), Is.EqualTo("FailedPrecondition CASE_CLAIMED"));
        var longer = (await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId, LeaseSeconds = 600 }, ReviewBench.As("lin"))).Case;
        Assert.That(longer.ClaimedUntil.ToDateTimeOffset() - first.ClaimedUntil.ToDateTimeOffset(), Is.GreaterThan(TimeSpan.FromSeconds(500)));
        Assert.That(longer.Etag, Is.EqualTo(first.Etag));
        Assert.That(await _bench.EventsAsync(flagged.CaseId), Is.EqualTo("opened, claimed lin"));
    }

    [Test]
    public async Task Taking_over_ends_the_others_lease_and_is_audited()
    {
        var flagged = await _bench.FlagAsync();
        await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("lin"));
        var taken = (await Client.ClaimCaseAsync(
            new ClaimCaseRequest
            {
                CaseId = flagged.CaseId,
                TakeOver = true,
            },
            ReviewBench.As("max"))).Case;
        Assert.That(taken.ClaimedBy, Is.EqualTo("max"));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.ReleaseCaseAsync(new ReleaseCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("lin"))), Is.EqualTo("FailedPrecondition CASE_NOT_CLAIMED"));
        Assert.That(await _bench.AuditAsync($"cases/{flagged.CaseId}"), Is.EqualTo("case.claimed lin, case.taken_over max"));
        Assert.That(await _bench.EventsAsync(flagged.CaseId), Is.EqualTo("opened, claimed lin, taken_over max"));
    }

    [Test]
    public async Task A_lease_that_ran_out_frees_the_case_for_the_next()
    {
        var flagged = await _bench.FlagAsync();
        await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("lin"));
        Assert.That((await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("max"))).Case, Is.Null);
        await _bench.Database.ExecuteAsync($"UPDATE cases SET claimed_until = now() - interval '1 second' WHERE id = '{flagged.CaseId}'");
        var next = (await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("max"))).Case;
        Assert.That((next.CaseId, next.ClaimedBy), Is.EqualTo((flagged.CaseId, "max")));
        Assert.That(await _bench.EventsAsync(flagged.CaseId), Is.EqualTo("opened, claimed lin, lease_expired, claimed max"));
    }

    [Test]
    public async Task A_released_case_is_the_next_again()
    {
        var flagged = await _bench.FlagAsync();
        await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("lin"));
        var released = (await Client.ReleaseCaseAsync(new ReleaseCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("lin"))).Case;
        Assert.That(released.ClaimedBy, Is.Empty);
        Assert.That((await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("max"))).Case.CaseId, Is.EqualTo(flagged.CaseId));
    }

    [Test]
    public async Task What_the_policy_denied_is_not_claimed()
    {
        var flagged = await _bench.FlagAsync("deny");
        Assert.That((await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As("lin"))).Case, Is.Null);
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.ClaimCaseAsync(new ClaimCaseRequest { CaseId = flagged.CaseId }, ReviewBench.As("lin"))), Is.EqualTo("FailedPrecondition CASE_STATE"));
    }

    [Test]
    public async Task A_note_is_added_by_whoever_has_something_to_say()
    {
        var flagged = await _bench.FlagAsync();
        var note = (await Client.AddNoteAsync(new AddNoteRequest { CaseId = flagged.CaseId, Text = "Seen in March." }, ReviewBench.As("lin"))).Note;
        Assert.That((note.Author, note.Text), Is.EqualTo(("lin", "Seen in March.")));
        Assert.That(await _bench.Database.ScalarAsync<string>($"SELECT author || ': ' || text FROM case_notes WHERE id = '{note.NoteId}' AND case_id = '{flagged.CaseId}'"), Is.EqualTo("lin: Seen in March."));
        Assert.That(await ReviewBench.RefusedAsync(async () => await Client.AddNoteAsync(new AddNoteRequest { CaseId = Guid.NewGuid().ToString(), Text = "x" }, ReviewBench.As("lin"))), Is.EqualTo("NotFound CASE_UNKNOWN"));
    }
}
