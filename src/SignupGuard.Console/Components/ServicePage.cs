using Grpc.Core;
using Microsoft.AspNetCore.Components;
using MudBlazor;
using SignupGuard.Console.Hosting;

namespace SignupGuard.Console.Components;

/// <summary>A page that asks the service. Refusals are shown where they happened and end nothing; calls end with the page.</summary>
public abstract class ServicePage : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly List<IDisposable> _handlings = [];

    [Inject] private protected ServiceClients Service { get; set; } = null!;

    [Inject] private protected Keyboard Keyboard { get; set; } = null!;

    [Inject] private protected SignedIn SignedIn { get; set; } = null!;

    [Inject] protected NavigationManager Navigation { get; set; } = null!;

    [Inject] protected IDialogService Dialogs { get; set; } = null!;

    [Inject] protected ISnackbar Snackbar { get; set; } = null!;

    /// <summary>What the service refused last; null when the last call went well.</summary>
    protected string? Fault { get; private set; }

    /// <summary>A call is on its way.</summary>
    protected bool Busy { get; private set; }

    /// <summary>Cancelled when the page is left.</summary>
    protected CancellationToken Gone => _gone.Token;

    /// <summary>Calls the service and shows what it refuses.</summary>
    /// <returns>Whether it went well.</returns>
    protected async Task<bool> AskAsync(Func<Task> calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        Busy = true;
        try
        {
            await calls();
            Fault = null;
            return true;
        }
        catch (RpcException refusal) when (!Gone.IsCancellationRequested)
        {
            Fault = Refusals.Words(refusal);
            return false;
        }
        catch (Exception ended) when (Gone.IsCancellationRequested && ended is OperationCanceledException or RpcException)
        {
            return false;
        }
        finally
        {
            Busy = false;
        }
    }

    /// <summary>Reacts to keys while the page is there.</summary>
    protected void OnKeys(Func<string, Task> pressed) => _handlings.Add(Keyboard.Handle(async key =>
    {
        await InvokeAsync(async () =>
        {
            await pressed(key);
            StateHasChanged();
        });
    }));

    /// <summary>Repeats until the page is left; what fails is shown and tried again.</summary>
    protected async Task RepeatAsync(TimeSpan every, Func<Task> turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        using var timer = new PeriodicTimer(every);
        try
        {
            while (await timer.WaitForNextTickAsync(Gone))
            {
                await InvokeAsync(async () =>
                {
                    await turn();
                    StateHasChanged();
                });
            }
        }
        catch (OperationCanceledException) when (Gone.IsCancellationRequested)
        {
            // Left.
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var handling in _handlings) handling.Dispose();
        _gone.Cancel();
        _gone.Dispose();
    }
}
