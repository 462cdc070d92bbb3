using System.Collections.Concurrent;
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
        // More callers than cases: some find none.
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async number =>
        {
            var reviewer = $"reviewer-{number}";
            while ((await Client.ClaimNextAsync(new ClaimNextRequest(), ReviewBench.As(reviewer))).Case is { } claimed)
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
