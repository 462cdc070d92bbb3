using Microsoft.JSInterop;

namespace SignupGuard.Console.Components;

/// <summary>
/// Keys pressed on a page outside its fields and dialogs, and what the browser keeps for the person. One per circuit. Keys after "g" come as "g q";
/// those with a modifier stay the browser's.
/// </summary>
internal sealed class Keyboard : IAsyncDisposable
{
    public static readonly (string Key, string What)[] Known =
    [
        ("?", "these keys"),
        ("/", "to the filter"),
        ("g p", "policies"),
        ("g a", "audit"),
    ];

    private readonly List<Func<string, Task>> _handlers = [];
    private IJSObjectReference? _module;
    private DotNetObjectReference<Keyboard>? _reference;

    public async Task StartAsync(IJSRuntime js)
    {
        _module = await js.InvokeAsync<IJSObjectReference>("import", Hosting.ConsoleAssets.Address("console.js"));
        _reference = DotNetObjectReference.Create(this);
        await _module.InvokeVoidAsync("listen", _reference);
    }

    /// <summary>What the person chose, else what their system prefers.</summary>
    public ValueTask<bool> DarkAsync() => Module.InvokeAsync<bool>("dark");

    public ValueTask KeepDarkAsync(bool dark) => Module.InvokeVoidAsync("keepDark", dark);

    public Task FocusAsync(string id) => Module.InvokeVoidAsync("focus", id).AsTask();

    /// <summary>Brings an element into view, if it is there.</summary>
    public Task ShowAsync(string id) => Module.InvokeVoidAsync("show", id).AsTask();

    /// <summary>Hands a text to the browser as a file.</summary>
    public Task SaveAsync(string name, DotNetStreamReference content) => Module.InvokeVoidAsync("save", name, content).AsTask();

    /// <summary>Calls for each key until disposed; the latest first to come is called first.</summary>
    public IDisposable Handle(Func<string, Task> handler)
    {
        _handlers.Add(handler);
        return new Handling(() => _handlers.Remove(handler));
    }

    [JSInvokable]
    public async Task Pressed(string key)
    {
        foreach (var handler in _handlers.ToArray()) await handler(key);
    }

    private IJSObjectReference Module => _module ?? throw new InvalidOperationException("The layout starts the keyboard before any page.");

    public async ValueTask DisposeAsync()
    {
        _reference?.Dispose();
        try
        {
            if (_module is not null) await _module.DisposeAsync();
        }
        catch (JSDisconnectedException)
        {
            // The page has gone, and its script with it.
        }
    }

    private sealed class Handling(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
