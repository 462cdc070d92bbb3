using Grpc.Core;

namespace SignupGuard.Service.Transport;

/// <summary>Whose signups a call is about: the one place that says so.</summary>
internal static class Tenancy
{
    /// <summary>Everyone's, until callers are authenticated: their identity will name the tenant, never the request.</summary>
    public const string Default = "default";

    public static string Of(ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Default;
    }
}
