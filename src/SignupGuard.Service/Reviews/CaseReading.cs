using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Reviews;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Clusters;
using SignupGuard.Storage.Reviews;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Reviews;

/// <summary>A page of a search.</summary>
/// <param name="Next">Where the next page starts; null when this was the last.</param>
/// <param name="Examined">Rows that were looked at for it.</param>
public sealed record SearchPage<TItem, TPosition>(IReadOnlyList<TItem> Items, TPosition? Next, int Examined)
    where TPosition : struct;

/// <summary>One signup with all that reviewers are told of it.</summary>
/// <param name="History">All decisions, oldest first; at least one.</param>
public sealed record SignupView(
    FoundSignup Summary,
    IReadOnlyList<StoredDecision> History,
    IReadOnlyList<ShownSignal> Signals,
    IReadOnlyList<StoredOutcome> Outcomes,
    IReadOnlyList<LinkedAccount> Linked,
    IReadOnlyList<LinkedAccount> Similar);

/// <summary>Another account that shares keys with a signup.</summary>
/// <param name="Strength">Log-odds of the strongest key; of similar accounts the share of properties in common.</param>
public sealed record LinkedAccount(FoundSignup Signup, IReadOnlyList<string> KeyKinds, double Strength);

/// <summary>One case with all that reviewers are told of it.</summary>
/// <param name="Signup">Null when the case's signup is past its retention.</param>
public sealed record CaseView(StoredCase Case, SignupView? Signup, IReadOnlyList<StoredNote> Notes, IReadOnlyList<StoredCaseEvent> Events, IReadOnlyList<FoundSignup> Members);

/// <summary>What reviewers read: cases, signups and what links them. Changes nothing, takes no lock, and reads so much a call and no more.</summary>
internal sealed class CaseReading(
    CaseSearch search, CaseReader cases, SignupSearch signupSearch, SignupReader signups, ClusterReader clusters, DecisionReader decisions, ActivePolicy active, FactsCipher cipher, TimeProvider clock)
{
    public const int LinkedMax = 50;

    public const int SimilarMax = 20;

    /// <summary>Share of properties in common from which an account is like another.</summary>
    private const double SimilarShareMin = 0.3;

    /// <summary>Accounts on a signup's keys that are looked at: those on most of them.</summary>
    private const int CandidatesMax = 150;

    /// <summary>Cases read at a time while a filter is asked of each.</summary>
    private const int ChunkRows = 250;

    private const int AllPageRows = 500;

    private FilterContext? _context;

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Of the policy in force.</summary>
    public FilterContext Context
    {
        get
        {
            var policy = active.Snapshot.Policy;
            if (_context is { } known && ReferenceEquals(known.Policy, policy)) return known;
            return _context = new FilterContext(policy);
        }
    }

    /// <summary>A page of cases. Ends early, with a place to go on from, when it has looked at as many as one call may.</summary>
    public async Task<SearchPage<StoredCase, CasePosition>> ListAsync(string tenant, CaseQuery query, ReviewFilter filter, CasePosition? after, int size, CancellationToken cancellation)
    {
        query = query with { Condition = filter.Index };
        var (page, examined, scanned) = (new List<StoredCase>(), 0, 0);
        while (true)
        {
            var chunk = await search.FindAsync(tenant, query, after, filter.IsExact ? size - page.Count + 1 : ChunkRows, cancellation);
            var matches = await MatchesAsync(tenant, chunk.Cases, filter, cancellation);
            for (var i = 0; i < chunk.Cases.Count; i++)
            {
                if (page.Count == size) return new SearchPage<StoredCase, CasePosition>(page, after, examined);
                after = CasePosition.Of(chunk.Cases[i]);
                examined++;
                if (matches[i]) page.Add(chunk.Cases[i]);
            }
            if (chunk.Reached is not { } reached) return new SearchPage<StoredCase, CasePosition>(page, null, examined);
            after = reached;
            scanned += chunk.Scanned;
            if (page.Count == size || examined >= ReviewFilter.RowsExaminedMax || scanned >= CaseSearch.ScannedMax) return new SearchPage<StoredCase, CasePosition>(page, after, examined);
        }
    }

    /// <summary>Which of some cases match: what the indexes left open is asked of each.</summary>
    private async Task<bool[]> MatchesAsync(string tenant, IReadOnlyList<StoredCase> found, ReviewFilter filter, CancellationToken cancellation)
    {
        if (filter.IsExact) return [.. Enumerable.Repeat(true, found.Count)];
        var ordinals = found.Select(stored => stored.Ordinal).ToArray();
        var rows = await signups.GetAsync(tenant, ordinals, cancellation);
        var contents = await signups.ContentAsync(tenant, ordinals, cancellation);
        var context = Context;
        return
        [
            .. found.Select(stored =>
                rows.TryGetValue(stored.Ordinal, out var signup)
                && filter.Matches(FilterContext.Row(stored, signup, Facts(tenant, context, contents.GetValueOrDefault(stored.Ordinal))))),
        ];
    }

    /// <summary>A page of signups, flagged or not. Ends early, with a place to go on from, when it has looked at as many as one call may.</summary>
    public async Task<SearchPage<FoundSignup, SignupPosition>> SearchAsync(
        string tenant, SignupQuery query, ReviewFilter filter, SignupPosition? after, int size, CancellationToken cancellation)
    {
        query = query with { Condition = filter.Index };
        var range = await signupSearch.RangeAsync(tenant, query.From, query.Until, cancellation);
        var (page, asked, scanned) = (new List<FoundSignup>(), 0, 0);
        while (true)
        {
            var chunk = await signupSearch.FindAsync(tenant, query, range, after, filter.IsExact ? size - page.Count + 1 : ChunkRows, cancellation);
            var found = chunk.Signups.Select(searched => searched.Signup).OfType<FoundSignup>().ToList();
            var matching = await MatchingAsync(tenant, found, filter, cancellation);
            var read = 0;
            foreach (var searched in chunk.Signups)
            {
                if (page.Count == size) return await ShownAsync(after, scanned + read);
                (after, read) = (searched.Position, searched.Number);
                if (searched.Signup is { } signup && matching.Contains(signup.Ordinal)) page.Add(signup);
            }
            scanned += read;
            asked += found.Count;
            if (chunk.AtEnd) return await ShownAsync(null, scanned);
            if (page.Count == size || asked >= ReviewFilter.RowsExaminedMax || scanned >= SignupSearch.ScannedMax) return await ShownAsync(after, scanned);
        }

        async Task<SearchPage<FoundSignup, SignupPosition>> ShownAsync(SignupPosition? next, int examined) => new(await this.ShownAsync(tenant, page, cancellation), next, examined);
    }

    private async Task<HashSet<long>> MatchingAsync(string tenant, List<FoundSignup> found, ReviewFilter filter, CancellationToken cancellation)
    {
        if (filter.IsExact) return [.. found.Select(signup => signup.Ordinal)];
        var contents = await signups.ContentAsync(tenant, found.ConvertAll(signup => signup.Ordinal), cancellation);
        var context = Context;
        return
        [
            .. found
                .Where(signup => filter.Matches(FilterContext.Row(signup, Facts(tenant, context, contents.GetValueOrDefault(signup.Ordinal)))))
                .Select(signup => signup.Ordinal),
        ];
    }

    /// <summary>All cases of a query, a page at a time: for whoever takes them as they come.</summary>
    public IAsyncEnumerable<IReadOnlyList<StoredCase>> AllCasesAsync(string tenant, CaseQuery query, ReviewFilter filter, CancellationToken cancellation) =>
        PagesAsync<StoredCase, CasePosition>(after => ListAsync(tenant, query, filter, after, AllPageRows, cancellation));

    /// <summary>All signups of a query, a page at a time: for whoever takes them as they come.</summary>
    public IAsyncEnumerable<IReadOnlyList<FoundSignup>> AllSignupsAsync(string tenant, SignupQuery query, ReviewFilter filter, CancellationToken cancellation) =>
        PagesAsync<FoundSignup, SignupPosition>(after => SearchAsync(tenant, query, filter, after, AllPageRows, cancellation));

    private static async IAsyncEnumerable<IReadOnlyList<TItem>> PagesAsync<TItem, TPosition>(Func<TPosition?, Task<SearchPage<TItem, TPosition>>> read)
        where TPosition : struct
    {
        TPosition? after = null;
        do
        {
            var page = await read(after);
            if (page.Items.Count > 0) yield return page.Items;
            after = page.Next;
        }
        while (after is not null);
    }

    public Task<CaseCounts> CountAsync(string tenant, ReviewFilter filter, string? caller, CancellationToken cancellation) => search.CountAsync(tenant, filter.Index, caller, cancellation);

    /// <summary>Null when there is no such case.</summary>
    public async Task<CaseView?> GetAsync(string tenant, StoredCase? stored, CancellationToken cancellation)
    {
        if (stored is null) return null;
        var signup = await SignupAsync(tenant, stored.SignupId, cancellation);
        var notes = await cases.NotesAsync(tenant, stored.Id, cancellation);
        var events = await cases.EventsAsync(tenant, stored.Id, cancellation);
        var members = stored.Cluster is null ? [] : await cases.MembersAsync(tenant, stored.Id, cancellation);
        return new CaseView(stored, signup, notes, events, members);
    }

    /// <inheritdoc cref="CaseReader.GetAsync"/>
    public Task<StoredCase?> CaseAsync(string tenant, Guid id, CancellationToken cancellation) => cases.GetAsync(tenant, id, cancellation);

    /// <param name="code">As the applicant was given it, or as they typed it.</param>
    /// <returns>Null when no flagged signup has it.</returns>
    public Task<StoredCase?> CaseOfCodeAsync(string tenant, string code, CancellationToken cancellation) =>
        OutwardCode.Read(code) is { } read ? cases.OfCodeAsync(tenant, read, cancellation) : Task.FromResult<StoredCase?>(null);

    /// <inheritdoc cref="CaseReader.OfSignupAsync"/>
    public Task<StoredCase?> CaseOfSignupAsync(string tenant, string signupId, CancellationToken cancellation) => cases.OfSignupAsync(tenant, signupId, cancellation);

    /// <inheritdoc cref="CaseReader.NotesAsync"/>
    public Task<IReadOnlyList<StoredNote>> NotesAsync(string tenant, Guid id, CancellationToken cancellation) => cases.NotesAsync(tenant, id, cancellation);

    /// <inheritdoc cref="ClusterReader.GetAsync"/>
    public Task<StoredNetwork?> ClusterAsync(string tenant, long cluster, int membersMax, CancellationToken cancellation) => clusters.GetAsync(tenant, cluster, membersMax, cancellation);

    /// <summary>Null when there is no such signup.</summary>
    public async Task<SignupView?> SignupAsync(string tenant, string signupId, CancellationToken cancellation)
    {
        if (await signups.GetAsync(tenant, signupId, cancellation) is not { } found) return null;
        var history = await decisions.HistoryAsync(tenant, signupId, cancellation);
        var outcomes = await decisions.OutcomesAsync(tenant, found.Ordinal, cancellation);
        var content = (await signups.ContentAsync(tenant, [found.Ordinal], cancellation)).GetValueOrDefault(found.Ordinal);
        var (context, opened) = (Context, Open(tenant, content));
        var facts = context.Facts(content, opened);
        var (linked, similar) = await OthersAsync(tenant, found, content?.Known, cancellation);
        return new SignupView(Shown(found, opened), history, facts is null ? [] : context.Shown(facts), outcomes, linked, similar);
    }

    /// <summary>
    /// Who shares keys with a signup: those whose shared keys are evidence, and those who only look like it. Candidates are whoever its keys remember.
    /// </summary>
    private async Task<(IReadOnlyList<LinkedAccount> Linked, IReadOnlyList<LinkedAccount> Similar)> OthersAsync(
        string tenant, FoundSignup signup, DecisionFacts? known, CancellationToken cancellation)
    {
        if (known is null) return ([], []);
        var tied = (await signups.TiesAsync(tenant, signup.Ordinal, cancellation)).ToHashSet();
        var keys = await signups.AccountsAsync(tenant, [.. known.Links.Values.Select(link => link.Key).Concat(tied).Distinct()], cancellation);
        var exempt = keys.Where(key => key.Exempt).Select(key => key.Key).ToHashSet();
        var evidence = known.Links.Values.Where(link => link.Evidence > 0).Select(link => link.Key).Concat(tied).Where(key => !exempt.Contains(key)).ToHashSet();

        // Those on keys that are evidence first, then those on most keys, then the latest.
        var candidates = keys.SelectMany(key => key.Ordinals.Select(ordinal => (ordinal, IsEvidence: evidence.Contains(key.Key))))
            .Where(on => on.ordinal != signup.Ordinal)
            .GroupBy(on => on.ordinal)
            .OrderByDescending(on => on.Count(key => key.IsEvidence))
            .ThenByDescending(on => on.Count())
            .ThenByDescending(on => on.Key)
            .Take(CandidatesMax)
            .Select(on => on.Key)
            .ToArray();
        var links = await signups.LinksAsync(tenant, candidates, cancellation);

        var (linked, similar) = (new List<(long Ordinal, string[] Kinds, double Strength, double Sum)>(), new List<(long Ordinal, string[] Kinds, double Share)>());
        foreach (var (ordinal, other) in links)
        {
            var shared = known.Links.Where(link => other.Links.TryGetValue(link.Key, out var theirs) && theirs.Key == link.Value.Key).ToList();
            var proving = shared.Where(link => evidence.Contains(link.Value.Key)).ToList();
            if (proving.Count > 0)
            {
                // The first on a key saw nobody there: what it says, the other saw.
                var strengths = proving.ConvertAll(link => Math.Max(link.Value.Evidence, other.Links[link.Key].Evidence));
                linked.Add((ordinal, [.. proving.Select(link => link.Key.ToString()).Order(StringComparer.Ordinal)], strengths.Max(), strengths.Sum()));
                continue;
            }
            var properties = known.Links.Keys.Union(other.Links.Keys).Count(IsProperty);
            var alike = shared.Where(link => IsProperty(link.Key)).ToList();
            if (properties == 0 || (double)alike.Count / properties < SimilarShareMin) continue;
            similar.Add((ordinal, [.. alike.Select(link => link.Key.ToString()).Order(StringComparer.Ordinal)], (double)alike.Count / properties));
        }
        var shownLinked = linked.OrderByDescending(account => account.Sum).ThenBy(account => account.Ordinal).Take(LinkedMax).ToList();
        var shownSimilar = similar.OrderByDescending(account => account.Share).ThenBy(account => account.Ordinal).Take(SimilarMax).ToList();
        var found = await ShownAsync(tenant, [.. shownLinked.Select(account => account.Ordinal), .. shownSimilar.Select(account => account.Ordinal)], cancellation);
        return (
            [.. shownLinked.Where(account => found.ContainsKey(account.Ordinal)).Select(account => new LinkedAccount(found[account.Ordinal], account.Kinds, account.Strength))],
            [.. shownSimilar.Where(account => found.ContainsKey(account.Ordinal)).Select(account => new LinkedAccount(found[account.Ordinal], account.Kinds, account.Share))]);

        // Composites repeat their parts.
        static bool IsProperty(KeyKind kind) => kind.Count == 1;
    }

    private async Task<Dictionary<long, FoundSignup>> ShownAsync(string tenant, IReadOnlyCollection<long> ordinals, CancellationToken cancellation)
    {
        var found = await signups.GetAsync(tenant, ordinals, cancellation);
        return (await ShownAsync(tenant, [.. found.Values], cancellation)).ToDictionary(signup => signup.Ordinal);
    }

    private async Task<IReadOnlyList<FoundSignup>> ShownAsync(string tenant, IReadOnlyList<FoundSignup> found, CancellationToken cancellation)
    {
        var contents = await signups.ContentAsync(tenant, [.. found.Where(signup => signup.Case is null).Select(signup => signup.Ordinal)], cancellation);
        return [.. found.Select(signup => contents.TryGetValue(signup.Ordinal, out var content) ? Shown(signup, Open(tenant, content)) : signup)];
    }

    /// <summary>What lists show of a signup; of one that was never flagged only its facts know.</summary>
    private static FoundSignup Shown(FoundSignup found, OpenedFacts? opened) => found.Case is not null || opened is null
        ? found
        : found with
        {
            Country = opened.Signals.Ip.Value?.Country,
            NetworkClass = opened.Signals.Ip.Value?.NetworkClass,
            Channel = opened.Signup.Event.Channel,
            Product = opened.Signup.Event.Product,
        };

    private Facts? Facts(string tenant, FilterContext context, SignupContent? content) => context.Facts(content, Open(tenant, content));

    private OpenedFacts? Open(string tenant, SignupContent? content) => content is null ? null : StoredFacts.TryOpen(cipher, tenant, content.Sealed);
}
