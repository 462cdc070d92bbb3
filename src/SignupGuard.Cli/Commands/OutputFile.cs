namespace SignupGuard.Cli.Commands;

/// <summary>
/// What a command writes: a file that is whole under its name or not there, for half a file must not pass for all; or the standard output; or what
/// already lies at the path and is no ordinary file (a device, a pipe), which is written to and never replaced.
/// </summary>
internal sealed class OutputFile : IAsyncDisposable
{
    /// <summary>Names the standard output, and where a command reads the standard input.</summary>
    public const string StandardStream = "-";

    private const string Devices = "/dev/";

    private readonly string _path;
    private readonly string? _unfinished;

    private OutputFile(string path, string? unfinished, Stream content)
    {
        _path = path;
        _unfinished = unfinished;
        Content = content;
    }

    public Stream Content { get; }

    /// <param name="path">- for the standard output.</param>
    /// <param name="ownerOnly">Only this user may read the file.</param>
    /// <exception cref="IOException">It can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write it.</exception>
    public static OutputFile Create(string path, bool ownerOnly = false)
    {
        if (path == StandardStream) return new OutputFile(path, null, Console.OpenStandardOutput());
        if (Special(path) is { } special) return new OutputFile(path, null, special);
        var unfinished = path + ".unfinished";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (ownerOnly && !OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new OutputFile(path, unfinished, new FileStream(unfinished, options));
    }

    /// <summary>All is written: from now on it is there under its name.</summary>
    public async Task FinishAsync()
    {
        await Content.DisposeAsync();
        if (_unfinished is not null) File.Move(_unfinished, _path, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        await Content.DisposeAsync();
        if (_unfinished is not null) File.Delete(_unfinished);
    }

    /// <summary>The runtime does not tell devices from files; they lie in one folder, and pipes elsewhere can't be sought in.</summary>
    private static FileStream? Special(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path)) return null;
        var there = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        if (!there.CanSeek || Path.GetFullPath(path).StartsWith(Devices, StringComparison.Ordinal)) return there;
        there.Dispose();
        return null;
    }
}
