using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;

namespace SignupGuard.Console.Hosting;

/// <summary>Who sits before the pages of one circuit.</summary>
internal sealed class SignedIn(AuthenticationStateProvider authentication) : CircuitHandler
{
    private string? _name;

    /// <summary>What the service is told as the actor of every call.</summary>
    public string Name => _name ?? throw new InvalidOperationException("Nobody is signed in on this circuit.");

    public override async Task OnCircuitOpenedAsync(Circuit circuit, CancellationToken cancellationToken) =>
        _name = (await authentication.GetAuthenticationStateAsync()).User.Identity?.Name;
}
