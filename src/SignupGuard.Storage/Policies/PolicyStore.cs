using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using SignupGuard.Core.Policies;

namespace SignupGuard.Storage.Policies;

/// <summary>Reads the active policy; stores the shipped one as version 1 of a new installation.</summary>
public sealed class PolicyStore(IDbContextFactory<SignupGuardDbContext> contexts)
{
    public const long FirstVersion = 1;

    /// <summary>Author of the policy that comes with the product.</summary>
    public const string ShippedBy = "shipped";

    /// <summary>SHA-256 of a document's text in UTF-8.</summary>
    public static byte[] ContentHash(string yaml) => SHA256.HashData(Encoding.UTF8.GetBytes(yaml));

    /// <summary>The number of the active version, without reading it: cheap enough to ask every second.</summary>
    public async Task<long> ActiveVersionAsync(CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        return await context.Policies.AsNoTracking().Where(policy => policy.Active).Select(policy => policy.Version).SingleAsync(cancellation);
    }

    /// <summary>The active version. On an empty database the shipped policy becomes version 1; two replicas starting together agree.</summary>
    /// <exception cref="InvalidDataException">The stored version does not validate; nothing must be screened by half a policy.</exception>
    public async Task<Policy> LoadActiveAsync(TimeProvider clock, CancellationToken cancellation)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellation);
        var now = clock.GetUtcNow();
        await context.Database.ExecuteSqlAsync(
            $"""
            WITH first AS (
                INSERT INTO policies (version, yaml, content_hash, name, state, active, author, created_at, changed_by, changed_at)
                SELECT {FirstVersion}, {DefaultPolicy.Yaml}, {ContentHash(DefaultPolicy.Yaml)}, 'default', 'active', true, {ShippedBy}, {now}, {ShippedBy}, {now}
                WHERE NOT EXISTS (SELECT FROM policies)
                ON CONFLICT DO NOTHING
                RETURNING version)
            INSERT INTO policy_activations (version, kind, actor, activated_at) SELECT version, 'shipped', {ShippedBy}, {now} FROM first
            """,
            cancellation);
        var stored = await context.Policies.AsNoTracking().SingleAsync(policy => policy.Active, cancellation);
        var reading = PolicyReader.Read(stored.Yaml, stored.Version);
        return reading.Policy ?? throw new InvalidDataException(
            $"Policy version {stored.Version} does not validate: {string.Join("; ", reading.Issues.Select(issue => $"{issue.Path}: {issue.Message}"))}");
    }
}
