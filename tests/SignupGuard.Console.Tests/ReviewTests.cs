using System.Text.RegularExpressions;

namespace SignupGuard.Console.Tests;

/// <summary>Reviewers at work, each in a browser of their own.</summary>
public sealed class ReviewTests : BrowserTests
{
    [Test]
    public async Task A_reviewer_claims_reads_and_resolves_a_case_by_keys()
    {
        var deployment = await Deployment.GetAsync();
        var lonely = await deployment.LonelyCaseAsync();
        var page = await deployment.SignInAsync("ada");
        await page.GotoAsync($"/cases/{lonely.CaseId}");

        // Reads: the verdict, why, from where.
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Account");
        await Assertions.Expect(page.Locator("table.contributions tbody tr")).Not.ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByText(lonely.ReasonCodes[0]).First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".countries")).ToContainTextAsync("IP");

        await page.Keyboard.PressAsync("c");
        await Assertions.Expect(page.Locator("#held")).ToContainTextAsync("held by me");

        await page.Keyboard.PressAsync("a");
        await page.GetByLabel("Reason code").FillAsync("KNOWN_CUSTOMER");
        await page.GetByLabel("Note (nothing of a person)").FillAsync("Called back, all is well.");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Allow" }).ClickAsync();

        await Assertions.Expect(page.Locator(".head .mark.resolved")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".note")).ToContainTextAsync("Called back");
        await Assertions.Expect(page.Locator("ol.timeline")).ToContainTextAsync("a reviewer decided");
        var decision = (await deployment.Screening.GetDecisionAsync(new GetDecisionRequest { SignupId = lonely.SignupId })).Decision;
        Assert.That(decision.Verdict, Is.EqualTo(Verdict.Allow));
        var resolved = (await deployment.Reviews.GetCaseAsync(new GetCaseRequest { CaseId = lonely.CaseId })).Case;
        Assert.That((resolved.State, resolved.Resolution, resolved.ResolvedBy, resolved.ResolutionReason), Is.EqualTo((CaseState.Resolved, Resolution.Allow, "ada", "KNOWN_CUSTOMER")));
        await page.Context.CloseAsync();
    }

    [Test]
    public async Task Keys_move_through_the_queue_and_open_a_case()
    {
        var deployment = await Deployment.GetAsync();
        var page = await deployment.SignInAsync("ada");
        await page.Locator("tbody tr").First.WaitForAsync();
        await page.Keyboard.PressAsync("j");
        await Assertions.Expect(page.Locator("tr[aria-current=true]")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("k");
        var first = await page.Locator("tbody tr").First.GetAttributeAsync("id");
        await Assertions.Expect(page.Locator("tr[aria-current=true]")).ToHaveIdAsync(first!);
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/cases/" + first!["case-".Length..]));

        await page.Keyboard.PressAsync("?");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("claim the next case");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Close" }).First.PressAsync("Escape");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("p");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Policies");
        await page.Context.CloseAsync();
    }

    [Test]
    public async Task A_filter_in_CEL_narrows_the_queue_and_a_wrong_one_says_where()
    {
        var deployment = await Deployment.GetAsync();
        var page = await deployment.SignInAsync("ada");
        await page.Locator("tbody tr").First.WaitForAsync();
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("ip.country == 'ZZ'");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(0);
        await page.GetByLabel("Filter").FillAsync("ip.contry == 'US'");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("ip.contry");
        await page.Context.CloseAsync();
    }

    [Test]
    public async Task Two_reviewers_never_hold_one_case()
    {
        var deployment = await Deployment.GetAsync();
        var (ada, grace) = (await deployment.SignInAsync("ada"), await deployment.SignInAsync("grace"));
        await Task.WhenAll(ada.Locator("tbody tr").First.WaitForAsync(), grace.Locator("tbody tr").First.WaitForAsync());
        var held = new List<string>();
        for (var round = 0; round < 4; round++)
        {
            var both = await Task.WhenAll(NextAsync(ada), NextAsync(grace));
            held.AddRange(both);
        }
        Assert.That(held, Is.Unique);

        // What one holds the other can read, and not take but by taking over.
        await grace.GotoAsync($"/cases/{held[0]}");
        await Assertions.Expect(grace.Locator("#held")).ToContainTextAsync("held by ada");
        await grace.Keyboard.PressAsync("c");
        await Assertions.Expect(grace.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        Assert.That((await deployment.Reviews.GetCaseAsync(new GetCaseRequest { CaseId = held[0] })).Case.ClaimedBy, Is.EqualTo("ada"));
        await ada.Context.CloseAsync();
        await grace.Context.CloseAsync();

        static async Task<string> NextAsync(IPage page)
        {
            var before = page.Url;
            await page.Keyboard.PressAsync("n");
            await page.WaitForURLAsync(address => address != before && address.Contains("/cases/", StringComparison.Ordinal));
            var caseId = new Uri(page.Url).Segments[^1];
            // The address changes before the page does.
            await page.Locator($"[data-case='{caseId}']").WaitForAsync();
            await Assertions.Expect(page.Locator("#held")).ToContainTextAsync("held by me");
            return caseId;
        }
    }

    [Test]
    public async Task A_network_that_the_service_found_is_seen_selected_and_denied_at_once()
    {
        var deployment = await Deployment.GetAsync();
        var (clusterId, caseId, _) = await deployment.LargestNetworkAsync();
        var before = await deployment.Reviews.GetClusterAsync(new GetClusterRequest { ClusterId = clusterId });
        Assert.That(before.Members, Has.Count.GreaterThan(20), "the simulator's campaign is one network");

        var page = await deployment.SignInAsync("ada");
        await page.GotoAsync($"/networks/{clusterId}");
        await page.Locator("#graph[data-drawn]").WaitForAsync();

        // A key's accounts, by its button; then the slider, without the server.
        var most = before.Keys.Max(key => key.Members);
        await page.Locator("section[aria-labelledby=keys] tbody button").First.ClickAsync();
        await Assertions.Expect(page.Locator("#chosen")).ToHaveTextAsync($"{most} selected");
        await page.Locator("#growth").FillAsync("3");
        await Assertions.Expect(page.Locator("#growth-shown")).ToContainTextAsync("first 3");
        await page.GetByRole(AriaRole.Button, new() { Name = "none" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Deny all" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(dialog.Locator("dl.facts")).ToContainTextAsync("Denied now");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Deny" }).ClickAsync();
        await Assertions.Expect(page.Locator("#network-progress")).ToContainTextAsync("Done");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();

        var after = await deployment.Reviews.GetClusterAsync(new GetClusterRequest { ClusterId = clusterId });
        Assert.That(after.Members.Select(member => (member.Verdict, member.Label)).Distinct(), Is.EqualTo(new[] { (Verdict.Deny, AccountLabel.Bad) }));
        Assert.That((await deployment.Reviews.GetCaseAsync(new GetCaseRequest { CaseId = caseId })).Case.State, Is.EqualTo(CaseState.Resolved));
        await page.Context.CloseAsync();
    }
}
