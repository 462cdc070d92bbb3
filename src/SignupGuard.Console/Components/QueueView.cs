using SignupGuard.V1;

namespace SignupGuard.Console.Components;

/// <summary>How a reviewer looks at the queue; kept while they go to a case and come back, and what "next" takes from. Not in addresses: a filter may name a person's values.</summary>
internal sealed class QueueView
{
    public string Filter { get; set; } = "";

    /// <summary>Empty: open and escalated.</summary>
    public HashSet<CaseState> States { get; } = [CaseState.Open, CaseState.Escalated];

    public CaseOrder Order { get; set; } = CaseOrder.Unspecified;

    public bool Mine { get; set; }

    public string? SelectedCaseId { get; set; }

    /// <summary>The next case nobody holds, as the queue is filtered; escalated ones only where the queue shows nothing else.</summary>
    public ClaimNextRequest Next()
    {
        var request = new ClaimNextRequest { Filter = Filter };
        request.States.Add(States.Contains(CaseState.Escalated) && !States.Contains(CaseState.Open) ? CaseState.Escalated : CaseState.Open);
        return request;
    }
}
