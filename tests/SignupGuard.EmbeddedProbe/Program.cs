// A host of the embedded Postgres and nothing else: what tests run as another user, and kill.
// Argument: the data folder. Prints "ready PID CONNECTION-STRING", or "refused MESSAGE"; stops when its input ends.
using Microsoft.Extensions.Logging.Abstractions;
using SignupGuard.Service.Embedded;

try
{
    await using var postgres = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions { DataFolder = args[0] }, NullLogger.Instance, CancellationToken.None);
    Console.WriteLine($"ready {postgres.ServerProcessId} {postgres.ConnectionString}");
    await Console.In.ReadToEndAsync();
    return 0;
}
catch (EmbeddedPostgresException refused)
{
    Console.WriteLine($"refused {refused.Message}");
    return 1;
}
