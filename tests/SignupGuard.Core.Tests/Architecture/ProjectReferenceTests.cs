using System.Xml.Linq;

namespace SignupGuard.Core.Tests.Architecture;

/// <summary>The arrows between projects are the architecture; adding one is a decision, not an accident.</summary>
public sealed class ProjectReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["SignupGuard.Cel"] = [],
        ["SignupGuard.Core"] = ["SignupGuard.Cel"],
        ["SignupGuard.Protocol"] = [],
        ["SignupGuard.Storage"] = ["SignupGuard.Core"],
        ["SignupGuard.Migrations"] = ["SignupGuard.Storage"],
        ["SignupGuard.Simulation"] = ["SignupGuard.Protocol"],
        ["SignupGuard.Console"] = ["SignupGuard.Protocol"],
        ["SignupGuard.Service"] = ["SignupGuard.Console", "SignupGuard.Protocol", "SignupGuard.Storage", "SignupGuard.Migrations"],
        ["SignupGuard.Cli"] = ["SignupGuard.Service", "SignupGuard.Simulation"],
    };

    [Test]
    public void Projects_refer_only_along_the_allowed_arrows()
    {
        var root = RepositoryRoot();
        var projects = new[] { "src", "migrations" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(root, folder), "*.csproj", SearchOption.AllDirectories))
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file)!, References);

        Assert.That(projects.Keys, Is.EquivalentTo(Allowed.Keys));
        foreach (var (project, references) in projects)
            Assert.That(references, Is.SubsetOf(Allowed[project]), project);
    }

    [Test]
    public void The_core_uses_no_clock_and_no_io()
    {
        string[] banned = ["DateTime.Now", "DateTime.UtcNow", "DateTimeOffset.UtcNow", "DateTimeOffset.Now", "System.IO.File", "File.Read", "HttpClient", "Npgsql", "Stopwatch", "Environment.Get"];
        var core = Path.Combine(RepositoryRoot(), "src", "SignupGuard.Core");
        var found = Directory.GetFiles(core, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file => banned.Where(word => File.ReadAllText(file).Contains(word, StringComparison.Ordinal)).Select(word => $"{file}: {word}"))
            .ToList();
        Assert.That(found, Is.Empty);
    }

    private static string[] References(string file) =>
        [.. XDocument.Load(file).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')))];

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "SignupGuard.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run outside the repository.");
    }
}
