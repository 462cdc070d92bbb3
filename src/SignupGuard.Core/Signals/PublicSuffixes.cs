using System.Collections.Frozen;

namespace SignupGuard.Core.Signals;

/// <summary>The public suffix list: where the part of a domain that one registers begins. Private suffixes (dynamic-DNS hosts and the like) count.</summary>
public sealed class PublicSuffixes
{
    private readonly FrozenSet<string> _rules;
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    private PublicSuffixes(FrozenSet<string> rules)
    {
        _rules = rules;
        _lookup = rules.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public int Count => _rules.Count;

    /// <summary>Reads rules in the list's own notation ("co.uk", "*.ck", "!www.ck"), ASCII or not; those that are no domain are left out.</summary>
    public static PublicSuffixes Read(IEnumerable<string> rules)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var rule in rules)
        {
            var prefix = rule.StartsWith("*.", StringComparison.Ordinal) ? "*." : rule.StartsWith('!') ? "!" : "";
            if (DomainName.ToAscii(rule.AsSpan(prefix.Length), requireDot: false) is { } ascii) kept.Add(prefix + ascii);
        }
        return new PublicSuffixes(kept.ToFrozenSet(StringComparer.Ordinal));
    }

    /// <summary>Where the registrable domain starts in an ASCII, lower-case domain; −1 when the domain is itself a public suffix.</summary>
    public int RegistrableStart(ReadOnlySpan<char> domain)
    {
        // From the whole domain towards its end: the first rule met is the longest. `previous` is the start of the label before.
        var previous = -1;
        for (var start = 0; ;)
        {
            var rest = domain[start..];
            if (Exception(rest)) return start;
            if (_lookup.Contains(rest)) return previous;
            var dot = rest.IndexOf('.');
            // No rule: the list's default is that the last label is the suffix.
            if (dot < 0) return previous;
            if (Wildcard(rest[(dot + 1)..])) return previous;
            previous = start;
            start += dot + 1;
        }
    }

    private bool Exception(ReadOnlySpan<char> domain) => Contains("!", domain);

    private bool Wildcard(ReadOnlySpan<char> parent) => Contains("*.", parent);

    private bool Contains(ReadOnlySpan<char> prefix, ReadOnlySpan<char> domain)
    {
        Span<char> rule = stackalloc char[DomainName.LengthMax + 2];
        prefix.CopyTo(rule);
        domain.CopyTo(rule[prefix.Length..]);
        return _lookup.Contains(rule[..(prefix.Length + domain.Length)]);
    }
}
