using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace SignupGuard.Service.Screening;

/// <summary>What may be done about an exception, and what may be said of it.</summary>
internal static class Fault
{
    /// <summary>Server states that pass by themselves and that Npgsql does not count as such: shutdowns, a failover's read-only moment, a statement cancelled by its time limit.</summary>
    private static readonly string[] PassingStates =
    [
        PostgresErrorCodes.AdminShutdown, PostgresErrorCodes.CrashShutdown, PostgresErrorCodes.CannotConnectNow, PostgresErrorCodes.ReadOnlySqlTransaction,
        PostgresErrorCodes.QueryCanceled, IdleInTransactionTimeout,
    ];

    private const string IdleInTransactionTimeout = "25P03";

    /// <summary>Whether the same work may succeed in a moment: the database is away, busy or lost a race; not: it refuses what it was given.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        PostgresException refused => refused.IsTransient || PassingStates.Contains(refused.SqlState),
        // Without an answer from the server there was no refusal: the connection failed.
        NpgsqlException or TimeoutException or IOException or System.Net.Sockets.SocketException => true,
        _ => false,
    };

    /// <summary>Ties what a caller hears to what the log says: 12 hexadecimal digits.</summary>
    public static string NewReference() => Guid.NewGuid().ToString("n")[..12];

    /// <summary>
    /// The types, the database's state and where it came from. Never a message: those of parsers and databases quote what they were given.
    /// </summary>
    public static string Describe(Exception exception)
    {
        var text = new System.Text.StringBuilder();
        for (var current = exception; current is not null; current = current.InnerException)
        {
            if (text.Length > 0) text.Append(" <- ");
            text.Append(current.GetType().Name);
            if (current is PostgresException { SqlState: var state }) text.Append(CultureInfo.InvariantCulture, $"({state})");
        }
        foreach (var frame in new StackTrace(exception).GetFrames())
        {
            if (DiagnosticMethodInfo.Create(frame) is { } method && (method.DeclaringTypeName?.StartsWith("SignupGuard.", StringComparison.Ordinal) ?? false))
                text.Append(CultureInfo.InvariantCulture, $" at {method.DeclaringTypeName}.{method.Name}");
        }
        return text.ToString();
    }
}
