using System.CommandLine;
using SignupGuard.Cli.Evaluation;

namespace SignupGuard.Cli.Commands;

/// <summary><c>signupguard linkage-plots</c>: what the linkage parameters of a policy do, as drawings. docs/images are those of the shipped one.</summary>
internal static class LinkagePlotsCommand
{
    public static Command Create()
    {
        var policy = new Option<string?>("--policy") { Description = "YAML file of the policy. Default: the shipped one." };
        var output = new Option<string>("--out") { Description = "Folder for the SVG files.", Required = true };
        var command = new Command("linkage-plots", "Draw what the linkage parameters of a policy do. Exit code 1: the policy does not validate, or the folder can't be written.") { policy, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                if (EvaluateCommand.ReadPolicy(parsed.GetValue(policy)) is not { } read) return 1;
                var folder = Directory.CreateDirectory(parsed.GetRequiredValue(output)).FullName;
                foreach (var (name, svg) in LinkagePlots.Of(read)) await File.WriteAllTextAsync(Path.Combine(folder, name), svg, cancellation);
                return 0;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync(failure.Message);
                return 1;
            }
        });
        return command;
    }
}
