using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Policies;

/// <summary>All that a rule can read of one signup: what was sent, what was derived, what it links to.</summary>
/// <param name="links">Read while the signup is judged; reused after.</param>
/// <param name="cluster">Null while the signup belongs to no known network.</param>
/// <param name="lists">The lists the signup is on; null for none.</param>
public sealed class Facts(Signup signup, SignupSignals signals, LinkSet links, ClusterFacts? cluster, ListHits? lists = null)
{
    public Signup Signup { get; } = signup;

    public SignupSignals Signals { get; } = signals;

    public LinkSet Links { get; } = links;

    public ClusterFacts? Cluster { get; } = cluster;

    public ListHits Lists { get; } = lists ?? ListHits.None;
}
