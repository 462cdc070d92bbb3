namespace SignupGuard.Core.Tests.Documents;

/// <summary>Documents of the repository, and the parts of them that are written by the code.</summary>
internal static class Document
{
    private const string Update = "SIGNUPGUARD_UPDATE_DOCS";

    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "SignupGuard.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run outside the repository.");
    }

    public static string Read(string name) => File.ReadAllText(Path.Combine(Root, "docs", name));

    /// <summary>What stands between the marks is what the code says; with SIGNUPGUARD_UPDATE_DOCS=1 it is written first.</summary>
    public static void Holds(string name, string mark, string text)
    {
        var path = Path.Combine(Root, "docs", name);
        var (begin, end) = ($"<!-- {mark}: begin -->\n", $"<!-- {mark}: end -->");
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            var old = File.ReadAllText(path);
            File.WriteAllText(path, old[..(old.IndexOf(begin, StringComparison.Ordinal) + begin.Length)] + text + old[old.IndexOf(end, StringComparison.Ordinal)..]);
        }
        Assert.That(File.ReadAllText(path), Does.Contain(begin + text + end), $"The code says something else. Write the document anew with {Update}=1 and review the difference.");
    }
}
