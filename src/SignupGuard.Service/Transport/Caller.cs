using Grpc.Core;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Audit;

namespace SignupGuard.Service.Transport;

/// <summary>
/// Who makes a call: the one place that says so. Until callers are authenticated it is what the caller asserts in the metadata (or HTTP
/// header) <c>signupguard-actor</c>; a verified identity will take the same place.
/// </summary>
internal static class Caller
{
    public const string ActorHeader = "signupguard-actor";

    /// <summary>Whoever makes a call that only reads, where they say it; null where not.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT as <see cref="Actor"/>.</exception>
    public static string? ActorIfSaid(ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return string.IsNullOrWhiteSpace(context.RequestHeaders.GetValue(ActorHeader)) ? null : Actor(context);
    }

    /// <summary>Whoever makes a call that changes something; it goes to the audit.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED when it is not said; INVALID_ARGUMENT when it is said twice, or breaks its bounds.</exception>
    public static string Actor(ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var said = context.RequestHeaders.GetAll(ActorHeader).ToList();
        if (said.Count == 0 || (said.Count == 1 && string.IsNullOrWhiteSpace(said[0].Value))) throw Refusal.ActorUnknown().ToRpcException();
        var actor = said[0].Value.Trim();
        // HTTP joins headers that are there twice by a comma: no name has one.
        return said.Count == 1 && actor.Length <= AuditEntry.ActorCharactersMax && !actor.AsSpan().ContainsAnyExceptInRange(' ', '~') && !actor.Contains(',', StringComparison.Ordinal)
            ? actor
            : throw Refusal.Invalid([new FieldViolation(ActorHeader, ViolationCode.InvalidFormat, $"One name of at most {AuditEntry.ActorCharactersMax} printable ASCII characters, without a comma.")]).ToRpcException();
    }
}
