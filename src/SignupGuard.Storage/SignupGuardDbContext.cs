using Microsoft.EntityFrameworkCore;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using SignupGuard.Storage.Policies;

namespace SignupGuard.Storage;

/// <summary>
/// What people edit and query, by EF Core. The tables that every signup touches (lanes, link_keys, signup_ids, signups, decisions) are
/// written by <see cref="Screening.ScreeningStore"/> with SQL beside its reader and are created by SQL in the migrations.
/// </summary>
public sealed class SignupGuardDbContext(DbContextOptions<SignupGuardDbContext> options) : DbContext(options)
{
    public DbSet<StoredPolicy> Policies => Set<StoredPolicy>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<StoredPolicy>(policy =>
        {
            policy.ToTable("policies");
            policy.HasKey(p => p.Version);
            policy.Property(p => p.Version).ValueGeneratedNever();
            policy.Property(p => p.Yaml).HasMaxLength(Core.Policies.PolicyReader.DocumentCharactersMax);
            policy.Property(p => p.Author).HasMaxLength(128);
            // Exactly one version is active.
            policy.HasIndex(p => p.Active).IsUnique().HasFilter("active");
        });
    }

    /// <summary>The one way to configure the context: service, migrations and tests agree on names and on where migrations live.</summary>
    public static void Configure(DbContextOptionsBuilder options, NpgsqlDataSource source) =>
        options.UseNpgsql(source, MigrationsLive).UseSnakeCaseNamingConvention();

    /// <summary>The same, on a connection that the caller opened and keeps.</summary>
    public static void Configure(DbContextOptionsBuilder options, NpgsqlConnection connection) =>
        options.UseNpgsql(connection, MigrationsLive).UseSnakeCaseNamingConvention();

    private static void MigrationsLive(NpgsqlDbContextOptionsBuilder npgsql) => npgsql.MigrationsAssembly("SignupGuard.Migrations");
}
