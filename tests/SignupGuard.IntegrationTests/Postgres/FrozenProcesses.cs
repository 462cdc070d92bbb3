using System.Globalization;
using SignupGuard.Service.Embedded;

namespace SignupGuard.IntegrationTests.Postgres;

/// <summary>A process and its children, stopped until disposed.</summary>
internal sealed class FrozenProcesses : IDisposable
{
    // Linux; these two have other numbers elsewhere.
    private const int Stop = 19;
    private const int Continue = 18;

    private readonly List<int> _processes = [];

    public FrozenProcesses(int root)
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Freezing a server is done by Linux's signal numbers and /proc.");
        // The parent first, so that it starts no more children.
        Freeze(root);
        foreach (var child in Children(root)) Freeze(child);
    }

    private void Freeze(int process)
    {
        UnixSignal.Send(process, Stop);
        _processes.Add(process);
    }

    private static List<int> Children(int parent) =>
        Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process) ? process : 0)
            .Where(process => process > 0 && Parent(process) == parent)
            .ToList();

    private static int Parent(int process)
    {
        try
        {
            var status = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("PPid:", StringComparison.Ordinal));
            return int.Parse(status["PPid:".Length..], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return 0;
        }
    }

    public void Dispose()
    {
        foreach (var process in _processes) UnixSignal.Send(process, Continue);
        _processes.Clear();
    }
}
