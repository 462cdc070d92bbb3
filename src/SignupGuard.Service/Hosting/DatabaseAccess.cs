using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using SignupGuard.Core.Linkage;
using SignupGuard.Migrations;
using SignupGuard.Service.Embedded;
using SignupGuard.Service.Screening;
using SignupGuard.Storage;

namespace SignupGuard.Service.Hosting;

/// <summary>
/// The database and the keys that go with it: the configured one with the configured keys, or, with no connection string, a private
/// Postgres with keys of its own. Never a configured database with made-up keys, which would quietly link nobody to anybody.
/// </summary>
internal sealed class DatabaseAccess : IAsyncDisposable
{
    /// <summary>How long a start waits for a database that is starting too.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan WaitStep = TimeSpan.FromMilliseconds(250);

    private readonly EmbeddedPostgres? _embedded;

    private DatabaseAccess(EmbeddedPostgres? embedded, NpgsqlDataSource source, KeyHasher hasher, FactsCipher cipher)
    {
        _embedded = embedded;
        Source = source;
        Hasher = hasher;
        Cipher = cipher;
    }

    public NpgsqlDataSource Source { get; }

    public KeyHasher Hasher { get; }

    public FactsCipher Cipher { get; }

    /// <summary>Where the private Postgres keeps its data; null with a configured database.</summary>
    public string? DataFolder => _embedded?.DataFolder;

    /// <exception cref="HostStartException">It can't be had; the message says what helps.</exception>
    public static async Task<DatabaseAccess> OpenAsync(IConfiguration configuration, ILoggerFactory logs, CancellationToken cancellation)
    {
        var secrets = new SecretsOptions();
        configuration.GetSection(SecretsOptions.Section).Bind(secrets);
        var check = new SecretsOptionsValidator().Validate(null, secrets);
        if (check.Failed) throw new HostStartException(check.FailureMessage);
        return configuration.GetConnectionString("SignupGuard") is { Length: > 0 } connectionString
            ? await OpenConfiguredAsync(connectionString, secrets, cancellation)
            : await OpenEmbeddedAsync(configuration, logs, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        if (_embedded is not null) await _embedded.DisposeAsync();
    }

    private static async Task<DatabaseAccess> OpenConfiguredAsync(string connectionString, SecretsOptions secrets, CancellationToken cancellation)
    {
        var (hasher, cipher) = secrets.Read();
        NpgsqlDataSource source;
        try
        {
            // As whoever logs in: while the schema is not there, its role is not either.
            await using var login = SignupGuardDataSource.Create(connectionString, builder => builder.ConnectionStringBuilder.Pooling = false);
            await WaitAsync(login, cancellation);
            await CheckSchemaAsync(login, cancellation);
            source = SignupGuardDataSource.CreateForService(connectionString);
        }
        catch (ArgumentException failure)
        {
            // Npgsql's message names the keyword, not its value.
            throw new HostStartException($"ConnectionStrings:SignupGuard can't be read: {failure.Message}", failure);
        }
        try
        {
            await CheckRoleAsync(source, cancellation);
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
        return new DatabaseAccess(null, source, hasher, cipher);
    }

    private static async Task<DatabaseAccess> OpenEmbeddedAsync(IConfiguration configuration, ILoggerFactory logs, CancellationToken cancellation)
    {
        var options = configuration.GetSection("Embedded").Get<EmbeddedPostgresOptions>() ?? new EmbeddedPostgresOptions();
        EmbeddedPostgres embedded;
        try
        {
            embedded = await EmbeddedPostgres.StartAsync(options, logs.CreateLogger<EmbeddedPostgres>(), cancellation);
        }
        catch (EmbeddedPostgresException failure)
        {
            throw new HostStartException(failure.Message, failure);
        }
        NpgsqlDataSource? source = null;
        try
        {
            await using (var owner = SignupGuardDataSource.Create(embedded.ConnectionString, builder => builder.ConnectionStringBuilder.Pooling = false))
                await DatabaseMigrator.MigrateAsync(owner, cancellation);
            source = SignupGuardDataSource.CreateForService(embedded.ConnectionString);
            await CheckRoleAsync(source, cancellation);
            return new DatabaseAccess(
                embedded,
                source,
                new KeyHasher(embedded.Secrets.LinkKey),
                new FactsCipher(keyId: 1, new Dictionary<byte, byte[]> { [1] = embedded.Secrets.FactsKey }));
        }
        catch
        {
            if (source is not null) await source.DisposeAsync();
            await embedded.DisposeAsync();
            throw;
        }
    }

    private static async Task WaitAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(cancellation);
                return;
            }
            catch (PostgresException refused) when (!Fault.IsPassing(refused))
            {
                throw new HostStartException($"The database refuses the connection: {refused.MessageText} ({refused.SqlState}).", refused);
            }
            catch (Exception failure) when (Fault.IsPassing(failure))
            {
                if (TimeProvider.System.GetElapsedTime(started) > WaitMax)
                    throw new HostStartException($"The database can't be reached: {failure.Message} It was tried for {WaitMax.TotalSeconds:N0} seconds.", failure);
                await Task.Delay(WaitStep, cancellation);
            }
        }
    }

    /// <summary>The service must not be able to change its audit.</summary>
    private static async Task CheckRoleAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        const string Help =
            $"Migrations make the role {ServiceRole.Name}; the service's log-in must be a member of it (GRANT {ServiceRole.Name} TO …). "
            + "Behind a pooler that drops start-up options, log in as a member that owns nothing.";
        try
        {
            await using var command = source.CreateCommand("SELECT bool_or(has_table_privilege('audit', privilege)) FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege");
            if (await command.ExecuteScalarAsync(cancellation) is not false)
                throw new HostStartException($"The service would work under a database role that may change the audit. {Help}");
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new HostStartException($"The database refuses the role the service works under: {refused.MessageText} ({refused.SqlState}). {Help}", refused);
        }
    }

    private static async Task CheckSchemaAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        var options = new DbContextOptionsBuilder<SignupGuardDbContext>();
        SignupGuardDbContext.Configure(options, source);
        await using var context = new SignupGuardDbContext(options.Options);
        var pending = (await context.Database.GetPendingMigrationsAsync(cancellation)).ToList();
        if (pending.Count > 0)
            throw new HostStartException(
                $"The database lacks {pending.Count} migrations, the first: {pending[0]}. Apply them before the service starts: dotnet run --project migrations/SignupGuard.Migrations.");
    }
}
