using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SignupGuard.V1;
using Spectre.Console;

namespace SignupGuard.Cli.Commands;

/// <summary><c>signupguard review</c>: the queue, cases, networks and searches of a running service, for people who live in a terminal.</summary>
internal static class ReviewCommand
{
    private const int PageSizeMax = 500;
    private const int SecondsAMinute = 60;
    private const int CodesMax = 3;

    private static readonly JsonFormatter JsonText = new(JsonFormatter.Settings.Default.WithIndentation());

    public static Command Create() => new("review", "Work the flagged accounts of a running service.")
    {
        ListCommand(), ShowCommand(), NextCommand(), ReleaseCommand(), ResolveCommand(), NoteCommand(), ClusterCommand(), SearchCommand(), ExportCommand(), StatsCommand(),
    };

    private static Argument<string> CaseId() => new("case") { Description = "The case's id." };

    private static Option<string> Filter() => new("--filter")
    {
        Description = "Condition in CEL, as in docs/reviews.md. It stands in this machine's process list meanwhile: - reads it from the standard input.",
        DefaultValueFactory = _ => "",
    };

    private static Option<bool> Json() => new("--json") { Description = "Print the answer as JSON." };

    private static Option<int> Max(int max) => new("--max") { Description = $"Rows at most. Default: {max}.", DefaultValueFactory = _ => max };

    private static Option<DateTimeOffset?> Since(string description) => new("--from") { Description = description };

    private static Option<DateTimeOffset?> Until() => new("--until") { Description = "Before this time." };

    private static Option<CaseState[]> States(string byDefault) => new("--state")
    {
        Description = $"open, escalated, resolved or denied; several one after the other. Default: {byDefault}.",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = argument =>
        {
            var states = new List<CaseState>();
            foreach (var token in argument.Tokens)
            {
                if (System.Enum.TryParse<CaseState>(token.Value, ignoreCase: true, out var state) && state != CaseState.Unspecified && !char.IsDigit(token.Value[0])) states.Add(state);
                else argument.AddError("--state is open, escalated, resolved or denied.");
            }
            return [.. states];
        },
    };

    private static Command ListCommand()
    {
        var (filter, states, max, json) = (Filter(), States("open and escalated"), Max(50), Json());
        var order = Word("--order", CaseOrder.Unspecified, "queue", "newest, oldest, score or size. Default: the order a queue is worked in.");
        var mine = new Option<bool>("--mine") { Description = "Only cases that you hold." };
        return Make("list", "Cases of a queue.", [], [filter, states, order, mine, max, json], async (call, parsed) =>
        {
            var request = new ListCasesRequest
            {
                Filter = await FilterAsync(parsed.GetRequiredValue(filter)),
                Order = parsed.GetValue(order),
                ClaimedBy = parsed.GetValue(mine) ? call.Actor : "",
            };
            request.States.Add(parsed.GetValue(states) ?? []);
            var all = new ListCasesResponse();
            await PagesAsync(parsed.GetValue(max), async (size, token) =>
            {
                (request.PageSize, request.PageToken) = (size, token);
                var page = await call.Client.ListCasesAsync(request, call.Headers, cancellationToken: call.Cancellation);
                all.Cases.Add(page.Cases);
                return (all.Cases.Count, all.NextPageToken = page.NextPageToken);
            });
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(all));
            else Write(all.Cases, all.NextPageToken.Length > 0);
        });
    }

    private static Command ShowCommand()
    {
        var which = new Argument<string>("case") { Description = "A case's id, an applicant's code, or with --signup a signup's id." };
        var signup = new Option<bool>("--signup") { Description = "The argument is a signup's id; its case need not exist." };
        var json = Json();
        return Make("show", "A case, or a signup, with its evidence.", [which], [signup, json], async (call, parsed) =>
        {
            var named = parsed.GetRequiredValue(which);
            if (parsed.GetValue(signup))
            {
                var found = await call.Client.GetSignupAsync(new GetSignupRequest { SignupId = named }, call.Headers, cancellationToken: call.Cancellation);
                if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(found));
                else Write(found.Signup);
                return;
            }
            var request = Guid.TryParse(named, out _) ? new GetCaseRequest { CaseId = named.ToLowerInvariant() } : new GetCaseRequest { OutwardCode = named };
            var read = await call.Client.GetCaseAsync(request, call.Headers, cancellationToken: call.Cancellation);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(read));
            else Write(read);
        });
    }

    private static Command NextCommand()
    {
        var (filter, states, json) = (Filter(), States("open"), Json());
        var minutes = new Option<int>("--minutes") { Description = "How long you hold it. Default: 15.", DefaultValueFactory = _ => 15 };
        return Make("next", "Take the next case of the queue and show it.", [], [filter, states, minutes, json], async (call, parsed) =>
        {
            var request = new ClaimNextRequest
            {
                Filter = await FilterAsync(parsed.GetRequiredValue(filter)),
                LeaseSeconds = parsed.GetValue(minutes) * SecondsAMinute,
            };
            request.States.Add(parsed.GetValue(states) ?? []);
            var taken = await call.Client.ClaimNextAsync(request, call.Headers, cancellationToken: call.Cancellation);
            if (taken.Case is null)
            {
                if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(taken));
                else Console.Out.WriteLine("No case is left.");
                return;
            }
            var read = await call.Client.GetCaseAsync(new GetCaseRequest { CaseId = taken.Case.CaseId }, call.Headers, cancellationToken: call.Cancellation);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(read));
            else Write(read);
        });
    }

    private static Command ReleaseCommand()
    {
        var id = CaseId();
        return Make("release", "Give a case back undecided.", [id], [], async (call, parsed) =>
        {
            var released = await call.Client.ReleaseCaseAsync(new ReleaseCaseRequest { CaseId = parsed.GetRequiredValue(id) }, call.Headers, cancellationToken: call.Cancellation);
            Console.Out.WriteLine($"case {released.Case.CaseId}: {Word(released.Case.State)}");
        });
    }

    private static Command ResolveCommand()
    {
        var id = CaseId();
        var resolution = new Argument<Resolution>("resolution")
        {
            Description = "allow or deny.",
            HelpName = "allow|deny",
            CustomParser = argument =>
            {
                if (System.Enum.TryParse<Resolution>(argument.Tokens[0].Value, ignoreCase: true, out var value) && value is Resolution.Allow or Resolution.Deny) return value;
                argument.AddError("The resolution is allow or deny.");
                return default;
            },
        };
        var reason = new Option<string>("--reason") { Description = "Reason code: upper-case letters, digits and _.", Required = true };
        var note = new Option<string>("--note") { Description = "Becomes a note of the case; nothing of a person.", DefaultValueFactory = _ => "" };
        return Make("resolve", "Decide the account of a case.", [id, resolution], [reason, note], async (call, parsed) =>
        {
            var resolved = await call.Client.ResolveCaseAsync(
                new ResolveCaseRequest
                {
                    CaseId = parsed.GetRequiredValue(id),
                    Resolution = parsed.GetValue(resolution),
                    Reason = parsed.GetRequiredValue(reason),
                    Note = parsed.GetRequiredValue(note),
                },
                call.Headers,
                cancellationToken: call.Cancellation);
            Console.Out.WriteLine($"case {resolved.Case.CaseId}: {Word(resolved.Case.State)}, {Word(resolved.Case.Resolution)} by {Clean(resolved.Case.ResolvedBy)}");
        });
    }

    private static Command NoteCommand()
    {
        var (id, text) = (CaseId(), new Argument<string>("text") { Description = "Nothing of a person: it goes into exports in the clear." });
        return Make("note", "Add a note to a case.", [id, text], [], async (call, parsed) =>
        {
            await call.Client.AddNoteAsync(new AddNoteRequest { CaseId = parsed.GetRequiredValue(id), Text = parsed.GetRequiredValue(text) }, call.Headers, cancellationToken: call.Cancellation);
            Console.Out.WriteLine("Noted.");
        });
    }

    private static Command ClusterCommand()
    {
        var id = new Argument<long>("cluster") { Description = "The network's number." };
        var members = new Option<int>("--members") { Description = "Members shown at most, the first that came. Default: 20.", DefaultValueFactory = _ => 20 };
        var json = Json();
        return Make("cluster", "A network: its members and the keys that tie them.", [id], [members, json], async (call, parsed) =>
        {
            var network = await call.Client.GetClusterAsync(
                new GetClusterRequest { ClusterId = parsed.GetValue(id), MembersMax = parsed.GetValue(members) }, call.Headers, cancellationToken: call.Cancellation);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(network));
            else Write(network);
        });
    }

    private static Command SearchCommand()
    {
        var filter = new Argument<string>("filter") { Description = "Condition in CEL; - reads it from the standard input.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "" };
        var order = Word("--order", SignupOrder.Unspecified, "newest", "newest, oldest or score (of flagged ones alone). Default: newest.");
        var (from, until, max, json) = (Since("Recorded at this time or later."), Until(), Max(50), Json());
        return Make("search", "Signups, flagged or not.", [filter], [order, from, until, max, json], async (call, parsed) =>
        {
            var request = new SearchSignupsRequest
            {
                Filter = await FilterAsync(parsed.GetRequiredValue(filter)),
                Order = parsed.GetValue(order),
                From = Time(parsed.GetValue(from)),
                Until = Time(parsed.GetValue(until)),
            };
            var all = new SearchSignupsResponse();
            await PagesAsync(parsed.GetValue(max), async (size, token) =>
            {
                (request.PageSize, request.PageToken) = (size, token);
                var page = await call.Client.SearchSignupsAsync(request, call.Headers, cancellationToken: call.Cancellation);
                all.Signups.Add(page.Signups);
                all.Examined += page.Examined;
                return (all.Signups.Count, all.NextPageToken = page.NextPageToken);
            });
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(all));
            else Write(all.Signups, $"{Count(all.Signups.Count, "signup")} of {all.Examined.ToString("N0", CultureInfo.InvariantCulture)} looked at{(all.NextPageToken.Length > 0 ? ", and there are more" : "")}.");
        });
    }

    private static Command ExportCommand()
    {
        var what = new Argument<string>("what") { Description = "cases or signups." };
        what.AcceptOnlyFromAmong("cases", "signups");
        var format = new Option<string>("--format") { Description = "csv or jsonl. Default: csv.", DefaultValueFactory = _ => "csv" };
        format.AcceptOnlyFromAmong("csv", "jsonl");
        var output = new Option<string>("--out") { Description = "File to write. - writes to the standard output.", Required = true };
        var (filter, states, from, until) = (Filter(), States("open and escalated; of cases"), Since("Of signups: recorded at this time or later."), Until());
        return Make("export", "Write all cases or signups that a filter finds. Nothing of a person is in it.", [what], [filter, states, from, until, format, output], async (call, parsed) =>
        {
            var condition = await FilterAsync(parsed.GetRequiredValue(filter));
            var asked = parsed.GetRequiredValue(format) == "csv" ? ExportFormat.Csv : ExportFormat.JsonLines;
            var path = parsed.GetRequiredValue(output);
            if (parsed.GetRequiredValue(what) == "cases")
            {
                var request = new ExportCasesRequest
                {
                    Filter = condition,
                    Format = asked,
                };
                request.States.Add(parsed.GetValue(states) ?? []);
                using var export = call.Client.ExportCases(request, call.Headers, cancellationToken: call.Cancellation);
                await SaveAsync(path, export.ResponseStream.ReadAllAsync(call.Cancellation).Select(piece => piece.Data), call.Cancellation);
                return;
            }
            var signups = new ExportSignupsRequest
            {
                Filter = condition,
                Format = asked,
                From = Time(parsed.GetValue(from)),
                Until = Time(parsed.GetValue(until)),
            };
            using var all = call.Client.ExportSignups(signups, call.Headers, cancellationToken: call.Cancellation);
            await SaveAsync(path, all.ResponseStream.ReadAllAsync(call.Cancellation).Select(piece => piece.Data), call.Cancellation);
        });
    }

    private static Command StatsCommand()
    {
        var (from, until, json) = (Since("Default: 30 days ago."), Until(), Json());
        return Make("stats", "How the review goes: what waits, reviewers, rules.", [], [from, until, json], async (call, parsed) =>
        {
            var stats = await call.Client.ReviewStatsAsync(
                new ReviewStatsRequest { From = Time(parsed.GetValue(from)), Until = Time(parsed.GetValue(until)) }, call.Headers, cancellationToken: call.Cancellation);
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonText.Format(stats));
            else Write(stats);
        });
    }

    private sealed record Call(ReviewService.ReviewServiceClient Client, Metadata Headers, CancellationToken Cancellation)
    {
        public string Actor => Headers[0].Value;
    }

    private static Command Make(string name, string description, Argument[] arguments, System.CommandLine.Option[] options, Func<Call, ParseResult, Task> run) =>
        AdminCall.Command(name, description, arguments, options, async call =>
        {
            await run(new Call(new ReviewService.ReviewServiceClient(call.Channel), call.Headers, call.Cancellation), call.Parsed);
            return 0;
        });

    /// <summary>Asks for pages until there are so many rows, or no more; a page may be empty and not the last.</summary>
    private static async Task PagesAsync(int max, Func<int, string, Task<(int Have, string Next)>> page)
    {
        var (have, token) = (0, "");
        do (have, token) = await page(Math.Clamp(max - have, 1, PageSizeMax), token);
        while (token.Length > 0 && have < max);
    }

    private static async Task SaveAsync(string path, IAsyncEnumerable<ByteString> pieces, CancellationToken cancellation)
    {
        await using var file = OutputFile.Create(path);
        await foreach (var piece in pieces) await file.Content.WriteAsync(piece.Memory, cancellation);
        await file.FinishAsync();
    }

    private static async Task<string> FilterAsync(string given) => given is OutputFile.StandardStream ? await Console.In.ReadToEndAsync() : given;

    private static Timestamp? Time(DateTimeOffset? time) => time is { } set ? Timestamp.FromDateTimeOffset(set) : null;

    private static Option<T> Word<T>(string name, T unspecified, string unspecifiedWord, string description)
        where T : struct, System.Enum => new(name)
        {
            Description = description,
            DefaultValueFactory = _ => unspecified,
            CustomParser = argument =>
            {
                var word = argument.Tokens[0].Value;
                if (word == unspecifiedWord) return unspecified;
                if (System.Enum.TryParse<T>(word, ignoreCase: true, out var value) && !value.Equals(unspecified) && !char.IsDigit(word[0])) return value;
                argument.AddError($"{name} is {description}");
                return default;
            },
        };

    private static void Write(Google.Protobuf.Collections.RepeatedField<Case> cases, bool more)
    {
        var table = Table("priority", "case", "state", "accounts", "verdict", "score", "opened", "reasons");
        foreach (var one in cases)
        {
            table.AddRow(
                $"{one.Priority}{(one.Appealed ? " appeal" : "")}",
                one.CaseId,
                $"{Word(one.State)}{(one.ClaimedBy.Length > 0 ? $", {Escaped(one.ClaimedBy)}" : "")}",
                one.HasClusterId ? $"{one.Signups.ToString("N0", CultureInfo.InvariantCulture)} of network {one.ClusterId}" : "1",
                Verdict(one.Verdict),
                one.Score.ToString("0.0", CultureInfo.InvariantCulture),
                Time(one.OpenedAt),
                Codes(one.ReasonCodes));
        }
        Write(table, $"{Count(cases.Count, "case")}{(more ? ", and there are more" : "")}.");
    }

    private static void Write(GetCaseResponse read)
    {
        var one = read.Case;
        Line($"[bold]case {one.CaseId}[/]  {Word(one.State)}{(one.Appealed ? ", appealed" : "")}{(one.ClaimedBy.Length > 0 ? $", held by {Escaped(one.ClaimedBy)} until {Time(one.ClaimedUntil)}" : "")}");
        if (one.HasClusterId) Line($"network {one.ClusterId}, {Count(one.Signups, "flagged account")}; the one with the highest score is shown");
        if (one.Resolution != Resolution.Unspecified) Line($"{Word(one.Resolution)} by {(one.ResolvedBy.Length > 0 ? Escaped(one.ResolvedBy) : "an outcome")}, {Time(one.ResolvedAt)} {Escaped(one.ResolutionReason)}");
        if (read.Signup is not null) Write(read.Signup);
        if (read.Members.Count > 0) Write(read.Members, $"{Count(read.Members.Count, "flagged account")} of the network.");
        foreach (var told in read.Events) Line($"[grey]{Time(told.At)}[/] {Escaped(told.Kind)}{(told.Actor.Length > 0 ? $" by {Escaped(told.Actor)}" : "")} {Escaped(told.Detail)}");
        foreach (var note in read.Notes) Line($"[grey]{Time(note.At)}[/] {Escaped(note.Author)}: {Escaped(note.Text)}");
    }

    private static void Write(SignupDetail signup)
    {
        var (summary, decision) = (signup.Summary, signup.Decision);
        Line($"[bold]signup {Escaped(summary.SignupId)}[/]  {Verdict(summary.Verdict)}, score {summary.Score.ToString("0.0", CultureInfo.InvariantCulture)}, recorded {Time(summary.RecordedAt)}{(summary.HasLabel ? $", known {Word(summary.Label)}" : "")}");
        var reasons = Table("adds", "code", "reason", "evidence");
        foreach (var reason in decision.Reasons)
        {
            reasons.AddRow(
                reason.Contribution.ToString("+0.00;-0.00;0", CultureInfo.InvariantCulture),
                Escaped(reason.Code),
                Escaped(reason.Text),
                Escaped(string.Join("; ", reason.Path.Select(step => $"{step.KeyKind} {step.KeyRef}: {Count(step.Accounts, "account")}"))));
        }
        Write(reasons, "");
        foreach (var group in signup.Signals.GroupBy(signal => signal.Group))
            Line($"[grey]{Escaped(group.Key)}[/] {Escaped(string.Join(", ", group.Select(signal => $"{signal.Name[(signal.Name.IndexOf('.', StringComparison.Ordinal) + 1)..]}={Short(signal.Value)}")))}");
        foreach (var missing in decision.Completeness.Where(group => group.State != SignalState.Present)) Line($"[grey]{Escaped(missing.Group)}[/] {(missing.State == SignalState.TimedOut ? "timed out" : Word(missing.State))} {Escaped(missing.Detail)}");
        if (signup.Linked.Count > 0) Line($"linked to {Count(signup.Linked.Count, "account")}: {Escaped(string.Join(", ", signup.Linked.Take(10).Select(linked => $"{linked.Signup.SignupId} ({string.Join(' ', linked.KeyKinds)})")))}");
        if (signup.Similar.Count > 0) Line($"like {Count(signup.Similar.Count, "account")}: {Escaped(string.Join(", ", signup.Similar.Take(10).Select(similar => $"{similar.Signup.SignupId} ({similar.Strength.ToString("0%", CultureInfo.InvariantCulture)})")))}");
    }

    private static void Write(IEnumerable<FoundSignup> signups, string sum)
    {
        var table = Table("signup", "recorded", "verdict", "score", "network", "from", "label", "reasons");
        foreach (var one in signups)
        {
            table.AddRow(
                Escaped(one.SignupId),
                Time(one.RecordedAt),
                Verdict(one.Verdict),
                one.Score.ToString("0.0", CultureInfo.InvariantCulture),
                one.HasClusterId ? one.ClusterId.ToString(CultureInfo.InvariantCulture) : "",
                Escaped(string.Join(' ', one.Country, one.NetworkClass, one.Channel).Trim()),
                one.HasLabel ? Word(one.Label) : "",
                Codes(one.ReasonCodes));
        }
        Write(table, sum);
    }

    private static void Write(GetClusterResponse network)
    {
        var known = network.Cluster;
        Line($"[bold]network {known.ClusterId}[/]  {Count(known.Size, "account")}, {known.DeniedRatio.ToString("0%", CultureInfo.InvariantCulture)} denied, {known.ConfirmedBad} confirmed bad, {Time(known.FirstSeen)} to {Time(known.LastSeen)}");
        var keys = Table("key", "kind", "ties", "accounts on it", "");
        foreach (var key in network.Keys.Take(20)) keys.AddRow(key.KeyRef, Escaped(key.KeyKind), $"{key.Members}", $"{key.Accounts}", key.Exempt ? "exempt" : "");
        Write(keys, network.Keys.Count > 20 ? $"20 of {network.Keys.Count} keys." : "");
        var members = Table("signup", "recorded", "verdict", "score", "label", "keys");
        foreach (var member in network.Members)
        {
            members.AddRow(
                Escaped(member.SignupId),
                Time(member.RecordedAt),
                Verdict(member.Verdict),
                member.Score.ToString("0.0", CultureInfo.InvariantCulture),
                member.HasLabel ? Word(member.Label) : "",
                Escaped(string.Join(' ', member.Keys.Select(key => network.Keys[key].KeyKind))));
        }
        Write(members, $"{Count(network.Members.Count, "member")}{(network.Truncated ? $" of {known.Size.ToString("N0", CultureInfo.InvariantCulture)}, the first that came" : "")}.");
    }

    private static void Write(ReviewStatsResponse stats)
    {
        var waiting = Table([.. stats.Waiting.Select(band => band.HasUnderSeconds ? $"< {Span(band.UnderSeconds)}" : "longer")]);
        waiting.AddRow([.. stats.Waiting.Select(band => band.Cases.ToString("N0", CultureInfo.InvariantCulture))]);
        Write(waiting, "cases wait so long.");
        var reviewers = Table("reviewer", "resolved", "allowed", "denied", "overturned");
        foreach (var one in stats.Reviewers) reviewers.AddRow(Escaped(one.Reviewer), $"{one.Resolved}", $"{one.Allowed}", $"{one.Denied}", $"{one.Overturned}");
        Write(reviewers, stats.HasResolveSecondsMedian ? $"Half of the cases were resolved within {Span((long)stats.ResolveSecondsMedian)}." : "None was resolved.");
        var rules = Table("code", "resolved", "of these allowed");
        foreach (var one in stats.Rules.Take(20)) rules.AddRow(Escaped(one.Code), $"{one.Resolved}", $"{one.Allowed} ({(one.Resolved == 0 ? 0 : (double)one.Allowed / one.Resolved).ToString("0%", CultureInfo.InvariantCulture)})");
        Write(rules, "");
    }

    private static Table Table(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns) table.AddColumn(new TableColumn(column).NoWrap());
        // What is longest stands last, and breaks.
        if (columns.Length > 1) table.Columns[^1].NoWrap = false;
        return table;
    }

    /// <summary>An empty table is not shown.</summary>
    private static void Write(Table table, string sum)
    {
        if (table.Rows.Count > 0) Terminal.Write(table);
        if (sum.Length > 0) Line(sum);
    }

    private static void Line(string markup) => Terminal.MarkupLine(markup);

    /// <summary>As wide as a line needs where no terminal shows it: a pipe does not wrap.</summary>
    private static readonly IAnsiConsole Terminal = Wide();

    private static IAnsiConsole Wide()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings());
        if (Console.IsOutputRedirected) console.Profile.Width = 240;
        return console;
    }

    private static string Verdict(Verdict verdict) => verdict switch
    {
        V1.Verdict.Deny => "[red]deny[/]",
        V1.Verdict.Review => "[yellow]review[/]",
        _ => Word(verdict),
    };

    private static string Word<T>(T value)
        where T : struct, System.Enum => value.ToString().ToLowerInvariant();

    private static string Time(Timestamp time) => time.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + "Z";

    private static string Span(long seconds) => TimeSpan.FromSeconds(seconds) switch
    {
        { TotalDays: >= 1 } days => $"{days.TotalDays:0.#} d",
        { TotalHours: >= 1 } hours => $"{hours.TotalHours:0.#} h",
        { TotalMinutes: >= 1 } minutes => $"{minutes.TotalMinutes:0.#} min",
        var rest => $"{rest.TotalSeconds:0} s",
    };

    /// <summary>The strongest.</summary>
    private static string Codes(Google.Protobuf.Collections.RepeatedField<string> codes) =>
        Escaped(string.Join(' ', codes.Take(CodesMax))) + (codes.Count > CodesMax ? $" [grey]and {codes.Count - CodesMax} more[/]" : "");

    /// <summary>Numbers are as exact as a reader needs.</summary>
    private static string Short(string value) =>
        value.Contains('.', StringComparison.Ordinal) && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number.ToString("0.###", CultureInfo.InvariantCulture) : value;

    private static string Count(long count, string what) => $"{count.ToString("N0", CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";

    /// <summary>What callers sent must not steer the terminal.</summary>
    private static string Clean(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? '\uFFFD' : letter));

    private static string Escaped(string text) => Markup.Escape(Clean(text));
}
