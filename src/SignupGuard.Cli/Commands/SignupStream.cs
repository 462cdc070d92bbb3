using System.Text;
using Google.Protobuf;
using Grpc.Core;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.V1;

namespace SignupGuard.Cli.Commands;

/// <summary>
/// Sends the signups of a file through one ScreenSignups stream and writes the answers in order. When the service or its database goes
/// away, what has no answer yet is sent again on a new stream: the service counts it once.
/// </summary>
internal sealed class SignupStream(ScreeningService.ScreeningServiceClient client, Stream signups, Stream decisions, ScreenCommand.ScreenReport report, Action<long> progress) : IDisposable
{
    /// <summary>Signups that may be sent and not answered.</summary>
    private const int InFlightMax = 1_000;

    /// <summary>Attempts in a row without an answer after which it is given up: soon where there never was one (a wrong address), late in a long run.</summary>
    private const int FirstAttemptsMax = 10;

    private const int AttemptsMax = 300;

    private static readonly TimeSpan AttemptPause = TimeSpan.FromSeconds(1);

    private static readonly byte[] NewLine = [(byte)'\n'];

    private readonly Queue<(JsonLine Line, Signup Signup)> _unanswered = new();
    private readonly SemaphoreSlim _room = new(InFlightMax);
    private Signup? _next;

    public async Task RunAsync(CancellationToken cancellation)
    {
        await using var lines = JsonLines.ReadAsync(signups, cancellation).GetAsyncEnumerator(cancellation);
        var attempts = 0;
        while (true)
        {
            var answered = report.Screened;
            try
            {
                await RunOnceAsync(lines, cancellation);
                return;
            }
            catch (RpcException failure) when (failure.StatusCode is StatusCode.Unavailable or StatusCode.ResourceExhausted)
            {
                attempts = report.Screened > answered ? 1 : attempts + 1;
                if (attempts >= (report.Screened > 0 ? AttemptsMax : FirstAttemptsMax)) throw;
                if (attempts == 1) await Console.Error.WriteLineAsync($"The service is away ({failure.StatusCode}); trying again.");
                await Task.Delay(AttemptPause, cancellation);
            }
        }
    }

    public void Dispose() => _room.Dispose();

    private async Task RunOnceAsync(IAsyncEnumerator<JsonLine> lines, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var call = client.ScreenSignups(cancellationToken: ending.Token);
        Task[] both = [SendAsync(call.RequestStream, lines, ending.Token), ReceiveAsync(call.ResponseStream, ending.Token)];
        try
        {
            await foreach (var one in Task.WhenEach(both)) await one;
        }
        finally
        {
            // The lines' reader must be at rest before the next attempt.
            await ending.CancelAsync();
            await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAsync(IClientStreamWriter<ScreenSignupsRequest> requests, IAsyncEnumerator<JsonLine> lines, CancellationToken cancellation)
    {
        try
        {
            (JsonLine Line, Signup Signup)[] again;
            lock (_unanswered) again = [.. _unanswered];
            foreach (var (_, signup) in again) await requests.WriteAsync(new ScreenSignupsRequest { Signup = signup }, cancellation);
            while (await NextAsync(lines) is { } signup)
            {
                await _room.WaitAsync(cancellation);
                lock (_unanswered) _unanswered.Enqueue((lines.Current, signup));
                _next = null;
                await requests.WriteAsync(new ScreenSignupsRequest { Signup = signup }, cancellation);
            }
            await requests.CompleteAsync();
        }
        catch (RpcException)
        {
            // The stream is broken, and the receiver hears why.
        }
    }

    /// <summary>The next good line's signup, again until it is queued; null at the end of the file.</summary>
    private async Task<Signup?> NextAsync(IAsyncEnumerator<JsonLine> lines)
    {
        while (_next is null && await lines.MoveNextAsync())
        {
            _next = SignupLine.Read(lines.Current, out var problem);
            if (problem is not null) report.AddBad(lines.Current.Number, "UNREADABLE_LINE", problem.Message, problem.Violations);
        }
        return _next;
    }

    private async Task ReceiveAsync(IAsyncStreamReader<ScreenSignupsResponse> answers, CancellationToken cancellation)
    {
        while (await answers.MoveNext(cancellation))
        {
            var answer = answers.Current;
            // Only for now: the stream starts over at this signup.
            if (answer.Error is { Code: (int)StatusCode.Unavailable or (int)StatusCode.ResourceExhausted } passing) throw new RpcException(new Status((StatusCode)passing.Code, passing.Message));
            JsonLine line;
            lock (_unanswered) (line, _) = _unanswered.Dequeue();
            _room.Release();
            if (answer.Error is { } error)
            {
                report.AddBad(line.Number, error.Reason, error.Message, error.FieldErrors.Select(field => new FieldViolation(field.Field, field.Code, field.Description)));
            }
            else
            {
                report.Add(answer.Decision.Verdict);
                await decisions.WriteAsync(Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(new ScreenSignupResponse { Decision = answer.Decision })), cancellation);
                await decisions.WriteAsync(NewLine, cancellation);
            }
            progress(line.End);
        }
    }
}
