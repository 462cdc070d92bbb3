using Google.Rpc;
using Grpc.Core;

namespace SignupGuard.Console.Components;

/// <summary>What the service refuses, as a person reads it.</summary>
internal static class Refusals
{
    public static string Words(RpcException refusal)
    {
        if (refusal.StatusCode == StatusCode.Unimplemented) return "This service does not answer that call. Is it older than these pages?";
        if (refusal.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded) return "The service does not answer now. Try again in a moment.";
        var violations = refusal.GetRpcStatus()?.GetDetail<BadRequest>()?.FieldViolations;
        return violations is { Count: > 0 }
            ? string.Join(" ", violations.Select(violation => violation.Field.Length == 0 ? violation.Description : $"{violation.Field}: {violation.Description}"))
            : refusal.Status.Detail;
    }

    /// <summary>The stable reason; empty when it has none.</summary>
    public static string Reason(RpcException refusal) => refusal.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason ?? "";
}
