namespace SignupGuard.Console.Tests;

/// <summary>Last, over all that the tests before did.</summary>
[Order(int.MaxValue)]
public sealed class ForeignTests
{
    [Test]
    public async Task No_page_asked_another_host_and_no_browser_complained()
    {
        var deployment = await Deployment.GetAsync();
        Assert.That(deployment.ForeignRequests, Is.Empty);
        Assert.That(deployment.Complaints, Is.Empty);
    }
}
