using Npgsql;
using SignupGuard.Migrations;
using SignupGuard.Storage;
using SignupGuard.Storage.Partitions;

const string Variable = "ConnectionStrings__SignupGuard";
const string Usage = $"Usage: SignupGuard.Migrations [--connection STRING]\nWithout --connection the variable {Variable} is taken. A password file is named in the string: Passfile=PATH.";

string? connectionString;
switch (args)
{
    case []:
        connectionString = Environment.GetEnvironmentVariable(Variable);
        break;
    case ["--connection", var given]:
        connectionString = given;
        break;
    case ["--help" or "-h"]:
        Console.WriteLine(Usage);
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
if (string.IsNullOrWhiteSpace(connectionString))
{
    Console.Error.WriteLine($"No database: give --connection or set {Variable}.");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    await using var source = SignupGuardDataSource.Create(connectionString);
    var applied = await DatabaseMigrator.MigrateAsync(source, stop.Token);
    foreach (var name in applied) Console.WriteLine($"applied {name}");
    if (applied.Count == 0) Console.WriteLine("the schema is current");
    foreach (var name in await new PartitionMaintenance(source, TimeProvider.System).EnsureAsync(stop.Token)) Console.WriteLine($"created {name}");
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("Stopped; the migration under way was rolled back.");
    return 130;
}
catch (Exception failure) when (failure is NpgsqlException or InvalidOperationException or ArgumentException)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}
