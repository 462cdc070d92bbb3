using Microsoft.Extensions.DependencyInjection.Extensions;
using SignupGuard.Service.ReferenceData;

namespace SignupGuard.Service.Screening.Collectors;

/// <summary>Registration of the signals.</summary>
public static class SignalServices
{
    /// <summary>
    /// Adds <see cref="SignalCollection"/> and its <see cref="ReferenceDataStore"/>, with the options of the section <c>Signals</c>
    /// checked at start, and the look-out for changed files.
    /// </summary>
    public static IServiceCollection AddSignals(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SignalOptions>().Bind(configuration.GetSection(SignalOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ReferenceDataStore>();
        services.AddSingleton<SignalCollection>();
        services.AddHostedService<ReferenceDataPoller>();
        return services;
    }
}
