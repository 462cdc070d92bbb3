namespace SignupGuard.Console.Tests;

/// <summary>Nothing is open without signing in, and one signs in by a link that works once.</summary>
public sealed class SignInTests : BrowserTests
{
    [TestCase("")]
    [TestCase("policies")]
    [TestCase("cases/01a2121e-04a6-7ce3-8452-9fac3d18bb4e")]
    public async Task Without_signing_in_every_page_leads_to_the_sign_in(string path)
    {
        var deployment = await Deployment.GetAsync();
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = deployment.Console };
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.That((int)answer.StatusCode, Is.EqualTo(302));
        Assert.That(answer.Headers.Location!.AbsolutePath, Is.EqualTo("/sign-in"));
    }

    [Test]
    public async Task Without_signing_in_no_connection_is_made()
    {
        var deployment = await Deployment.GetAsync();
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = deployment.Console };
        using var answer = await http.PostAsync(new Uri("_blazor/negotiate?negotiateVersion=1", UriKind.Relative), null);
        Assert.That((int)answer.StatusCode, Is.EqualTo(401));
    }

    [Test]
    public async Task The_link_works_once_and_the_next_one_is_another()
    {
        var deployment = await Deployment.GetAsync();
        var link = deployment.SignInLink;
        var page = await deployment.SignInAsync("once");
        Assert.That(deployment.SignInLink, Is.Not.EqualTo(link));
        Assert.That(await page.Locator(".who .name").TextContentAsync(), Is.EqualTo("once"));
        await page.Context.CloseAsync();

        var context = await deployment.NewContextAsync();
        var late = await context.NewPageAsync();
        await late.GotoAsync(link.ToString());
        await late.GetByLabel("Your name").FillAsync("mallory");
        await late.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        Assert.That(await late.GetByRole(AriaRole.Alert).TextContentAsync(), Does.Contain("does not work"));
        await late.GotoAsync("/policies");
        Assert.That(new Uri(late.Url).AbsolutePath, Is.EqualTo("/sign-in"));
        await context.CloseAsync();
    }

    [Test]
    public async Task A_name_the_service_would_not_take_does_not_use_up_the_link()
    {
        var deployment = await Deployment.GetAsync();
        var link = deployment.SignInLink;
        var context = await deployment.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(link.ToString());
        await page.GetByLabel("Your name").FillAsync("ada, admin");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("no comma");
        Assert.That(deployment.SignInLink, Is.EqualTo(link));
        await context.CloseAsync();
    }

    [Test]
    public async Task Signing_out_closes_the_pages()
    {
        var deployment = await Deployment.GetAsync();
        var page = await deployment.SignInAsync("leaver");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.GotoAsync("/policies");
        Assert.That(new Uri(page.Url).AbsolutePath, Is.EqualTo("/sign-in"));
        await page.Context.CloseAsync();
    }

    [Test]
    public async Task Pages_may_load_from_this_host_alone_and_may_not_be_framed()
    {
        var deployment = await Deployment.GetAsync();
        using var http = new HttpClient { BaseAddress = deployment.Console };
        using var answer = await http.GetAsync(new Uri("sign-in", UriKind.Relative));
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.That(policy, Does.StartWith("default-src 'none'; script-src 'self';").And.Contain("frame-ancestors 'none'").And.Not.Contain("http"));
    }
}
