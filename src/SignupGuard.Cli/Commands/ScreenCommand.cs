using System.CommandLine;

namespace SignupGuard.Cli.Commands;

internal static class ScreenCommand
{
    public static Command Create() => new("screen", "x");
}
