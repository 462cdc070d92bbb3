using SignupGuard.Core.Policies;

namespace SignupGuard.Storage.Policies;

/// <summary>The words in which states are stored.</summary>
internal static class PolicyStateWords
{
    public static string Word(PolicyState state) => state switch
    {
        PolicyState.Draft => "draft",
        PolicyState.Validated => "validated",
        PolicyState.Backtested => "backtested",
        PolicyState.PublishRequested => "publish_requested",
        PolicyState.Active => "active",
        PolicyState.Superseded => "superseded",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A state without a word."),
    };

    public static PolicyState State(string word) => word switch
    {
        "draft" => PolicyState.Draft,
        "validated" => PolicyState.Validated,
        "backtested" => PolicyState.Backtested,
        "publish_requested" => PolicyState.PublishRequested,
        "active" => PolicyState.Active,
        "superseded" => PolicyState.Superseded,
        _ => throw new InvalidDataException("A policy's state is none of this version's."),
    };
}
