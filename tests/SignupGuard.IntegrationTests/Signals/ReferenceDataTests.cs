using SignupGuard.Service.ReferenceData;

namespace SignupGuard.IntegrationTests.Signals;

public sealed class ReferenceDataTests
{
    [Test]
    public void The_build_restores_every_part()
    {
        var status = SignalFixture.Restored.Status;
        foreach (var part in status.Parts) TestContext.Out.WriteLine(part);
        Assert.That(status.Parts.Select(part => (part.Name, part.State, part.Problem)), Has.All.Matches<(string, ReferencePartState State, string?)>(part => part.State == ReferencePartState.Loaded));
        Assert.That(status.Complete);
    }
}
