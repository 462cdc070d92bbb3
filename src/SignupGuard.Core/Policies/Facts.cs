using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Policies;

/// <summary>All that a rule can read of one signup: what was sent, what was derived, what it links to.</summary>
public sealed class Facts
{
    private readonly Signup? _signup;
    private readonly SignupSignals? _signals;
    private readonly long _atMs;
    private readonly long? _domainRegisteredMs;

    /// <param name="links">Read while the signup is judged; reused after.</param>
    /// <param name="cluster">Null while the signup belongs to no known network.</param>
    /// <param name="lists">The lists the signup is on; null for none.</param>
    public Facts(Signup signup, SignupSignals signals, LinkSet links, ClusterFacts? cluster, ListHits? lists = null)
    {
        _signup = signup;
        _signals = signals;
        Links = links;
        Cluster = cluster;
        Lists = lists ?? ListHits.None;
    }

    /// <summary>Of a signup of which only what stands was kept.</summary>
    /// <param name="domainRegisteredMs">As the caller found, Unix milliseconds; null when it did not look.</param>
    internal Facts(Standing standing, long atMs, long? domainRegisteredMs, LinkSet links, ClusterFacts? cluster, ListHits lists)
    {
        Standing = standing;
        _atMs = atMs;
        _domainRegisteredMs = domainRegisteredMs;
        Links = links;
        Cluster = cluster;
        Lists = lists;
    }

    public Signup Signup => _signup ?? throw NotKept();

    public SignupSignals Signals => _signals ?? throw NotKept();

    public LinkSet Links { get; }

    public ClusterFacts? Cluster { get; }

    public ListHits Lists { get; }

    /// <summary>Set when the signup itself was not kept: fields are read from here then.</summary>
    internal Standing? Standing { get; }

    /// <summary>When the signup occurred, Unix milliseconds.</summary>
    internal long AtMs => _signup?.OccurredAt.ToUnixTimeMilliseconds() ?? _atMs;

    internal long? DomainRegisteredMs => _signup is { } signup ? signup.Email?.DomainRegisteredAt?.ToUnixTimeMilliseconds() : _domainRegisteredMs;

    private static InvalidOperationException NotKept() => new("Of this signup only what stands was kept.");
}
