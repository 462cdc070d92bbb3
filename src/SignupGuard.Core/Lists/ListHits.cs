using SignupGuard.Cel;
using SignupGuard.Core.Decisions;

namespace SignupGuard.Core.Lists;

/// <summary>The lists that a signup is on, allow before deny before watch, each by name. Immutable.</summary>
public sealed class ListHits
{
    /// <summary>UTF-16 code units of a list's name, and of an entry's reason.</summary>
    public const int TextCharactersMax = 256;

    private static readonly CelValue NoNames = CelValue.From(Array.Empty<CelValue>());

    private readonly ListHit[] _hits;

    private ListHits(ListHit[] hits)
    {
        _hits = hits;
        Outright = hits.Length == 0 ? null
            : hits[0].Effect == ListEffect.Allow ? Verdict.Allow
            : hits[0].Effect == ListEffect.Deny ? Verdict.Deny
            : null;
        (Names, Watch) = hits.Length == 0 ? (NoNames, NoNames) : (NamesOf(hits), NamesOf(hits.Where(hit => hit.Effect == ListEffect.Watch)));
    }

    public static readonly ListHits None = new([]);

    public static ListHits Of(IEnumerable<ListHit> hits)
    {
        ListHit[] ordered = [.. hits.OrderByDescending(hit => hit.Effect).ThenBy(hit => hit.List, StringComparer.Ordinal)];
        return ordered.Length == 0 ? None : new ListHits(ordered);
    }

    public IReadOnlyList<ListHit> All => _hits;

    /// <summary>Allow wins over deny: an allow entry is someone's explicit exemption. Null when only watched, or on no list.</summary>
    public Verdict? Outright { get; }

    /// <summary>Names of all lists, for rules.</summary>
    public CelValue Names { get; }

    /// <summary>Names of watch lists, for rules.</summary>
    public CelValue Watch { get; }

    private static CelValue NamesOf(IEnumerable<ListHit> hits) => CelValue.From(hits.Select(hit => CelValue.From(hit.List)).ToArray());
}
