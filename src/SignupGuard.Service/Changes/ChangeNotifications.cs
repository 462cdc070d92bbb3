using System.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using SignupGuard.Service.Screening;
using SignupGuard.Storage.Changes;

namespace SignupGuard.Service.Changes;

/// <summary>
/// Hears from the other replicas that something changed, over one connection that listens, and wakes who waits here. Notifications are hints:
/// one may be lost, or the connection be away, so whoever waits does so for a bounded time and then looks for itself (<see cref="FollowAsync"/>).
/// </summary>
public sealed class ChangeNotifications(NpgsqlDataSource source, IOptions<ChangeOptions> options, TimeProvider clock, ILogger<ChangeNotifications> log) : BackgroundService
{
    /// <summary>A silent connection is asked this often whether it lives.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ReconnectDelayMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ReconnectDelayMax = TimeSpan.FromSeconds(5);

    /// <summary>Announcements in this time are sent as one: a busy replica makes no storm.</summary>
    private static readonly TimeSpan AnnouncePause = TimeSpan.FromMilliseconds(25);

    private const char OriginMark = ' ';

    private static readonly ChangeTopic[] Topics = Enum.GetValues<ChangeTopic>();

    private readonly TaskCompletionSource[] _next = [.. Topics.Select(_ => NewNext())];
    private readonly string _origin = Guid.NewGuid().ToString("n");
    private readonly SemaphoreSlim _announced = new(0, 1);
    private int _announcements;

    /// <summary>Whether this replica would hear of a change now.</summary>
    public bool Listening { get; private set; }

    /// <summary>Ends with the next change of the topic. Take it before looking at what may change.</summary>
    public Task Next(ChangeTopic topic) => Volatile.Read(ref _next[(int)topic]).Task;

    /// <summary>Waits for the change, at most so long; either may be why it returns.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task WaitAsync(Task next, TimeSpan atMost, CancellationToken cancellation)
    {
        await next.WaitAsync(atMost, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// Looks again and again until cancelled: at once when told of a change of the topic, else every so long. A failed look is told of once until
    /// one succeeds, not every time.
    /// </summary>
    public async Task FollowAsync(ChangeTopic topic, TimeSpan every, Func<CancellationToken, Task> look, Action<Exception> failed, CancellationToken cancellation)
    {
        var failing = false;
        while (true)
        {
            // Before looking, so that no change falls in between.
            var next = Next(topic);
            try
            {
                await look(cancellation);
                failing = false;
            }
            catch (Exception failure) when (!cancellation.IsCancellationRequested)
            {
                if (!failing) failed(failure);
                failing = true;
            }
            await WaitAsync(next, every, cancellation);
        }
    }

    /// <summary>
    /// Tells of a committed change, here at once and to the other replicas in a moment, many as one. For what happens often: a notification
    /// inside the transactions themselves would make them wait for each other. May be lost.
    /// </summary>
    public void Announce(ChangeTopic topic)
    {
        Wake(topic);
        if (!options.Value.Listen) return;
        if ((Interlocked.Or(ref _announcements, 1 << (int)topic) & (1 << (int)topic)) != 0) return;
        try
        {
            _announced.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another topic was announced a moment ago; the sender takes both.
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        options.Value.Listen ? Task.WhenAll(ListenAsync(stoppingToken), SendAsync(stoppingToken)) : Task.CompletedTask;

    public override void Dispose()
    {
        base.Dispose();
        _announced.Dispose();
    }

    private static TaskCompletionSource NewNext() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Wake(ChangeTopic topic) => Interlocked.Exchange(ref _next[(int)topic], NewNext()).SetResult();

    private async Task ListenAsync(CancellationToken stopping)
    {
        var delay = ReconnectDelayMin;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(stopping);
                connection.Notification += (_, sent) => Hear(sent.Payload);
                try
                {
                    await ExecuteAsync(connection, $"LISTEN {ChangeChannel.Name}", stopping);
                    Listening = true;
                    delay = ReconnectDelayMin;
                    // What happened before is heard by nobody.
                    foreach (var topic in Topics) Wake(topic);
                    while (true)
                    {
                        if (!await connection.WaitAsync(KeepAlive, stopping)) await ExecuteAsync(connection, "SELECT 1", stopping);
                    }
                }
                finally
                {
                    Listening = false;
                    // It goes back to the pool as it came.
                    if (connection.State == ConnectionState.Open) await ExecuteAsync(connection, $"UNLISTEN {ChangeChannel.Name}", CancellationToken.None);
                }
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                ChangeLog.ListeningFailed(log, delay.TotalMilliseconds, Fault.Describe(failure));
                await Task.Delay(delay, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                delay = delay * 2 < ReconnectDelayMax ? delay * 2 : ReconnectDelayMax;
            }
            catch (Exception failure) when (stopping.IsCancellationRequested && (failure is OperationCanceledException || Fault.IsPassing(failure)))
            {
                return;
            }
        }
    }

    private void Hear(string payload)
    {
        var mark = payload.IndexOf(OriginMark, StringComparison.Ordinal);
        // What this replica announced itself, it woke for at once.
        if (mark >= 0 && payload.AsSpan(mark + 1).SequenceEqual(_origin)) return;
        if (ChangeChannel.Topic(mark < 0 ? payload : payload[..mark]) is { } topic) Wake(topic);
    }

    private async Task SendAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await _announced.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var announced = Interlocked.Exchange(ref _announcements, 0);
            try
            {
                foreach (var topic in Topics)
                {
                    if ((announced & (1 << (int)topic)) == 0) continue;
                    await using var command = source.CreateCommand(ChangeChannel.Sql);
                    command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = ChangeChannel.Name });
                    command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{ChangeChannel.Word(topic)}{OriginMark}{_origin}" });
                    await command.ExecuteNonQueryAsync(stopping);
                }
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                // The others see the change by their next poll.
                ChangeLog.AnnouncementLost(log, Fault.Describe(failure));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(AnnouncePause, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}

/// <summary>Events 5000 to 5099.</summary>
internal static partial class ChangeLog
{
    [LoggerMessage(5001, LogLevel.Warning, "Changes made by other replicas show by polling alone until notifications are heard again; next try in {DelayMs} ms: {Fault}")]
    public static partial void ListeningFailed(ILogger log, double delayMs, string fault);

    [LoggerMessage(5002, LogLevel.Debug, "A change could not be announced to other replicas: {Fault}")]
    public static partial void AnnouncementLost(ILogger log, string fault);
}
