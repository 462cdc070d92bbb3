using System.Globalization;

namespace SignupGuard.Service.Embedded;

/// <summary>One host per data folder. The kernel lets go of the lock when the host dies, however it dies.</summary>
internal sealed class DataFolderLock : IDisposable
{
    private const string FileName = "lock";

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
                $"The data folder {folder} is in use by another SignupGuard{Holder(path)}. Stop that one, or give this one a data folder of its own; to run several on one database, point them at it with ConnectionStrings__SignupGuard.",
                failure);
        }
        file.SetLength(0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        file.Flush();
        return new DataFolderLock(file);
    }

    /// <summary>For the message only, so what can't be read is left out.</summary>
    private static string Holder(string path)
    {
        try
        {
            // Shared for all uses, this asks for no lock and so reads what the holder wrote.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return int.TryParse(reader.ReadToEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out var process) ? $" (process {process})" : "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    public void Dispose() => _file.Dispose();
}
