using SignupGuard.Core.Linkage;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Policies;

/// <summary>All that a rule can read of one signup: what was sent, what was derived, what it links to.</summary>
public sealed class Facts(Signup signup, SignupSignals signals, IReadOnlyList<Link> links)
{
    public Signup Signup { get; } = signup;

    public SignupSignals Signals { get; } = signals;

    public IReadOnlyList<Link> Links { get; } = links;

    /// <summary>The link of a kind; null when the signup lacks the key, which is missing and not a count of 0.</summary>
    public Link? Link(KeyKind kind)
    {
        for (var i = 0; i < Links.Count; i++)
        {
            if (Links[i].Kind == kind) return Links[i];
        }
        return null;
    }
}
