namespace SignupGuard.Console.Tests;

/// <summary>All pages, with what shows that they are there.</summary>
internal static class Pages
{
    public static IEnumerable<(string Path, string Ready)> All(long clusterId, string caseId, Case lonely) =>
    [
        ("/", "tbody tr"),
        ($"/cases/{caseId}", "table.contributions"),
        ($"/cases/{lonely.CaseId}", "table.contributions"),
        ($"/signups/{lonely.SignupId}", "table.contributions"),
        ($"/networks/{clusterId}", "#graph[data-drawn]"),
        ("/signups", "tbody tr"),
        ("/overview", "#campaigns"),
        ("/policies", "tbody tr"),
        ("/policies/1", "#yaml"),
        ("/lists", "#type"),
        ("/exemptions", "h1"),
        ("/audit", "#actor"),
    ];
}
