using System.CommandLine;
using SignupGuard.Service;

namespace SignupGuard.Cli.Commands;

/// <summary><c>signupguard serve</c>: the service, until it is asked to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var options = new HostOptions();
        var command = new Command("serve", "Run the service until it is stopped (SIGINT, SIGTERM).");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var host = await SignupGuardHost.StartAsync(options.Settings(parsed), cancellation: cancellation);
            try
            {
                await host.WaitForShutdownAsync(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                // Being asked to stop is how it ends.
            }
            return 0;
        });
        return command;
    }
}
