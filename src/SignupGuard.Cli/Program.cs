using System.CommandLine;
using SignupGuard.Cli.Commands;
using SignupGuard.Service.Hosting;

// One file a command. Results go to stdout, all else to stderr. Exit codes: 0 done, 1 could not be done, 2 done in part or wrong usage.
var root = new RootCommand("SignupGuard screens account registrations for fraud: allow, review or deny.")
{
    ServeCommand.Create(),
    DemoCommand.Create(),
    HealthCommand.Create(),
    ScreenCommand.Create(),
    PolicyCommand.Create(),
    ListCommand.Create(),
    ReviewCommand.Create(),
    SimulateCommand.Create(),
    EvaluateCommand.Create(),
    CalibrateCommand.Create(),
    LinkagePlotsCommand.Create(),
    BenchCommand.Create(),
};
try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        // A stop waits for signups on their way; the host has its own, shorter bound.
        ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
    });
}
catch (HostStartException failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 1;
}
catch (OperationCanceledException)
{
    return 130; // As shells report an interrupt.
}
