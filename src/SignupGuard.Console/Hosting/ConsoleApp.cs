using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using MudBlazor.Services;
using SignupGuard.Console.Components;

namespace SignupGuard.Console.Hosting;

/// <summary>
/// The console's web server: a port, a container and a pipeline of its own in the service's process, so that nothing of the pages (sessions, cookies,
/// antiforgery) lies on the path of a signup, and nothing of the API answers on the pages' port. It reaches the service by its contract alone.
/// </summary>
public sealed class ConsoleApp : IAsyncDisposable
{
    /// <summary>A working day; then one signs in again.</summary>
    private static readonly TimeSpan SessionTime = TimeSpan.FromHours(12);

    /// <summary>Room for a policy's document (1,000,000 characters) in one message of the browser.</summary>
    private const int BrowserMessageBytesMax = 4 * 1024 * 1024;

    /// <summary>Scripts and all else from this server only; styles inline, for the component library writes its theme so. No page may be framed.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    private readonly WebApplication _app;

    private ConsoleApp(WebApplication app, IPEndPoint endpoint)
    {
        _app = app;
        EndPoint = endpoint;
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Where to sign in, once; another after each use.</summary>
    public Uri SignInLink => _app.Services.GetRequiredService<SignInLinks>().Current;

    /// <summary>Starts to serve pages.</summary>
    /// <param name="port">0: any free one.</param>
    /// <param name="service">Reaches the service the pages are of.</param>
    /// <param name="logs">Where the host logs.</param>
    public static async Task<ConsoleApp> StartAsync(IPAddress address, int port, CallInvoker service, ILoggerFactory logs, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = typeof(ConsoleApp).Assembly.GetName().Name });
        // The host has read files and environment; nothing of them is this server's.
        builder.Configuration.Sources.Clear();
        builder.Services.Replace(ServiceDescriptor.Singleton(logs));
        ListenOptions? listening = null;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address, port, endpoint => (listening = endpoint).Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(service);
        AddPages(builder.Services);
        var app = builder.Build();
        try
        {
            Map(app);
            await app.StartAsync(cancellation);
            var endpoint = listening!.IPEndPoint!;
            app.Services.GetRequiredService<SignInLinks>().Open(ForThisMachine(endpoint));
            return new ConsoleApp(app, endpoint);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private static void AddPages(IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents().AddHubOptions(options => options.MaximumReceiveMessageSize = BrowserMessageBytesMax);
        services.AddMudServices(options => options.SnackbarConfiguration.PositionClass = MudBlazor.Defaults.Classes.Position.BottomRight);
        // Keys live with the process: a restart asks people to sign in again.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        // Whoever brings another way to sign in (OpenID Connect) changes this scheme's challenge and drops the sign-in page; all else asks for the principal's name.
        services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options =>
        {
            options.Cookie.Name = "signupguard-console";
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.ExpireTimeSpan = SessionTime;
            options.SlidingExpiration = true;
            options.LoginPath = SignInPages.Path;
            options.ReturnUrlParameter = "to";
        });
        services.AddAuthorization(options => options.FallbackPolicy = options.DefaultPolicy);
        services.AddCascadingAuthenticationState();
        services.AddScoped<SignedIn>();
        services.AddScoped<CircuitHandler>(provider => provider.GetRequiredService<SignedIn>());
        services.AddScoped<ServiceClients>();
        services.AddScoped<Keyboard>();
        services.AddScoped<QueueView>();
        services.AddScoped<SearchView>();
        services.AddSingleton<SignInLinks>();
    }

    /// <summary>The loopback address where the server listens on all.</summary>
    private static Uri ForThisMachine(IPEndPoint endpoint)
    {
        var address = endpoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : endpoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : endpoint.Address;
        return new Uri($"http://{new IPEndPoint(address, endpoint.Port)}");
    }

    private static void Map(WebApplication app)
    {
        app.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            // Pages are of one person.
            headers.CacheControl = "no-store";
            return next(context);
        });
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        ConsoleAssets.Map(app);
        SignInPages.Map(app);
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(options => options.ContentSecurityFrameAncestorsPolicy = null);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
