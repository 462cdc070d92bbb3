using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;
using SignupGuard.Storage;

namespace SignupGuard.Migrations;

/// <summary>
/// What <c>dotnet ef migrations add NAME --project migrations/SignupGuard.Migrations</c> asks for a context. Adding a migration compares
/// models and opens no connection.
/// </summary>
public sealed class DesignTimeContextFactory : IDesignTimeDbContextFactory<SignupGuardDbContext>
{
    public SignupGuardDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<SignupGuardDbContext>();
        SignupGuardDbContext.Configure(options, NpgsqlDataSource.Create("Host=localhost;Database=signupguard"));
        return new SignupGuardDbContext(options.Options);
    }
}
