using SignupGuard.IntegrationTests.Postgres;

namespace SignupGuard.IntegrationTests;

/// <summary>The server that tests share: started by the first that asks, stopped after the last, failed tests or not.</summary>
[SetUpFixture]
public sealed class SharedPostgres
{
    private static readonly Lazy<Task<TestPostgres>> Started = new(() => TestPostgres.StartOwnAsync(durable: false));

    internal static Task<TestPostgres> GetAsync() => Started.Value;

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (Started.IsValueCreated) await (await Started.Value).DisposeAsync();
    }
}
