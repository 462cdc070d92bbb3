namespace SignupGuard.Service.Transport;

/// <summary>The contract's ReviewService, over gRPC and as JSON over HTTP. Translates; decides nothing.</summary>
internal sealed partial class ReviewGrpcService : V1.ReviewService.ReviewServiceBase
{
}
