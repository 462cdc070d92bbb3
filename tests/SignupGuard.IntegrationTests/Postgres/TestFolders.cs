using SignupGuard.Service.Embedded;

namespace SignupGuard.IntegrationTests.Postgres;

/// <summary>Folders of test servers. A run that was killed leaves its server behind; the next one clears it away.</summary>
internal static class TestFolders
{
    private const string Prefix = "sg-test-";

    private static readonly Lazy<bool> Swept = new(Sweep);

    /// <summary>Short, for a socket's path has little room.</summary>
    public static string Create() => Directory.CreateTempSubdirectory(Prefix).FullName;

    public static void SweepOnce() => _ = Swept.Value;

    private static bool Sweep()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            try
            {
                // A folder without the file may be a moment old and another run's.
                if (!File.Exists(Path.Combine(folder, "lock"))) continue;
                using var free = DataFolderLock.Take(folder);
                var cluster = Path.Combine(folder, "postgres");
                if (PostmasterFile.Read(cluster) is { } left && PostmasterFile.IsServer(left.ProcessId, cluster)) UnixSignal.Send(left.ProcessId, UnixSignal.Quit);
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception busy) when (busy is EmbeddedPostgresException or IOException or UnauthorizedAccessException)
            {
                // Another run's, at work now, or another user's.
                TestContext.Progress.WriteLine($"Left alone: {folder}");
            }
        }
        return true;
    }
}
