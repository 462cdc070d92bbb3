using System.Text.Json;

namespace SignupGuard.Console.Tests;

/// <summary>axe-core finds nothing serious on any page, in dark and in light.</summary>
public sealed class AccessibilityTests : BrowserTests
{
    private static readonly Lazy<string> Axe = new(() =>
    {
        using var stream = typeof(AccessibilityTests).Assembly.GetManifestResourceStream("axe.min.js")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    });

    [Test]
    public async Task Every_page_is_accessible_in_dark_and_in_light()
    {
        var deployment = await Deployment.GetAsync();
        var (clusterId, caseId, _) = await deployment.LargestNetworkAsync();
        var lonely = await deployment.LonelyCaseAsync();
        var page = await deployment.SignInAsync("ada");
        var found = new List<string>();
        foreach (var (path, ready) in Pages.All(clusterId, caseId, lonely))
        {
            await page.GotoAsync(path);
            await page.Locator(ready).First.WaitForAsync();
            await InBothModesAsync(path);
        }

        // Dialogs too.
        await page.GotoAsync($"/cases/{lonely.CaseId}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Deny" }).ClickAsync();
        await page.GetByLabel("Reason code").WaitForAsync();
        found.AddRange((await ViolationsAsync(page)).Select(violation => $"dialog: {violation}"));
        Assert.That(found, Is.Empty);
        await page.Context.CloseAsync();

        async Task InBothModesAsync(string path)
        {
            for (var turn = 0; turn < 2; turn++)
            {
                var mode = await page.EvaluateAsync<string>("document.documentElement.dataset.mode");
                found.AddRange((await ViolationsAsync(page)).Select(violation => $"{path} ({mode}): {violation}"));
                var other = mode == "dark" ? "light" : "dark";
                await page.GetByRole(AriaRole.Button, new() { Name = $"To {other} colours" }).ClickAsync();
                await page.GetByRole(AriaRole.Button, new() { Name = $"To {mode} colours" }).WaitForAsync();
            }
        }
    }

    [Test]
    public async Task The_sign_in_page_is_accessible([Values] bool dark)
    {
        var deployment = await Deployment.GetAsync();
        var context = await deployment.NewContextAsync(dark ? ColorScheme.Dark : ColorScheme.Light);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/sign-in");
        Assert.That(await ViolationsAsync(page), Is.Empty);
        await context.CloseAsync();
    }

    /// <summary>Rows of one table are alike; the first ones stand for all.</summary>
    private static async Task<List<string>> ViolationsAsync(IPage page)
    {
        // By the debugger's way: the pages' policy lets no foreign script in.
        if (!await page.EvaluateAsync<bool>("'axe' in window")) await page.EvaluateAsync(Axe.Value + "; undefined");
        var result = await page.EvaluateAsync<JsonElement>("async () => (await axe.run({ exclude: [['tbody tr:nth-child(n+6)']] }, { resultTypes: ['violations'] })).violations.map(v => ({ id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary) }))");
        return result.EnumerateArray()
            .Where(violation => violation.GetProperty("impact").GetString() is "serious" or "critical")
            .Select(violation => $"{violation.GetProperty("id").GetString()} ({violation.GetProperty("impact").GetString()}): {violation.GetProperty("nodes")}")
            .ToList();
    }
}
