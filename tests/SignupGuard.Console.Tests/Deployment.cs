using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service;
using SignupGuard.Simulation;

namespace SignupGuard.Console.Tests;

/// <summary>
/// One host with its pages, one database, one browser for all tests, over simulated traffic: ordinary people, and campaigns whose networks the service
/// found by itself. Started by the first test that asks.
/// </summary>
[SetUpFixture]
public sealed class Deployment
{
    private const int CallersAtOnce = 32;

    private static readonly TimeSpan SettleTimeMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan QuietTime = TimeSpan.FromSeconds(1.5);
    private static readonly string Key = Convert.ToBase64String(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray());
    private static readonly Lazy<Task<Deployment>> Started = new(StartAsync);

    private readonly Dictionary<string, string> _sessions = [];
    private TestPostgres? _postgres;
    private TestDatabase? _database;
    private SignupGuardHost? _host;
    private GrpcChannel? _channel;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public static Task<Deployment> GetAsync() => Started.Value;

    /// <summary>Whom pages asked for anything but this host. Stays empty.</summary>
    public ConcurrentQueue<string> ForeignRequests { get; } = new();

    /// <summary>What browsers complained of: faults of scripts, refusals by the content security policy. Stays empty.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    public Uri Console => _host!.ConsoleAddress!;

    public Uri SignInLink => _host!.ConsoleSignInLink!;

    public IBrowser Browser => _browser!;

    public ScreeningService.ScreeningServiceClient Screening => new(_channel!);

    public PolicyService.PolicyServiceClient Policies => new(_channel!);

    public ReviewService.ReviewServiceClient Reviews => new(_channel!);

    /// <summary>What was screened, with who it really was.</summary>
    public IReadOnlyList<SimulatedSignup> Signups { get; private set; } = [];

    public static Metadata As(string name) => new() { { "signupguard-actor", name } };

    /// <summary>A browser window of someone who signed in, the first time by the link that works once, later with the cookie they were given.</summary>
    public async Task<IPage> SignInAsync(string name, ColorScheme colours = ColorScheme.Light, int width = 1280, int height = 860)
    {
        var known = _sessions.TryGetValue(name, out var session);
        var context = await NewContextAsync(colours, width, height, session);
        var page = await context.NewPageAsync();
        if (known)
        {
            await page.GotoAsync("/");
        }
        else
        {
            await page.GotoAsync(SignInLink.ToString());
            await page.GetByLabel("Your name").FillAsync(name);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        }
        await page.Locator("header.top").WaitForAsync();
        _sessions[name] = await context.StorageStateAsync();
        return page;
    }

    public async Task<IBrowserContext> NewContextAsync(ColorScheme colours = ColorScheme.Light, int width = 1280, int height = 860, string? session = null)
    {
        var context = await Browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = Console.ToString(),
            ColorScheme = colours,
            StorageState = session,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new ViewportSize
            {
                Width = width,
                Height = height,
            },
        });
        context.SetDefaultTimeout(20_000);
        context.Request += (_, request) =>
        {
            var address = new Uri(request.Url);
            if (address.Scheme is not ("data" or "blob") && address.Authority != Console.Authority) ForeignRequests.Enqueue(request.Url);
        };
        context.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("the server responded with a status of", StringComparison.Ordinal)) Complaints.Enqueue(message.Text);
        };
        context.WebError += (_, error) => Complaints.Enqueue(error.Error);
        return context;
    }

    /// <summary>The largest network the service found.</summary>
    public async Task<(long ClusterId, string CaseId, long Signups)> LargestNetworkAsync()
    {
        var request = new ListCasesRequest { Order = CaseOrder.Size, States = { CaseState.Open, CaseState.Escalated, CaseState.Denied }, PageSize = 1 };
        var largest = (await Reviews.ListCasesAsync(request)).Cases.Single();
        return (largest.ClusterId, largest.CaseId, largest.Signups);
    }

    /// <summary>A signup that is flagged for nothing it shares with anybody.</summary>
    public async Task<Case> LonelyCaseAsync()
    {
        var cases = await Reviews.ListCasesAsync(new ListCasesRequest { States = { CaseState.Open }, PageSize = 500 });
        return cases.Cases.First(one => !one.HasClusterId && one.ClaimedBy.Length == 0);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (!Started.IsValueCreated) return;
        var running = await Started.Value;
        if (running._browser is not null) await running._browser.DisposeAsync();
        running._playwright?.Dispose();
        running._channel?.Dispose();
        if (running._host is not null) await running._host.DisposeAsync();
        if (running._database is not null) await running._database.DisposeAsync();
        if (running._postgres is not null) await running._postgres.DisposeAsync();
    }

    private static async Task<Deployment> StartAsync()
    {
        var deployment = new Deployment();
        deployment._postgres = await TestPostgres.StartOwnAsync(durable: false);
        deployment._database = await deployment._postgres.NewDatabaseAsync();
        deployment._host = await SignupGuardHost.StartAsync(
            new Dictionary<string, string?>
            {
                ["ConnectionStrings:SignupGuard"] = deployment._database.ConnectionString,
                ["Secrets:LinkKey"] = Key,
                ["Secrets:FactsKey"] = Key,
                // A busy machine must not look like a slow collector.
                ["Signals:DeadlineMilliseconds"] = "5000",
                ["Listen:GrpcPort"] = "0",
                ["Listen:HttpPort"] = "0",
                ["Listen:ConsolePort"] = "0",
            },
            builder => builder.Logging.ClearProviders());
        deployment._channel = GrpcChannel.ForAddress(deployment._host.GrpcAddress);
        deployment._playwright = await Playwright.CreateAsync();
        deployment._browser = await deployment._playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium(),
            // Tests run as root in a container; what they open is ours.
            Args = ["--no-sandbox", "--disable-dev-shm-usage"],
        });
        Assertions.SetDefaultExpectTimeout(20_000);
        await deployment.ScreenAsync();
        return deployment;
    }

    /// <summary>The distribution's browser: the tests download none.</summary>
    private static string Chromium() =>
        new[] { Environment.GetEnvironmentVariable("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("These tests need Chromium (apt-get install chromium, or its path in CHROMIUM).");

    private async Task ScreenAsync()
    {
        Signups = SimulationRun.Of(new SimulationOptions
        {
            Seed = 11,
            Benign = 500,
            Days = 2,
            Start = DateTimeOffset.UtcNow.AddDays(-2),
            Families = new Dictionary<string, int>
            {
                ["hydra"] = 130,
                ["residential_cards"] = 40,
                ["datacentre_script"] = 40,
                ["mail_aliases"] = 20,
            },
        }).ToList();
        await Parallel.ForEachAsync(
            Signups,
            new ParallelOptions { MaxDegreeOfParallelism = CallersAtOnce },
            async (simulated, cancellation) => await Screening.ScreenSignupAsync(new ScreenSignupRequest { Signup = simulated.Signup }, cancellationToken: cancellation));
        await SettleAsync();
    }

    /// <summary>Until networks and cases stand still.</summary>
    public async Task SettleAsync()
    {
        var until = DateTime.UtcNow + SettleTimeMax;
        var quietSince = DateTime.UtcNow;
        var last = "";
        while (DateTime.UtcNow - quietSince < QuietTime)
        {
            if (DateTime.UtcNow > until) throw new TimeoutException("Networks and cases did not come to rest.");
            var cases = await Reviews.ListCasesAsync(new ListCasesRequest { States = { CaseState.Open, CaseState.Denied }, PageSize = 500 });
            var now = string.Join(' ', cases.Cases.Select(one => $"{one.CaseId}/{one.Etag}"));
            if (now != last) quietSince = DateTime.UtcNow;
            last = now;
            await Task.Delay(100);
        }
    }
}
