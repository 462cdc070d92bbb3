using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Screening;
using SignupGuard.Service.Screening.Collectors;
using SignupGuard.Service.Transport;
using SignupGuard.Service.Transport.Validation;

namespace SignupGuard.Service.Screening;

/// <summary>
/// Steps 1 to 4 without a host or a database: what evaluation in memory begins with. The same checks, signals and keys as the service.
/// Thread-safe.
/// </summary>
public sealed class OfflinePreparation : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly SignalCollection _signals;
    private readonly RequestValidation _validation = new(TimeProvider.System);
    private readonly LinkKeyDerivation _keys;

    /// <param name="configuration">Of the signals' reference data.</param>
    public OfflinePreparation(IConfiguration configuration, IReadOnlyList<LinkageRule> linkage)
    {
        _services = new ServiceCollection().AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning)).AddSignals(configuration).BuildServiceProvider();
        _signals = _services.GetRequiredService<SignalCollection>();
        // Nothing is stored, so the secret protects nothing: a fixed one makes runs alike.
        _keys = new LinkKeyDerivation(new KeyHasher(new byte[KeyHasher.KeyBytes]), linkage);
    }

    /// <summary>The signup ready to be linked; null when it breaks a bound of the contract.</summary>
    public LinkableSignup? Prepare(V1.Signup message, out IReadOnlyList<FieldViolation> violations)
    {
        violations = _validation.Check(message);
        if (violations.Count > 0) return null;
        var signup = SignupMap.ToCore(message);
        var signals = _signals.Collect(signup);
        return new LinkableSignup(signup, signals, _keys.Derive(Tenancy.Default, signup, signals));
    }

    public void Dispose() => _services.Dispose();
}
