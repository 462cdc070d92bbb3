using SignupGuard.Core.Linkage;

namespace SignupGuard.Core.Evaluation;

/// <summary>
/// The usual first answer to fraud at signup: count accounts per key in a day and flag the crowded ones. Shipped to be measured against.
/// </summary>
public static class VelocityBaseline
{
    private static readonly LinkAttribute[] Attributes =
        [LinkAttribute.Ip, LinkAttribute.Net, LinkAttribute.Device, LinkAttribute.Card, LinkAttribute.Fingerprint, LinkAttribute.Phone, LinkAttribute.Email, LinkAttribute.Domain];

    /// <summary>The most crowded key's accounts of the last 24 hours.</summary>
    public static double Score(LinkSet links)
    {
        var most = 1d;
        foreach (var rule in links.Rules)
        {
            if (rule.Kind.Count == 1 && Attributes.Contains(rule.Kind[0]) && links[rule.Index].Present) most = Math.Max(most, links[rule.Index].Day);
        }
        return most;
    }
}

/// <summary>
/// The obvious network design: weigh each shared key by the inverse of its popularity, join accounts whose weights add up, cap hubs, and
/// flag large components. Shipped to be measured against: popularity mutes exactly the keys of a network that grows.
/// </summary>
public sealed class PairwiseBaseline
{
    /// <summary>Accounts on a key from which it is a hub and joins nobody.</summary>
    private const int HubAccounts = 200;

    /// <summary>Latest accounts of a key that a signup is compared with.</summary>
    private const int Compared = 30;

    private const double JoinWeight = 0.8;

    private readonly Dictionary<LinkKey, (int Count, Queue<int> Latest)> _keys = [];
    private readonly List<int> _parents = [];
    private readonly List<int> _sizes = [];

    /// <summary>Adds the next signup; its score is the size of its component.</summary>
    public double Score(LinkSet links)
    {
        var me = _parents.Count;
        _parents.Add(me);
        _sizes.Add(1);
        var weights = new Dictionary<int, double>();
        foreach (var rule in links.Rules)
        {
            ref readonly var link = ref links[rule.Index];
            if (!link.Present || rule.Kind.Count != 1) continue;
            var (count, latest) = _keys.TryGetValue(link.Key, out var known) ? known : (0, new Queue<int>());
            if (count is > 0 and < HubAccounts)
            {
                var weight = 1 / (1 + Math.Log(count));
                foreach (var other in latest) weights[other] = weights.GetValueOrDefault(other) + weight;
            }
            latest.Enqueue(me);
            if (latest.Count > Compared) latest.Dequeue();
            _keys[link.Key] = (count + 1, latest);
        }
        foreach (var (other, weight) in weights)
        {
            if (weight >= JoinWeight) Join(me, other);
        }
        return _sizes[Root(me)];
    }

    private void Join(int one, int two)
    {
        var (a, b) = (Root(one), Root(two));
        if (a == b) return;
        if (_sizes[a] < _sizes[b]) (a, b) = (b, a);
        _parents[b] = a;
        _sizes[a] += _sizes[b];
    }

    private int Root(int node)
    {
        while (_parents[node] != node) node = _parents[node] = _parents[_parents[node]];
        return node;
    }
}
