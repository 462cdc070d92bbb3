using System.CommandLine;

namespace SignupGuard.Cli.Commands;

/// <summary><c>signupguard health</c>: asks a running service whether it would screen; for images that hold no other program to ask.</summary>
internal static class HealthCommand
{
    private static readonly Uri Default = new("http://127.0.0.1:7071");

    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(4);

    public static Command Create()
    {
        var address = AddressOption.Create($"The service's HTTP address. Default: {Default}");
        var command = new Command("health", "Ask a running service whether it is ready to screen. Exit code 0: yes, 1: no.") { address };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = new HttpClient
            {
                BaseAddress = parsed.GetValue(address) ?? Default,
                Timeout = AnswerTimeMax,
            };
            try
            {
                using var answer = await client.GetAsync(new Uri("/readyz", UriKind.Relative), cancellation);
                Console.WriteLine(await answer.Content.ReadAsStringAsync(cancellation));
                return answer.IsSuccessStatusCode ? 0 : 1;
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                await Console.Error.WriteLineAsync($"No answer from {client.BaseAddress}: {failure.Message}");
                return 1;
            }
        });
        return command;
    }
}
