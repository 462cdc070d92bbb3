using Grpc.Core;
using Grpc.Core.Interceptors;
using SignupGuard.V1;

namespace SignupGuard.Console.Hosting;

/// <summary>The service as one signed-in person calls it: the same door as the API's, with their name on every call.</summary>
internal sealed class ServiceClients
{
    /// <summary>As the service reads it.</summary>
    private const string ActorHeader = "signupguard-actor";

    public ServiceClients(CallInvoker service, SignedIn signedIn)
    {
        var invoker = service.Intercept(headers =>
        {
            headers.Add(ActorHeader, signedIn.Name);
            return headers;
        });
        Screening = new ScreeningService.ScreeningServiceClient(invoker);
        Policies = new PolicyService.PolicyServiceClient(invoker);
        Lists = new ListService.ListServiceClient(invoker);
        Reviews = new ReviewService.ReviewServiceClient(invoker);
    }

    public ScreeningService.ScreeningServiceClient Screening { get; }

    public PolicyService.PolicyServiceClient Policies { get; }

    public ListService.ListServiceClient Lists { get; }

    public ReviewService.ReviewServiceClient Reviews { get; }
}
