using SignupGuard.V1;

namespace SignupGuard.Console.Components;

/// <summary>What was searched last; kept while one goes to a signup and comes back.</summary>
internal sealed class SearchView
{
    public string Filter { get; set; } = "";

    public SignupOrder Order { get; set; }

    public int Days { get; set; } = 7;
}
