using System.Globalization;

namespace SignupGuard.Service.Embedded;

/// <summary>One host per data folder. The kernel lets go of the lock when the host dies, however it dies.</summary>
internal sealed class DataFolderLock : IDisposable
{
    private const string FileName = "lock";

    /// <summary>Names the holder; a file of its own, for nobody else can open the locked one.</summary>
    private const string HolderFileName = "host.pid";

    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <exception cref="EmbeddedPostgresException">Another host has the folder.</exception>
    public static DataFolderLock Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new EmbeddedPostgresException($"The data folder {folder} belongs to another user. Start as that user, or choose another data folder.", failure);
        }
        catch (IOException failure)
        {
            throw new EmbeddedPostgresException(
                $"The data folder {folder} is in use by another SignupGuard{Holder(folder)}. Stop that one, or give this one a data folder of its own; to run several on one database, point them at it with ConnectionStrings__SignupGuard.",
                failure);
        }
        try
        {
            File.WriteAllText(Path.Combine(folder, HolderFileName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw new EmbeddedPostgresException($"The data folder {folder} can't be written: {failure.Message}", failure);
        }
        return new DataFolderLock(file);
    }

    /// <summary>For the message only, so what can't be read is left out.</summary>
    private static string Holder(string folder)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(folder, HolderFileName));
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var process) ? $" (process {process})" : "";
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    public void Dispose() => _file.Dispose();
}
