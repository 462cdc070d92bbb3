namespace SignupGuard.Core.Linkage;

/// <summary>The links of one signup, by <see cref="LinkageRule.Index"/>. Reused from signup to signup: copy what is kept.</summary>
public sealed class LinkSet(IReadOnlyList<LinkageRule> rules)
{
    private readonly Link[] _links = new Link[rules.Count];

    public IReadOnlyList<LinkageRule> Rules { get; } = rules;

    public int Count => _links.Length;

    public ref Link this[int index] => ref _links[index];

    /// <summary>Whether the signup has any key at all.</summary>
    public bool Any
    {
        get
        {
            foreach (ref readonly var link in _links.AsSpan())
            {
                if (link.Present) return true;
            }
            return false;
        }
    }

    public void Clear() => Array.Clear(_links);
}
