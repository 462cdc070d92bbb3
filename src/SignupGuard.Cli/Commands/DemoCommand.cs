using System.Collections.Concurrent;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using SignupGuard.Service;
using SignupGuard.Simulation;
using SignupGuard.V1;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace SignupGuard.Cli.Commands;

/// <summary>
/// <c>signupguard demo</c>: starts everything, screens a stream of ordinary and hostile signups by the real service on a real Postgres while one
/// watches, says what was decided and why, and leaves the service up with the calls to try next.
/// </summary>
internal static class DemoCommand
{

    /// <summary>Signups asked for at once, as an identity service's instances would.</summary>
    private const int CallersAtOnce = 16;

    /// <summary>Times a signup is asked for while the service is busy.</summary>
    private const int AttemptsMax = 10;

    /// <summary>Without a changed decision for so long, the second looks are done.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(30);

    /// <summary>A few operations of some size, rather than many small ones: what a bad day looks like.</summary>
    private static readonly (string Family, double Share)[] Attacks =
        [("hydra", 0.36), ("virtual_bin", 0.16), ("residential_cards", 0.14), ("datacentre_script", 0.12), ("mail_aliases", 0.08), ("device_farm", 0.08), ("programme_abuse", 0.06)];

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create()
    {
        var benign = new Option<int>("--benign") { Description = "Signups of ordinary people; one attack for every four comes on top.", DefaultValueFactory = _ => 2_400 };
        var seed = new Option<ulong>("--seed") { Description = "Of the simulated traffic.", DefaultValueFactory = _ => 7 };
        var exit = new Option<bool>("--exit") { Description = "Stop when the signups are screened, instead of leaving the service up." };
        var json = new Option<bool>("--json") { Description = "Print the results as JSON; implies --exit." };
        var host = new HostOptions();
        var command = new Command("demo", "Start everything, screen simulated signups before your eyes, and leave the service up to try.") { benign, seed, exit, json };
        benign.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 100 or > 1_000_000) result.AddError("--benign is 100 to 1,000,000.");
        });
        host.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var settings = host.Settings(parsed);
            // What the demo screens is invented: it gets a database of its own and leaves nothing behind, unless told where to keep it.
            var temporary = settings.ContainsKey("Embedded:DataFolder") ? null : Directory.CreateTempSubdirectory("signupguard-demo-").FullName;
            if (temporary is not null) settings["Embedded:DataFolder"] = Path.Combine(temporary, "data");
            try
            {
                if (temporary is not null && !OperatingSystem.IsWindows())
                {
                    // Postgres runs as another user where this one is root; it must be able to enter.
                    File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
                }
                var demo = new Demo(parsed.GetValue(json) ? Console.Error : Console.Out);
                return await demo.RunAsync(parsed.GetValue(benign), parsed.GetValue(seed), settings, parsed.GetValue(exit), parsed.GetValue(json), cancellation);
            }
            finally
            {
                if (temporary is not null) Directory.Delete(temporary, recursive: true);
            }
        });
        return command;
    }

    /// <summary>One signup of the demo: the truth, the first answer, and the decision now.</summary>
    private sealed class Entry(SimulatedSignup simulated, Decision first)
    {
        public SimulatedSignup Simulated { get; } = simulated;

        public Decision First { get; } = first;

        public Decision Now { get; set; } = first;
    }

    private sealed class Demo(TextWriter output)
    {
        private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
        private readonly ConcurrentQueue<double> _milliseconds = [];
        private long _changes;
        private long _lastChange = Stopwatch.GetTimestamp();

        public async Task<int> RunAsync(int benign, ulong seed, Dictionary<string, string?> settings, bool exit, bool json, CancellationToken cancellation)
        {
            if (!Console.IsOutputRedirected) _console.Write(new FigletText("SignupGuard"));
            _console.MarkupLine("Starting: a private Postgres, the service, its reference data …");
            var started = Stopwatch.GetTimestamp();
            await using var host = await SignupGuardHost.StartAsync(settings, builder => builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("SignupGuard.Console", LogLevel.Information), cancellation);
            _console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Ready after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s. gRPC on [bold]{host.GrpcAddress}[/], JSON on [bold]{host.HttpAddress}[/].");
            await using var connection = await ServiceConnection.OpenAsync(host.GrpcAddress, settings, cancellation);

            const double days = 2;
            var options = new SimulationOptions
            {
                Seed = seed,
                Benign = benign,
                Days = days,
                Start = DateTimeOffset.UtcNow.AddDays(-days),
                Families = Attacks.ToDictionary(attack => attack.Family, attack => Math.Max(10, (int)(attack.Share * benign / 4))),
            };
            var signups = SimulationRun.Of(options).ToList();
            _console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Screening {signups.Count:N0} signups: two days of {benign:N0} ordinary people, and the attacks among them.");
            using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var watch = WatchAsync(connection.Client, watching.Token);
            started = Stopwatch.GetTimestamp();
            await WithDisplayAsync(signups.Count, () => ScreenAsync(connection.Client, signups, cancellation));
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await SettleAsync(cancellation);
            await watching.CancelAsync();
            await watch;

            if (json) Console.Out.WriteLine(JsonSerializer.Serialize(Summary(signups.Count, seconds), Json));
            else Show(signups.Count, seconds);
            if (exit || json) return 0;
            ShowCalls(host);
            await host.WaitForShutdownAsync(cancellation);
            return 0;
        }

        private Task ScreenAsync(ScreeningService.ScreeningServiceClient client, List<SimulatedSignup> signups, CancellationToken cancellation) =>
            Parallel.ForEachAsync(signups, new ParallelOptions { MaxDegreeOfParallelism = CallersAtOnce, CancellationToken = cancellation }, async (simulated, stop) =>
            {
                var asked = Stopwatch.GetTimestamp();
                var answer = await AskAsync(client, simulated.Signup, stop);
                _milliseconds.Enqueue(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
                _entries[simulated.Signup.SignupId] = new Entry(simulated, answer.Decision);
            });

        /// <summary>As a careful caller does: what could not be decided in time is asked again, under the same id.</summary>
        private static async Task<ScreenSignupResponse> AskAsync(ScreeningService.ScreeningServiceClient client, Signup signup, CancellationToken cancellation)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await client.ScreenSignupAsync(new ScreenSignupRequest { Signup = signup }, cancellationToken: cancellation);
                }
                catch (RpcException passing) when (passing.StatusCode is StatusCode.Unavailable or StatusCode.ResourceExhausted && attempt < AttemptsMax)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100 * attempt), cancellation);
                }
            }
        }

        private async Task WatchAsync(ScreeningService.ScreeningServiceClient client, CancellationToken cancellation)
        {
            var early = new List<DecisionChange>();
            try
            {
                using var watch = client.WatchDecisions(new WatchDecisionsRequest { ChangesOnly = true }, cancellationToken: cancellation);
                while (await watch.ResponseStream.MoveNext(cancellation))
                {
                    if (watch.ResponseStream.Current.Change is { } change) early.Add(change);
                    // A change may overtake the first answer on its way here.
                    early.RemoveAll(Apply);
                }
            }
            catch (Exception failure) when (cancellation.IsCancellationRequested && failure is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
            {
                early.RemoveAll(Apply);
            }
        }

        private bool Apply(DecisionChange change)
        {
            if (!_entries.TryGetValue(change.SignupId, out var entry)) return false;
            entry.Now = change.Decision;
            Interlocked.Increment(ref _changes);
            Volatile.Write(ref _lastChange, Stopwatch.GetTimestamp());
            return true;
        }

        private async Task SettleAsync(CancellationToken cancellation)
        {
            var from = Stopwatch.GetTimestamp();
            Volatile.Write(ref _lastChange, from);
            while (Stopwatch.GetElapsedTime(Volatile.Read(ref _lastChange)) < Quiet && Stopwatch.GetElapsedTime(from) < QuietMax) await Task.Delay(100, cancellation);
        }

        private async Task WithDisplayAsync(int total, Func<Task> run)
        {
            if (Console.IsOutputRedirected || output == Console.Error)
            {
                await run();
                return;
            }
            var running = run();
            await _console.Live(Progress(total)).StartAsync(async context =>
            {
                while (!running.IsCompleted)
                {
                    context.UpdateTarget(Progress(total));
                    await Task.WhenAny(running, Task.Delay(100));
                }
                context.UpdateTarget(Progress(total));
            });
            await running;
        }

        private Rows Progress(int total)
        {
            var entries = _entries.Values.ToList();
            var done = entries.Count;
            return new Rows(
                new BreakdownChart().Width(80)
                    .AddItem("allow", entries.Count(entry => entry.Now.Verdict == Verdict.Allow), Color.Green)
                    .AddItem("review", entries.Count(entry => entry.Now.Verdict == Verdict.Review), Color.Yellow)
                    .AddItem("deny", entries.Count(entry => entry.Now.Verdict == Verdict.Deny), Color.Red)
                    .AddItem("to come", total - done, Color.Grey),
                new Markup(string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {total:N0} screened, {Interlocked.Read(ref _changes):N0} decided again because their network showed")));
        }

        private void Show(int total, double seconds)
        {
            var sorted = _milliseconds.Order().ToList();
            _console.WriteLine();
            _console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{total:N0} signups in {seconds:0.0} s with {CallersAtOnce} callers at once; every answer was on the disk before it was given. Half came within {sorted[sorted.Count / 2]:0.0} ms, 99 % within {sorted[(int)(sorted.Count * 0.99)]:0.0} ms (this machine did the asking, too).");
            _console.Write(Groups("What was decided, by who it really was (the service never sees this)"));
            _console.Write(Reasons());
            if (_entries.Values.Where(entry => entry.Simulated.Fraud && entry.Now.Verdict == Verdict.Deny).MaxBy(entry => entry.Now.Reasons.Count(reason => reason.Path.Count > 0)) is { } example) _console.Write(Example(example));
        }

        private Table Groups(string title)
        {
            var table = new Table().Title(title).AddColumns("", "signups", "allow", "review", "deny", "decided again");
            for (var i = 1; i < 6; i++) table.Columns[i].RightAligned();
            foreach (var fraud in (bool[])[false, true])
            {
                if (fraud) table.AddEmptyRow();
                foreach (var group in _entries.Values.Where(entry => entry.Simulated.Fraud == fraud).GroupBy(entry => entry.Simulated.Group).OrderByDescending(group => group.Count()))
                {
                    var all = group.ToList();
                    table.AddRow(
                        fraud ? $"attack: {group.Key.Replace('_', ' ')}" : group.Key.Replace('_', ' '), Number(all.Count), Verdicts(all, Verdict.Allow, fraud ? "red" : "green"), Verdicts(all, Verdict.Review, "yellow"),
                        Verdicts(all, Verdict.Deny, fraud ? "green" : "red"), Number(all.Count(entry => entry.Now.Verdict != entry.First.Verdict)));
                }
            }
            return table;

            static string Verdicts(List<Entry> entries, Verdict verdict, string colour) =>
                entries.Count(entry => entry.Now.Verdict == verdict) is var count && count == 0 ? "" : $"[{colour}]{Number(count)}[/]";
        }

        private Table Reasons()
        {
            var table = new Table().Title("Why: the commonest reasons behind reviews and denials").AddColumns("reason", "signups", "what it says");
            table.Columns[1].RightAligned();
            foreach (var reason in Flagged().SelectMany(entry => entry.Now.Reasons.Where(reason => reason.Contribution >= 0).DistinctBy(reason => reason.Code)).GroupBy(reason => reason.Code).OrderByDescending(group => group.Count()).Take(12))
                table.AddRow(Markup.Escape(reason.Key), Number(reason.Count()), Markup.Escape(Sentence(reason.First())));
            return table;

            // Of a key's reason the text counts accounts, which differ.
            static string Sentence(Reason reason) => reason.Path.Count > 0 && !reason.Code.EndsWith("_BURST", StringComparison.Ordinal) ? $"More accounts share one {reason.Path[0].KeyKind.Replace("+", " and ", StringComparison.Ordinal).Replace('_', ' ')} than chance allows." : reason.Text;
        }

        private static Panel Example(Entry entry)
        {
            var lines = new List<IRenderable>
            {
                new Markup(string.Create(CultureInfo.InvariantCulture, $"first [bold]{Word(entry.First.Verdict)}[/] at {entry.First.Score:0.0}, now [bold]{Word(entry.Now.Verdict)}[/] at {entry.Now.Score:0.0} (revision {entry.Now.Revision})")),
            };
            foreach (var reason in entry.Now.Reasons.Take(8))
            {
                lines.Add(new Markup(string.Create(CultureInfo.InvariantCulture, $"{reason.Contribution,6:+0.0;-0.0; 0.0}  {Markup.Escape(reason.Code)}  [grey]{Markup.Escape(reason.Text)}[/]")));
                foreach (var step in reason.Path)
                {
                    var expected = step.HasExpected ? string.Create(CultureInfo.InvariantCulture, $", {step.Expected:0.0} expected") : "";
                    lines.Add(new Markup($"        [grey]key {step.KeyRef}: {step.Accounts} accounts{expected}; among them {string.Join(", ", step.SignupIds.Take(2))}[/]"));
                }
            }
            if (entry.Now.Cluster is { } cluster) lines.Add(new Markup($"        [grey]network {cluster.ClusterId}: {cluster.Size} accounts, {cluster.KeyGroups} groups of keys[/]"));
            return new Panel(new Rows(lines)).Header($" one of them: {entry.Simulated.Signup.SignupId} ({entry.Simulated.Group.Replace('_', ' ')}) ").Expand();
        }

        private void ShowCalls(SignupGuardHost host)
        {
            var denied = Flagged().FirstOrDefault(entry => entry.Now.Verdict == Verdict.Deny)?.Simulated.Signup.SignupId ?? _entries.Keys.First();
            _console.WriteLine();
            _console.MarkupLine("[bold]The service is up.[/] Try, in another terminal (Ctrl+C here stops it):");
            output.WriteLine();
            if (host.ConsoleSignInLink is { } console) output.WriteLine($"  {console}   the console, in a browser (the link works once)");
            output.WriteLine($"  curl -s {host.HttpAddress}v1/decisions/{denied}");
            output.WriteLine($"  curl -s {host.HttpAddress}v1/signups:screen -d '{{\"signup\":{{\"signupId\":\"mine-1\",\"occurredAt\":\"{DateTimeOffset.UtcNow:yyyy-MM-dd'T'HH:mm:ss'Z'}\",\"email\":{{\"address\":\"ada@example.org\"}}}}}}'");
            output.WriteLine($"  grpcurl -plaintext {host.GrpcAddress.Authority} list");
            output.WriteLine($"  grpcurl -plaintext -d '{{\"changesOnly\":true}}' {host.GrpcAddress.Authority} signupguard.v1.ScreeningService/WatchDecisions");
            output.WriteLine();
        }

        private object Summary(int total, double seconds) => new
        {
            Signups = total,
            Seconds = Math.Round(seconds, 2),
            DecidedAgain = Interlocked.Read(ref _changes),
            Groups = _entries.Values.GroupBy(entry => entry.Simulated.Group).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new
            {
                Group = group.Key,
                group.First().Simulated.Fraud,
                Signups = group.Count(),
                Allow = group.Count(entry => entry.Now.Verdict == Verdict.Allow),
                Review = group.Count(entry => entry.Now.Verdict == Verdict.Review),
                Deny = group.Count(entry => entry.Now.Verdict == Verdict.Deny),
                FirstAllow = group.Count(entry => entry.First.Verdict == Verdict.Allow),
            }),
            Reasons = Flagged().SelectMany(entry => entry.Now.Reasons.Select(reason => reason.Code).Distinct()).GroupBy(code => code).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new { Code = group.Key, Signups = group.Count() }),
        };

        private IEnumerable<Entry> Flagged() => _entries.Values.Where(entry => entry.Now.Verdict != Verdict.Allow).OrderBy(entry => entry.Simulated.Signup.SignupId, StringComparer.Ordinal);

        private static string Word(Verdict verdict) => verdict.ToString().ToLowerInvariant();

        private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
    }
}
