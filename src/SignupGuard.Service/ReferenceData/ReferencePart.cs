using System.Collections.Concurrent;
using System.Globalization;

namespace SignupGuard.Service.ReferenceData;

/// <summary>State of one part of the reference data.</summary>
public enum ReferencePartState
{
    /// <summary>No file; what depends on it is missing.</summary>
    Missing,
    Loaded,

    /// <summary>A changed file was refused; the data from before is still used.</summary>
    KeptPrevious,

    /// <summary>The file was refused and there is nothing from before.</summary>
    Broken,
}

/// <summary>One part as the host shows it at start and in its health.</summary>
/// <param name="Built">When the data was built, if the data says so.</param>
/// <param name="Problem">Why a file was refused; without personal data.</param>
public sealed record ReferencePartStatus(string Name, ReferencePartState State, string? Version, DateTimeOffset? Built, bool Stale, string? Problem);

/// <summary>
/// One part of the reference data with the files it comes from. A refresh reads them only when they changed, and a file that can't be
/// read leaves the value as it was.
/// </summary>
/// <param name="shared">
/// Whether services in one process use one copy of the same files (the tests start many): for immutable data that takes long to read.
/// </param>
internal sealed class ReferencePart<T>(string name, Func<IReadOnlyList<string>> files, Func<IReadOnlyList<string>, T> load, bool shared = false)
    where T : class
{
    // Weak: what no service holds any longer goes.
    private static readonly ConcurrentDictionary<string, WeakReference<T>> Copies = new(StringComparer.Ordinal);

    private List<(string File, DateTime Written, long Length)>? _seen;

    public string Name => name;

    public T? Value { get; private set; }

    public ReferencePartState State { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>Reads the files if they changed since the last look. True when the value changed.</summary>
    public bool Refresh(ILogger logger)
    {
        List<(string, DateTime, long)> now;
        try
        {
            now = [.. files().Select(file => new FileInfo(file)).Select(info => (info.FullName, info.LastWriteTimeUtc, info.Length))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there (FileInfo.Length throws), or being replaced right now: as if nothing had been found.
            now = [];
        }
        if (_seen is not null && now.SequenceEqual(_seen)) return false;
        _seen = now;
        if (now.Count == 0)
        {
            // Files that went away during an update come back; a value is not dropped for it.
            if (Value is not null) Keep(logger, "the file is gone");
            return false;
        }
        try
        {
            Value = shared ? Shared(now) : load([.. now.Select(file => file.Item1)]);
            State = ReferencePartState.Loaded;
            Problem = null;
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Any fault of a file, whatever reader finds it, must leave the service running on what it has.
            Keep(logger, e.Message);
            return false;
        }
    }

    private T Shared(List<(string File, DateTime Written, long Length)> files)
    {
        var key = string.Join('\n', files.Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.File}|{file.Written.Ticks}|{file.Length}")));
        if (Copies.TryGetValue(key, out var copy) && copy.TryGetTarget(out var value)) return value;
        value = load([.. files.Select(file => file.File)]);
        Copies[key] = new WeakReference<T>(value);
        return value;
    }

    private void Keep(ILogger logger, string problem)
    {
        State = Value is null ? ReferencePartState.Broken : ReferencePartState.KeptPrevious;
        Problem = problem;
        ReferenceDataLog.Refused(logger, name, State, problem);
    }
}

internal static partial class ReferenceDataLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Reference data '{Part}' was refused ({State}): {Problem}")]
    public static partial void Refused(ILogger logger, string part, ReferencePartState state, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "The folder {Folder} could not be searched for {Pattern}: {Problem}")]
    public static partial void NoFolder(ILogger logger, string folder, string pattern, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "Reference data reloaded: {Parts}")]
    public static partial void Reloaded(ILogger logger, string parts);

    [LoggerMessage(Level = LogLevel.Information, Message = "Reference data: {Parts}")]
    public static partial void Loaded(ILogger logger, string parts);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reference data missing: {Parts}. The signals that need it are missing; build with npm at hand restores it (docs/reference-data.md).")]
    public static partial void Missing(ILogger logger, string parts);
}
