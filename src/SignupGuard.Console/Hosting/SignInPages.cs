using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using SignupGuard.Console.Components;

namespace SignupGuard.Console.Hosting;

/// <summary>Signing in by the printed link, and signing out.</summary>
internal static class SignInPages
{
    public const string Path = "/sign-in";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (string? code, string? to) => Page(code, to, null)).AllowAnonymous();
        routes.MapPost(Path, SignInAsync).AllowAnonymous();
        // Without a token against forgery: the cookie is not sent along from other sites, and all one could do is to sign somebody out.
        routes.MapPost("/sign-out", (Delegate)SignOutAsync).DisableAntiforgery();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, SignInLinks links, [FromForm] string? code, [FromForm] string? name, [FromForm] string? to)
    {
        var person = name?.Trim() ?? "";
        if (!SignInLinks.IsName(person)) return Page(code, to, $"A name has 1 to {SignInLinks.NameCharactersMax} letters, digits and signs of ASCII, and no comma.");
        if (!links.TryUse(code?.Trim() ?? "")) return Page(null, to, "This code does not work, or not any more: each works once. The next one stands in the service's log.");
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, person)], CookieAuthenticationDefaults.AuthenticationScheme);
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
        return Results.LocalRedirect(IsLocal(to) ? to! : "/");
    }

    private static async Task<IResult> SignOutAsync(HttpContext context)
    {
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect(Path);
    }

    private static RazorComponentResult<SignIn> Page(string? code, string? to, string? fault) =>
        new(new Dictionary<string, object?> { [nameof(SignIn.Code)] = code, [nameof(SignIn.To)] = to, [nameof(SignIn.Fault)] = fault })
        {
            StatusCode = fault is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest,
            PreventStreamingRendering = true,
        };

    private static bool IsLocal(string? address) =>
        address is ['/', ..] and not ['/', '/', ..] && !address.Contains('\\', StringComparison.Ordinal) && !address.Any(char.IsControl);
}
