using Grpc.Core;
using SignupGuard.Service.Reviews;
using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Reviews;

namespace SignupGuard.Service.Transport;

/// <summary>
/// The contract's ReviewService, over gRPC and as JSON over HTTP: what reviewers do (ReviewGrpcService.Work.cs) and what they read. Translates; decides nothing.
/// </summary>
internal sealed partial class ReviewGrpcService(CaseWork work, CaseReading reading, ExemptionReader exemptions, ReviewStatistics statistics) : V1.ReviewService.ReviewServiceBase
{
    /// <exception cref="RpcException">INVALID_ARGUMENT, naming the fields.</exception>
    private static void Demand(IReadOnlyList<FieldViolation> violations)
    {
        if (violations.Count > 0) throw Refusal.Invalid(violations).ToRpcException();
    }
}
