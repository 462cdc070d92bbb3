using System.Globalization;
using Npgsql;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Storage.Reviews;

/// <summary>Parameters of one statement as its text is put together: values never become text of it.</summary>
internal sealed class SqlParameters
{
    private readonly List<NpgsqlParameter> _parameters = [];

    /// <summary>Takes a value.</summary>
    /// <returns>What stands for it in the text: "$3".</returns>
    public string Add<T>(T value)
    {
        _parameters.Add(Sql.Value(value));
        return string.Create(CultureInfo.InvariantCulture, $"${_parameters.Count}");
    }

    public NpgsqlCommand Command(NpgsqlDataSource source, string text) => With(source.CreateCommand(text));

    public NpgsqlCommand Command(NpgsqlConnection connection, string text) => With(new NpgsqlCommand(text, connection));

    private NpgsqlCommand With(NpgsqlCommand command)
    {
        foreach (var parameter in _parameters) command.Parameters.Add(parameter);
        return command;
    }
}
