using System.Text.RegularExpressions;
using Grpc.Core;
using SignupGuard.Core.Policies;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Policies;

/// <summary>One admin at work on a service.</summary>
internal sealed class TestAdmin(TestService service, string name)
{
    public PolicyService.PolicyServiceClient Client { get; } = new(service.Channel);

    public Metadata Headers => new() { { "signupguard-actor", name } };

    /// <summary>The shipped policy with every signup reviewed: its threshold is next to nothing. A verdict shows who decided.</summary>
    public static string ReviewsAll { get; } = Changed(@"\breview: [\d.]+", "review: 0.0001");

    /// <summary>The shipped policy with one thing changed, found by pattern: its numbers are not the tests' concern.</summary>
    public static string Changed(string pattern, string to, string? yaml = null)
    {
        var once = new Regex(pattern);
        Assert.That(DefaultPolicy.Yaml, Does.Match(pattern));
        return once.Replace(yaml ?? DefaultPolicy.Yaml, to, 1);
    }

    public async Task<PolicySummary> DraftAsync(string yaml, string note = "") => (await Client.CreateDraftAsync(new CreateDraftRequest { Yaml = yaml, Note = note }, Headers)).Policy;

    public async Task<PolicySummary> UpdateAsync(PolicySummary draft, string yaml, long baseVersion = 0) =>
        (await Client.UpdateDraftAsync(
            new UpdateDraftRequest
            {
                Version = draft.Version,
                Etag = draft.Etag,
                Yaml = yaml,
                BaseVersion = baseVersion,
            },
            Headers)).Policy;

    public async Task<PolicySummary> RequestAsync(PolicySummary draft, string note = "") =>
        (await Client.RequestPublishAsync(
            new RequestPublishRequest
            {
                Version = draft.Version,
                Etag = draft.Etag,
                Note = note,
            },
            Headers)).Policy;

    public async Task<PolicySummary> ApproveAsync(PolicySummary requested, string note = "") =>
        (await Client.ApprovePublishAsync(
            new ApprovePublishRequest
            {
                Version = requested.Version,
                Etag = requested.Etag,
                Note = note,
            },
            Headers)).Policy;

    public async Task<PolicySummary> RejectAsync(PolicySummary requested, string reason) =>
        (await Client.RejectPublishAsync(
            new RejectPublishRequest
            {
                Version = requested.Version,
                Etag = requested.Etag,
                Reason = reason,
            },
            Headers)).Policy;

    public async Task<PolicySummary> RollbackAsync(long version, string reason = "it misjudges", long expected = 0) =>
        (await Client.RollbackAsync(
            new RollbackRequest
            {
                Version = version,
                Reason = reason,
                ExpectedActiveVersion = expected,
            },
            Headers)).Policy;

    public async Task<PolicySummary> ShadowAsync(PolicySummary draft) =>
        (await Client.SetShadowAsync(
            new SetShadowRequest
            {
                Version = draft.Version,
                Etag = draft.Etag,
            },
            Headers)).Policy;

    public async Task<PolicySummary> EndShadowAsync(PolicySummary draft) =>
        (await Client.ClearShadowAsync(
            new ClearShadowRequest
            {
                Version = draft.Version,
                Etag = draft.Etag,
            },
            Headers)).Policy;

    public async Task<GetPolicyResponse> GetAsync(long version) => await Client.GetPolicyAsync(new GetPolicyRequest { Version = version });

    /// <summary>Brings a document live with another admin's help.</summary>
    public async Task<PolicySummary> PublishAsync(string yaml, TestAdmin approver) => await approver.ApproveAsync(await RequestAsync(await DraftAsync(yaml)));

    /// <summary>The reason of the refusal, which it must be.</summary>
    public static async Task<(StatusCode Code, string Reason, Google.Rpc.BadRequest? Violations)> RefusedAsync(Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(call);
        var status = refused!.GetRpcStatus()!;
        return (refused.StatusCode, status.GetDetail<Google.Rpc.ErrorInfo>().Reason, status.GetDetail<Google.Rpc.BadRequest>());
    }
}
