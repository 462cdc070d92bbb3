using System.Diagnostics;
using System.Globalization;
using System.Text;
using Npgsql;
using SignupGuard.Migrations;

namespace SignupGuard.IntegrationTests.Postgres;

/// <summary>
/// migrations/schema.sql shows reviewers what the migrations amount to: what pg_dump says of a database they made, without the noise.
/// Partitions are left out: the default ones repeat their tables, and the months' come with time.
/// </summary>
public sealed class SchemaFileTests
{
    private const string Update = "SIGNUPGUARD_UPDATE_SCHEMA";

    private const string Header =
        $"""
        -- The schema that the migrations make, for reading; nothing runs this file.
        -- Left out: partitions. Each partitioned table has a default one, and one for each month (PartitionMaintenance).
        -- Written by: {Update}=1 dotnet test tests/SignupGuard.IntegrationTests --filter {nameof(SchemaFileTests)}


        """;

    [Test]
    public async Task The_schema_file_shows_what_the_migrations_make()
    {
        await using var database = await (await SharedPostgres.GetAsync()).NewEmptyDatabaseAsync();
        await DatabaseMigrator.MigrateAsync(database.Source, CancellationToken.None);
        var actual = Header + Normalise(await DumpAsync(database.ConnectionString));

        var path = Path.Combine(Repository.Root(), "migrations", "schema.sql");
        if (Environment.GetEnvironmentVariable(Update) == "1") await File.WriteAllTextAsync(path, actual);
        Assert.That(await File.ReadAllTextAsync(path), Is.EqualTo(actual), $"The migrations make another schema. Write the file anew with {Update}=1 and review the difference.");
    }

    private static async Task<string> DumpAsync(string connectionString)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo(
            "pg_dump",
            [
                "--schema-only", "--no-owner", "--no-privileges", "--exclude-table=\"__EFMigrationsHistory\"", "--exclude-table=*_default",
                "-h", connection.Host!, "-p", connection.Port.ToString(CultureInfo.InvariantCulture), "-U", connection.Username!, "-d", connection.Database!,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PGPASSWORD"] = connection.Password;
        Process dump;
        try
        {
            dump = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("pg_dump is not on this machine, so the file was not checked.");
            throw;
        }
        using (dump)
        {
            var error = dump.StandardError.ReadToEndAsync();
            var output = await dump.StandardOutput.ReadToEndAsync();
            await dump.WaitForExitAsync();
            Assert.That(dump.ExitCode, Is.Zero, await error);
            return output;
        }
    }

    /// <summary>Leaves out comments, session settings and what else differs from one version of pg_dump to the next.</summary>
    private static string Normalise(string dump)
    {
        var text = new StringBuilder();
        var blank = true;
        foreach (var line in dump.Split('\n').Select(line => line.TrimEnd()))
        {
            if (line.StartsWith("--", StringComparison.Ordinal)
                || line.StartsWith("SET ", StringComparison.Ordinal)
                || line.StartsWith('\\')
                || line.StartsWith("SELECT pg_catalog.", StringComparison.Ordinal))
                continue;
            if (line.Length == 0 && blank) continue;
            text.Append(line.Replace("public.", "", StringComparison.Ordinal)).Append('\n');
            blank = line.Length == 0;
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }
}
