using SignupGuard.Core.Clusters;
using SignupGuard.Core.Decisions;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Screening;

/// <summary>What a stream in memory keeps of a signup for its second look: about 300 bytes, a tenth of the signup with its signals.</summary>
internal struct RememberedSignup
{
    public RememberedSignup(LinkableSignup signup, Standing? standing, Verdict verdict)
    {
        AtMs = signup.AtMs;
        DomainRegisteredMs = signup.Signup.Email?.DomainRegisteredAt?.ToUnixTimeMilliseconds();
        Keys = new CompactKeys(signup.Keys);
        Lists = signup.Lists;
        Standing = standing;
        Whole = standing is null ? signup : null;
        Verdict = verdict;
    }

    public long AtMs { get; }

    public long? DomainRegisteredMs { get; }

    public CompactKeys Keys { get; }

    public ListHits Lists { get; }

    /// <summary>Null where the signup itself is kept.</summary>
    public Standing? Standing { get; }

    public LinkableSignup? Whole { get; }

    public Verdict Verdict { get; set; }

    public Label Label { get; set; }
}

/// <summary>The signups of a stream by ordinal, from the oldest still remembered on. Ordinals begin with 1 and have no gaps.</summary>
internal sealed class RememberedSignups
{
    private const int BlockBits = 10;
    private const int BlockSize = 1 << BlockBits;

    private readonly List<RememberedSignup[]> _blocks = [];
    private long _firstBlock;
    private long _oldest = 1;
    private long _next = 1;

    public bool Contains(long ordinal) => ordinal >= _oldest && ordinal < _next;

    /// <summary>One that is <see cref="Contains">contained</see>.</summary>
    public ref RememberedSignup this[long ordinal] => ref _blocks[(int)((ordinal >> BlockBits) - _firstBlock)][(int)(ordinal & (BlockSize - 1))];

    /// <summary>Adds the next signup, and says its ordinal.</summary>
    public long Add(in RememberedSignup signup)
    {
        var ordinal = _next++;
        if ((ordinal >> BlockBits) - _firstBlock == _blocks.Count) _blocks.Add(new RememberedSignup[BlockSize]);
        this[ordinal] = signup;
        return ordinal;
    }

    /// <summary>Forgets the oldest, up to the first that occurred at this time or later.</summary>
    public void Forget(long beforeMs)
    {
        while (_oldest < _next && this[_oldest].AtMs < beforeMs) this[_oldest++] = default;
        // The block to write next stays.
        var past = (int)(Math.Min(_oldest, _next - 1) >> BlockBits) - (int)_firstBlock;
        if (past <= 0) return;
        _blocks.RemoveRange(0, past);
        _firstBlock += past;
    }
}
