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
            policy.ToTable("policies", table => table.HasCheckConstraint("policies_active_check", "active = (state = 'active')"));
            policy.HasKey(p => p.Version);
            policy.Property(p => p.Version).ValueGeneratedNever();
            policy.Property(p => p.Yaml).HasMaxLength(Core.Policies.PolicyReader.DocumentCharactersMax);
            policy.Property(p => p.Name).HasMaxLength(Core.Policies.PolicyReader.NameCharactersMax);
            policy.Property(p => p.State).HasMaxLength(32).HasConversion(state => PolicyStateWords.Word(state), word => PolicyStateWords.State(word));
            // A change that read another revision is refused.
            policy.Property(p => p.Revision).IsConcurrencyToken();
            foreach (var person in (string[])[nameof(StoredPolicy.Author), nameof(StoredPolicy.ChangedBy), nameof(StoredPolicy.ShadowBy), nameof(StoredPolicy.RequestedBy), nameof(StoredPolicy.ApprovedBy)])
                policy.Property(person).HasMaxLength(Audit.AuditEntry.ActorCharactersMax);
            foreach (var note in (string[])[nameof(StoredPolicy.Note), nameof(StoredPolicy.RequestNote), nameof(StoredPolicy.ApprovalNote)])
                policy.Property(note).HasMaxLength(Audit.AuditEntry.NoteCharactersMax);
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
