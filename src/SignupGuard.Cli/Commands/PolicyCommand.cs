using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Grpc.Core;
using SignupGuard.Cli.Policies;
using SignupGuard.Core.Policies;
using SignupGuard.V1;
using Spectre.Console;
using DifferenceKind = SignupGuard.Core.Policies.DifferenceKind;

namespace SignupGuard.Cli.Commands;

/// <summary>
/// <c>signupguard policy</c>: the policy as code. Checked and tested without a service; brought to one, tried, asked for, approved and rolled
/// back through its API, under the caller's name.
/// </summary>
internal static class PolicyCommand
{
    private const int ExitFailed = 1;

    /// <summary>The document has issues, a case failed, or two documents differ.</summary>
    private const int ExitFound = 2;

    /// <summary>What names the version in force.</summary>
    private const string ActiveVersion = "active";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create() => new("policy", "The policy: lint, test, diff, pull, push, backtest, shadow, publish and roll back.")
    {
        Lint(), Test(), Diff(), List(), Pull(), Push(), Backtest(), Shadow(), Request(), Approve(), Reject(), Rollback(),
    };

    private static Argument<string> File(string name, string description) => new(name) { Description = description };

    private static Argument<long> Version() => new("version") { Description = "The version's number." };

    private static Option<string> Note(string description) => new("--note") { Description = description, DefaultValueFactory = _ => "" };

    private static Command Lint()
    {
        var file = File("file", "YAML of a policy.");
        var json = new Option<bool>("--json") { Description = "Print what is wrong as JSON." };
        var command = new Command("lint", "Check a policy as it would be checked on save. Exit code 0: valid; 2: not.") { file, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            if (await TextAsync(path, cancellation) is not { } yaml) return ExitFailed;
            var reading = PolicyReader.Read(yaml, 1);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new { Valid = reading.Policy is not null, Issues = reading.Issues.Select(issue => new { issue.Path, issue.Message }) }, Json));
            }
            else
            {
                foreach (var issue in reading.Issues) Console.Out.WriteLine($"{path}: {issue}");
                if (reading.Policy is { } policy) Console.Out.WriteLine($"{path}: valid, {policy.Rules.Count} rules and {policy.Linkage.Rules.Count} linkage rules.");
            }
            return reading.Policy is null ? ExitFound : 0;
        });
        return command;
    }

    private static Command Test()
    {
        var file = File("file", "YAML of a policy.");
        var cases = new Option<string[]>("--cases") { Description = "File of cases: given a signup and what is known by then, what it must be decided. Default: POLICY.cases.yaml beside POLICY.yaml." };
        var covered = new Option<bool>("--every-rule") { Description = "Fail too when a live rule fires in no case." };
        var json = new Option<bool>("--json") { Description = "Print the results as JSON." };
        var command = new Command("test", "Run a policy's test cases. Exit code 0: all passed; 2: some did not.") { file, cases, covered, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            if (await TextAsync(path, cancellation) is not { } yaml) return ExitFailed;
            var reading = PolicyReader.Read(yaml, 1);
            foreach (var issue in reading.Issues) await Console.Error.WriteLineAsync($"{path}: {issue}");
            if (reading.Policy is not { } policy) return ExitFound;
            using var runner = new PolicyCaseRunner(policy, EvaluateCommand.Configuration());
            var results = new List<CaseResult>();
            foreach (var given in parsed.GetValue(cases) is { Length: > 0 } named ? named : [Path.ChangeExtension(path, ".cases.yaml")])
            {
                if (await TextAsync(given, cancellation) is not { } text) return ExitFailed;
                if (PolicyCases.Read(text, out var problem) is not { } found)
                {
                    await Console.Error.WriteLineAsync($"{given}: {problem}");
                    return ExitFailed;
                }
                results.AddRange(found.Cases.Select(runner.Run));
            }
            var fired = results.SelectMany(result => result.Fired).ToHashSet(StringComparer.Ordinal);
            var never = policy.Rules.Where(rule => rule.Mode == Core.Linkage.RuleMode.Live && !fired.Contains(rule.Id)).Select(rule => rule.Id).ToList();
            var failed = results.Count(result => result.Problems.Count > 0);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new { Passed = results.Count - failed, Failed = failed, Cases = results, NeverFired = never }, Json));
            }
            else
            {
                foreach (var result in results.Where(result => result.Problems.Count > 0))
                {
                    Console.Out.WriteLine($"FAILED  {result.Name}");
                    foreach (var problem in result.Problems) Console.Out.WriteLine($"        {problem}");
                }
                if (never.Count > 0) Console.Out.WriteLine($"rules that fired in no case: {string.Join(", ", never)}");
                Console.Out.WriteLine($"{results.Count - failed} passed, {failed} failed.");
            }
            return failed > 0 || (parsed.GetValue(covered) && never.Count > 0) ? ExitFound : 0;
        });
        return command;
    }

    private static Command Diff()
    {
        var from = File("from", "A file, a version's number, or 'active'.");
        var to = File("to", "A file, a version's number, or 'active'.");
        var json = new Option<bool>("--json") { Description = "Print the differences as JSON." };
        return AdminCall.Command("diff", "What one policy changes in another, part by part. Exit code 0: nothing; 2: something.", [from, to], [json], async call =>
        {
            if (await DocumentAsync(call, call.Parsed.GetRequiredValue(from)) is not { } one || await DocumentAsync(call, call.Parsed.GetRequiredValue(to)) is not { } other) return ExitFailed;
            var differences = PolicyDiff.Between(one, other);
            if (call.Parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(differences, Json));
            else foreach (var difference in differences) Print(difference);
            return differences.Count > 0 ? ExitFound : 0;
        });
    }

    private static void Print(Core.Policies.PolicyDifference difference)
    {
        var name = string.Join(' ', new[] { difference.Section, difference.Id }.Where(part => part.Length > 0));
        Console.Out.WriteLine($"{difference.Kind switch { DifferenceKind.Added => "+", DifferenceKind.Removed => "-", _ => "~" }} {name}");
        foreach (var field in difference.Fields)
        {
            Console.Out.WriteLine(difference.Kind switch
            {
                DifferenceKind.Added => $"    {field.Field}: {field.New}",
                DifferenceKind.Removed => $"    {field.Field}: {field.Old}",
                _ => $"    {field.Field}: {field.Old ?? "(not set)"} -> {field.New ?? "(not set)"}",
            });
        }
    }

    private static Command List()
    {
        var all = new Option<int>("--max") { Description = "Versions shown, the newest first.", DefaultValueFactory = _ => 20 };
        return AdminCall.Command("list", "The versions of a service's policy.", [], [all], async call =>
        {
            var answer = await Client(call).ListPoliciesAsync(new ListPoliciesRequest { PageSize = Math.Clamp(call.Parsed.GetValue(all), 1, 1_000) }, call.Headers, cancellationToken: call.Cancellation);
            var table = new Table().AddColumns("version", "state", "name", "changed", "by", "shadow", "note");
            foreach (var policy in answer.Policies)
            {
                table.AddRow(
                    policy.Version.ToString(CultureInfo.InvariantCulture),
                    policy.State.ToString(),
                    Markup.Escape(policy.Name),
                    policy.ChangedAt?.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "",
                    Markup.Escape(policy.ChangedBy),
                    policy.Shadow is null ? "" : "yes",
                    Markup.Escape(policy.Note));
            }
            AnsiConsole.Write(table);
            return 0;
        });
    }

    private static Command Pull()
    {
        var version = new Argument<string>("version") { Description = "A version's number, or 'active'.", DefaultValueFactory = _ => ActiveVersion };
        var output = new Option<string?>("--out") { Description = "File to write. Default: the standard output." };
        return AdminCall.Command("pull", "The document of a version, as it was written.", [version], [output], async call =>
        {
            if (await StoredAsync(call, call.Parsed.GetRequiredValue(version)) is not { } stored) return ExitFailed;
            if (call.Parsed.GetValue(output) is { } path) await System.IO.File.WriteAllTextAsync(path, stored.Yaml, call.Cancellation);
            else await Console.Out.WriteAsync(stored.Yaml.AsMemory(), call.Cancellation);
            return 0;
        });
    }

    private static Command Push()
    {
        var file = File("file", "YAML of a policy.");
        var update = new Option<long?>("--update") { Description = "A draft to change. Default: a new one is begun." };
        var rebase = new Option<bool>("--rebase") { Description = "With --update: the document takes into account the version that is active now." };
        var note = Note("What changes and why.");
        return AdminCall.Command("push", "Bring a document to a service, as a draft. Nothing goes live by it. Exit code 0: it validates; 2: it is kept, with issues.", [file], [update, rebase, note], async call =>
        {
            if (await TextAsync(call.Parsed.GetRequiredValue(file), call.Cancellation) is not { } yaml) return ExitFailed;
            var (policy, issues) = call.Parsed.GetValue(update) is { } version
                ? await UpdateAsync(call, version, yaml, call.Parsed.GetRequiredValue(note), call.Parsed.GetValue(rebase))
                : await BeginAsync(call, yaml, call.Parsed.GetRequiredValue(note));
            foreach (var issue in issues) Console.Out.WriteLine(Said(issue));
            Console.Out.WriteLine($"version {policy.Version}: {policy.State}");
            return issues.Count > 0 ? ExitFound : 0;
        });
    }

    /// <summary>As lint says it.</summary>
    private static string Said(V1.PolicyIssue issue) => new Core.Policies.PolicyIssue(issue.Path, issue.Message)
    {
        Kind = issue.Line > 0 ? PolicyIssueKind.Expression : PolicyIssueKind.Value,
        Line = issue.Line,
        Column = issue.Column,
        Suggestion = issue.Suggestion.Length > 0 ? issue.Suggestion : null,
    }.ToString();

    private static async Task<(PolicySummary Policy, IReadOnlyList<V1.PolicyIssue> Issues)> BeginAsync(AdminCall call, string yaml, string note)
    {
        var answer = await Client(call).CreateDraftAsync(new CreateDraftRequest { Yaml = yaml, Note = note }, call.Headers, cancellationToken: call.Cancellation);
        return (answer.Policy, answer.Issues);
    }

    private static async Task<(PolicySummary Policy, IReadOnlyList<V1.PolicyIssue> Issues)> UpdateAsync(AdminCall call, long version, string yaml, string note, bool rebase)
    {
        var client = Client(call);
        var request = new UpdateDraftRequest
        {
            Version = version,
            Etag = await EtagAsync(call, version),
            Yaml = yaml,
            Note = note,
        };
        if (rebase) request.BaseVersion = (await client.GetPolicyAsync(new GetPolicyRequest(), call.Headers, cancellationToken: call.Cancellation)).Policy.Version;
        var answer = await client.UpdateDraftAsync(request, call.Headers, cancellationToken: call.Cancellation);
        return (answer.Policy, answer.Issues);
    }

    private static Command Backtest()
    {
        var version = Version();
        var days = new Option<double?>("--days") { Description = "Only the signups of so many days until now. Default: all that are stored." };
        var json = new Option<bool>("--json") { Description = "Print the report as JSON." };
        return AdminCall.Command("backtest", "Replay stored signups under a version and under the active one, and compare.", [version], [days, json], async call =>
        {
            var request = new BacktestPolicyRequest { Version = call.Parsed.GetValue(version) };
            if (call.Parsed.GetValue(days) is { } back) request.From = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.AddDays(-back));
            using var run = Client(call).BacktestPolicy(request, call.Headers, cancellationToken: call.Cancellation);
            BacktestReport? report = null;
            await AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Progress().AutoClear(true).StartAsync(async progress =>
            {
                var bar = progress.AddTask("signups replayed", maxValue: 1);
                await foreach (var answer in run.ResponseStream.ReadAllAsync(call.Cancellation))
                {
                    if (answer.Progress is { SignupsTotal: > 0 } reached) (bar.MaxValue, bar.Value) = (reached.SignupsTotal, reached.Signups);
                    report = answer.Report ?? report;
                }
            });
            if (report is null) return ExitFailed;
            if (call.Parsed.GetValue(json)) Console.Out.WriteLine(Google.Protobuf.JsonFormatter.Default.Format(report));
            else BacktestOutput.Print(report);
            return 0;
        });
    }

    private static Command Shadow()
    {
        var version = Version();
        var off = new Option<bool>("--off") { Description = "End it." };
        var differences = new Option<bool>("--differences") { Description = "Only show what it would have decided otherwise so far." };
        var note = Note("Why.");
        return AdminCall.Command("shadow", "Let a version judge live traffic beside the active one, without effect.", [version], [off, differences, note], async call =>
        {
            var (client, number) = (Client(call), call.Parsed.GetValue(version));
            if (call.Parsed.GetValue(differences))
            {
                var found = await client.ListShadowDifferencesAsync(new ListShadowDifferencesRequest { Version = number }, call.Headers, cancellationToken: call.Cancellation);
                foreach (var move in found.Moves) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{move.From} -> {move.To}: {move.Signups:N0}"));
                return 0;
            }
            var (etag, why) = (await EtagAsync(call, number), call.Parsed.GetRequiredValue(note));
            Print(call.Parsed.GetValue(off)
                ? (await client.ClearShadowAsync(new ClearShadowRequest { Version = number, Etag = etag, Note = why }, call.Headers, cancellationToken: call.Cancellation)).Policy
                : (await client.SetShadowAsync(new SetShadowRequest { Version = number, Etag = etag, Note = why }, call.Headers, cancellationToken: call.Cancellation)).Policy);
            return 0;
        });
    }

    private static Command Request() => Step("request", "Ask that a version go live.", "For whoever approves.", async (client, call, version, etag, note) =>
        (await client.RequestPublishAsync(new RequestPublishRequest { Version = version, Etag = etag, Note = note }, call.Headers, cancellationToken: call.Cancellation)).Policy);

    private static Command Approve() => Step("approve", "Let a version go live that someone else asked for.", "Said in the audit.", async (client, call, version, etag, note) =>
        (await client.ApprovePublishAsync(new ApprovePublishRequest { Version = version, Etag = etag, Note = note }, call.Headers, cancellationToken: call.Cancellation)).Policy);

    private static Command Reject() => Step("reject", "Send a version that someone asked for back to its draft.", "Why.", async (client, call, version, etag, note) =>
        (await client.RejectPublishAsync(new RejectPublishRequest { Version = version, Etag = etag, Reason = note }, call.Headers, cancellationToken: call.Cancellation)).Policy);

    private static Command Rollback() => Step("rollback", "Put a version that was in force before in force again, at once.", "Why.", async (client, call, version, _, note) =>
        (await client.RollbackAsync(new RollbackRequest { Version = version, Reason = note }, call.Headers, cancellationToken: call.Cancellation)).Policy);

    private static Command Step(string name, string description, string noteDescription, Func<PolicyService.PolicyServiceClient, AdminCall, long, string, string, Task<PolicySummary>> take)
    {
        var version = Version();
        var note = Note(noteDescription);
        return AdminCall.Command(name, description, [version], [note], async call =>
        {
            var number = call.Parsed.GetValue(version);
            Print(await take(Client(call), call, number, await EtagAsync(call, number), call.Parsed.GetRequiredValue(note)));
            return 0;
        });
    }

    private static void Print(PolicySummary policy) => Console.Out.WriteLine($"version {policy.Version}: {policy.State}{(policy.Shadow is null ? "" : ", in shadow")}");

    private static PolicyService.PolicyServiceClient Client(AdminCall call) => new(call.Channel);

    /// <summary>Of the version as it is now: who changes it meanwhile wins, and this command is told.</summary>
    private static async Task<string> EtagAsync(AdminCall call, long version) =>
        (await Client(call).GetPolicyAsync(new GetPolicyRequest { Version = version }, call.Headers, cancellationToken: call.Cancellation)).Policy.Etag;

    private static async Task<GetPolicyResponse?> StoredAsync(AdminCall call, string version)
    {
        var number = 0L;
        if (version != ActiveVersion && !long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out number))
        {
            await Console.Error.WriteLineAsync($"{version} is neither a version's number nor '{ActiveVersion}'.");
            return null;
        }
        return await Client(call).GetPolicyAsync(new GetPolicyRequest { Version = number }, call.Headers, cancellationToken: call.Cancellation);
    }

    /// <summary>A document of a file or of the service; null, told on stderr, when there is none that can be read.</summary>
    private static async Task<PolicyDocument?> DocumentAsync(AdminCall call, string named)
    {
        var yaml = System.IO.File.Exists(named) ? await TextAsync(named, call.Cancellation) : (await StoredAsync(call, named))?.Yaml;
        if (yaml is null) return null;
        var document = PolicyReader.Parse(yaml, out var problem);
        if (problem is not null) await Console.Error.WriteLineAsync($"{named}: {problem}");
        return document;
    }

    private static async Task<string?> TextAsync(string path, CancellationToken cancellation)
    {
        try
        {
            return await System.IO.File.ReadAllTextAsync(path, cancellation);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return null;
        }
    }
}
