using MudBlazor;
using SignupGuard.V1;

namespace SignupGuard.Console.Components;

/// <summary>A page about one signup.</summary>
public abstract class SignupPageBase : ServicePage
{
    /// <summary>Shows what was sent, personal data and all, once the person said why.</summary>
    protected async Task RevealAsync(string signupId)
    {
        if (await ReasonDialog.AskAsync(Dialogs, "Show the request with personal data", "Show", "Why; this goes to the audit", required: true) is not { } reason) return;
        RevealSignupResponse? revealed = null;
        if (!await AskAsync(async () => revealed = await Service.Reviews.RevealSignupAsync(new RevealSignupRequest { SignupId = signupId, Reason = reason }, cancellationToken: Gone))) return;
        await Dialogs.ShowAsync<RevealDialog>("The request as it was sent", new DialogParameters<RevealDialog> { { shown => shown.Revealed, revealed! } }, new DialogOptions
        {
            CloseOnEscapeKey = true,
            FullWidth = true,
            MaxWidth = MaxWidth.Medium,
        });
    }
}
