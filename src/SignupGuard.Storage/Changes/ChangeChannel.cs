using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace SignupGuard.Storage.Changes;

/// <summary>What replicas tell each other about.</summary>
public enum ChangeTopic
{
    /// <summary>Which policies are in force or in shadow.</summary>
    Policy,

    /// <summary>Lists and their entries.</summary>
    Lists,

    /// <summary>Decisions, for those who watch them.</summary>
    Decisions,
}

/// <summary>
/// The one channel by which a replica tells the others, by LISTEN and NOTIFY, that something changed. A hint that wakes them, never the
/// change itself, and never the only way: a notification may be lost, so each of them looks at the database from time to time anyway.
/// </summary>
public static class ChangeChannel
{
    public const string Name = "signupguard";

    /// <summary>Takes the channel and the text sent.</summary>
    public const string Sql = "SELECT pg_notify($1, $2)";

    /// <summary>The topic as sent.</summary>
    public static string Word(ChangeTopic topic) => topic switch
    {
        ChangeTopic.Policy => "policy",
        ChangeTopic.Lists => "lists",
        ChangeTopic.Decisions => "decisions",
        _ => throw new ArgumentOutOfRangeException(nameof(topic), topic, "A topic without a word."),
    };

    /// <summary>Null for a word that this version doesn't know.</summary>
    public static ChangeTopic? Topic(string word) => word switch
    {
        "policy" => ChangeTopic.Policy,
        "lists" => ChangeTopic.Lists,
        "decisions" => ChangeTopic.Decisions,
        _ => null,
    };

    /// <summary>
    /// Tells all replicas; inside a transaction, when it commits. Committing transactions with a notification wait for each other, all over the
    /// database: for what people change, not for what every signup does (see <c>ChangeNotifications.Announce</c>).
    /// </summary>
    public static async Task NotifyAsync(NpgsqlConnection connection, ChangeTopic topic, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = Name }, new NpgsqlParameter<string> { TypedValue = Word(topic) } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <inheritdoc cref="NotifyAsync(NpgsqlConnection, ChangeTopic, CancellationToken)"/>
    public static Task NotifyAsync(DbContext context, ChangeTopic topic, CancellationToken cancellation) =>
        context.Database.ExecuteSqlAsync($"SELECT pg_notify({Name}, {Word(topic)})", cancellation);
}
