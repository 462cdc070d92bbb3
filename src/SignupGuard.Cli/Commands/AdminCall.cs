using System.CommandLine;
using Grpc.Core;
using Grpc.Net.Client;
using SignupGuard.Service.Transport;

namespace SignupGuard.Cli.Commands;

/// <summary>A command of an admin on a running service, under a name for its audit.</summary>
/// <param name="Headers">Say who does it.</param>
internal sealed record AdminCall(GrpcChannel Channel, Metadata Headers, ParseResult Parsed, CancellationToken Cancellation)
{
    private const int ExitFailed = 1;

    /// <summary>Where a service listens unless it is told otherwise.</summary>
    public static readonly Uri DefaultAddress = new("http://127.0.0.1:7070");

    private static readonly Option<Uri?> Address = AddressOption.Create($"gRPC address of the service. Default: {DefaultAddress}");
    private static readonly Option<string> Actor = new("--actor") { Description = "Who does it, for the audit. Default: this user's name.", DefaultValueFactory = _ => Environment.UserName };

    /// <summary>A command that tells of refusals on stderr, every violated field in a line, and then fails.</summary>
    /// <param name="run">Returns the exit code.</param>
    public static Command Command(string name, string description, Argument[] arguments, Option[] options, Func<AdminCall, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var argument in arguments) command.Arguments.Add(argument);
        foreach (var option in options) command.Options.Add(option);
        command.Options.Add(Address);
        command.Options.Add(Actor);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var channel = GrpcChannel.ForAddress(parsed.GetValue(Address) ?? DefaultAddress);
            try
            {
                return await run(new AdminCall(channel, new Metadata { { Caller.ActorHeader, parsed.GetRequiredValue(Actor) } }, parsed, cancellation));
            }
            catch (RpcException refused) when (refused.StatusCode != StatusCode.Cancelled || !cancellation.IsCancellationRequested)
            {
                await Console.Error.WriteLineAsync(refused.Status.Detail);
                foreach (var violation in refused.GetRpcStatus()?.GetDetail<Google.Rpc.BadRequest>()?.FieldViolations ?? []) await Console.Error.WriteLineAsync($"{violation.Field}: {violation.Description}");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync(failure.Message);
            }
            return ExitFailed;
        });
        return command;
    }
}
