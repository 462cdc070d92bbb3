namespace SignupGuard.Console.Tests;

/// <summary>Whatever a test did, no page asked another host, and no browser complained.</summary>
public abstract class BrowserTests
{
    [TearDown]
    public async Task No_page_asked_another_host_and_no_browser_complained()
    {
        var deployment = await Deployment.GetAsync();
        Assert.That(deployment.ForeignRequests, Is.Empty);
        Assert.That(deployment.Complaints, Is.Empty);
    }
}
