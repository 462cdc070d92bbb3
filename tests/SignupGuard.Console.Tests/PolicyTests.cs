using System.Text.RegularExpressions;

namespace SignupGuard.Console.Tests;

/// <summary>Admins change the policy by the pages alone, and traffic changes.</summary>
public sealed class PolicyTests : BrowserTests
{
    [Test]
    public async Task An_admin_edits_a_linkage_rule_and_backtests_another_approves_and_traffic_changes()
    {
        var deployment = await Deployment.GetAsync();
        var shared = deployment.Signups.First(simulated => simulated.Group == "hydra" && simulated.Signup.Payment is not null).Signup;
        Assert.That((await ScreenAgainAsync("before")).Reasons.Select(reason => reason.Code), Does.Contain("CARD_SHARED"));

        var ada = await deployment.SignInAsync("ada");
        await ada.GotoAsync("/policies");
        await ada.GetByRole(AriaRole.Button, new() { Name = "New draft" }).ClickAsync();
        await ada.WaitForURLAsync(new Regex("/policies/[0-9]+$"));
        var version = long.Parse(new Uri(ada.Url).Segments[^1], System.Globalization.CultureInfo.InvariantCulture);
        var document = ada.GetByLabel("Document in YAML");
        var yaml = await document.InputValueAsync();
        const string rule = "key: card, class: hard, tolerance: 1,";
        Assert.That(yaml, Does.Contain(rule));
        await document.FillAsync(yaml.Replace(rule, "key: card, class: hard, mode: shadow, tolerance: 1,", StringComparison.Ordinal));
        await ada.GetByLabel("What changes, and why").FillAsync("Shared cards count without effect");
        await ada.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(ada.Locator("p.notice").First).ToContainTextAsync("Shared cards count");

        await ada.GetByRole(AriaRole.Tab, new() { Name = "Difference" }).ClickAsync();
        await Assertions.Expect(ada.Locator("table.dense tbody tr")).ToHaveCountAsync(1);
        await Assertions.Expect(ada.Locator("table.dense tbody tr")).ToContainTextAsync("mode");

        await ada.GetByRole(AriaRole.Button, new() { Name = "Backtest", Exact = true }).ClickAsync();
        await Assertions.Expect(ada.Locator("#moves")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await ada.GetByRole(AriaRole.Button, new() { Name = "Ask to go live" }).ClickAsync();
        await ada.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Ask" }).ClickAsync();

        // Not by herself.
        await ada.GetByRole(AriaRole.Button, new() { Name = "Approve, go live" }).ClickAsync();
        await ada.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Assertions.Expect(ada.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();

        var grace = await deployment.SignInAsync("grace");
        await grace.GotoAsync($"/policies/{version}");
        await Assertions.Expect(grace.Locator("#moves")).ToBeVisibleAsync();
        await grace.GetByRole(AriaRole.Button, new() { Name = "Approve, go live" }).ClickAsync();
        await grace.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Assertions.Expect(grace.Locator(".head .mark.active")).ToBeVisibleAsync();

        await WaitForPolicyAsync(version);
        var after = await ScreenAgainAsync("after");
        Assert.That(after.PolicyVersion, Is.EqualTo(version));
        Assert.That(after.Reasons.Select(reason => reason.Code), Does.Not.Contain("CARD_SHARED"));

        // By the pages back again, for the tests after this one.
        await grace.GotoAsync("/policies/1");
        await grace.GetByRole(AriaRole.Button, new() { Name = "Roll back to this" }).ClickAsync();
        await grace.GetByLabel("Why").FillAsync("Only tried");
        await grace.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Roll back" }).ClickAsync();
        await Assertions.Expect(grace.Locator(".head .mark.active")).ToBeVisibleAsync();
        await WaitForPolicyAsync(1);

        await grace.GotoAsync("/audit");
        await Assertions.Expect(grace.Locator("tbody tr").First).ToContainTextAsync("policy.rolled_back");
        await ada.Context.CloseAsync();
        await grace.Context.CloseAsync();

        async Task<Decision> ScreenAgainAsync(string when)
        {
            var signup = shared.Clone();
            signup.SignupId = $"{shared.SignupId}-{when}";
            return (await deployment.Screening.ScreenSignupAsync(new ScreenSignupRequest { Signup = signup })).Decision;
        }

        // A replica takes a new policy within its poll.
        async Task WaitForPolicyAsync(long wanted)
        {
            for (var attempt = 0; attempt < 100; attempt++)
            {
                var probe = new Signup
                {
                    SignupId = $"probe-{wanted}-{attempt}",
                    OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(DateTime.UtcNow),
                    Email = new EmailAddress { Address = $"probe{attempt}@example.org" },
                };
                if ((await deployment.Screening.ScreenSignupAsync(new ScreenSignupRequest { Signup = probe })).Decision.PolicyVersion == wanted) return;
                await Task.Delay(50);
            }
            Assert.Fail($"Version {wanted} never decided.");
        }
    }

    [Test]
    public async Task A_document_that_does_not_validate_says_where_and_goes_nowhere()
    {
        var deployment = await Deployment.GetAsync();
        var page = await deployment.SignInAsync("ada");
        await page.GotoAsync("/policies/1");
        await page.GetByRole(AriaRole.Button, new() { Name = "New draft of this" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/policies/(?!1$)[0-9]+$"));
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Ask to go live" })).ToBeVisibleAsync();
        var document = page.GetByLabel("Document in YAML");
        await document.FillAsync((await document.InputValueAsync()).Replace("ip.hosting", "ip.hostin", StringComparison.Ordinal));
        await page.GetByRole(AriaRole.Button, new() { Name = "Check" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("ip.hosting");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Ask to go live" })).ToHaveCountAsync(0);
        await page.Context.CloseAsync();
    }

    [Test]
    public async Task A_list_is_made_filled_and_emptied()
    {
        var deployment = await Deployment.GetAsync();
        var page = await deployment.SignInAsync("ada");
        await page.GotoAsync("/lists");
        await page.GetByLabel("Name").FillAsync("bad_hosts");
        await page.GetByLabel("What being on it does").SelectOptionAsync("Deny");
        await page.GetByLabel("What the values are").SelectOptionAsync("Domain");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make it" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("List bad_hosts");
        await page.GetByLabel("One a line").FillAsync("bad.example\nworse.example");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove worse.example" }).ClickAsync();
        await Assertions.Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await page.Context.CloseAsync();
    }
}
