using System.Numerics;

namespace SignupGuard.Simulation.Randomness;

/// <summary>
/// xoshiro256**, seeded by SplitMix64. Own, because the platform's generator is not promised to stay the same between versions.
/// Every actor has a source of its own, so that one more draw here does not change the world there. Not thread-safe.
/// </summary>
internal sealed class RandomSource
{
    private ulong _a, _b, _c, _d;

    public RandomSource(ulong seed)
    {
        _a = SplitMix(ref seed);
        _b = SplitMix(ref seed);
        _c = SplitMix(ref seed);
        _d = SplitMix(ref seed);
    }

    /// <summary>A source of its own for a named actor; the same seed and name give the same source.</summary>
    public static RandomSource For(ulong seed, string name, ulong index = 0) => new(Mix(Mix(seed ^ Hash(name)) + index));

    /// <summary>FNV-1a over UTF-16 units, finalised.</summary>
    public static ulong Hash(ReadOnlySpan<char> text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text) hash = (hash ^ c) * 1099511628211UL;
        return Mix(hash);
    }

    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }

    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>0 inclusive to 1 exclusive.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Unit() < probability;

    /// <summary>0 to <paramref name="bound"/> exclusive.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Both ends included.</summary>
    public int Between(int low, int high) => low + Below(high - low + 1);

    public double Between(double low, double high) => low + (high - low) * Unit();

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>A rank of 0 to <paramref name="count"/> exclusive, low ones likelier: rank r about as 1 / (r + softness).</summary>
    public int Rank(int count, double softness = 3)
    {
        var reach = PortableMath.Ln((count + softness) / softness);
        var rank = (int)(softness * (PortableMath.Exp(Unit() * reach) - 1));
        return rank < count ? rank : count - 1;
    }

    /// <summary>A number of fixed mean and deviation 1 around 0 (Marsaglia's polar method).</summary>
    public double Normal()
    {
        while (true)
        {
            var x = 2 * Unit() - 1;
            var y = 2 * Unit() - 1;
            var square = x * x + y * y;
            if (square is >= 1 or 0) continue;
            return x * Math.Sqrt(-2 * PortableMath.Ln(square) / square);
        }
    }

    public double LogNormal(double median, double sigma) => median * PortableMath.Exp(sigma * Normal());

    public double Exponential(double mean) => -mean * PortableMath.Ln(1 - Unit());

    /// <summary>Lower-case hexadecimal digits.</summary>
    public string Hex(int digits) => string.Create(digits, this, static (span, source) =>
    {
        ulong bits = 0;
        for (var i = 0; i < span.Length; i++)
        {
            if (i % 16 == 0) bits = source.Next();
            span[i] = "0123456789abcdef"[(int)(bits & 15)];
            bits >>= 4;
        }
    });

    private static ulong SplitMix(ref ulong state) => Mix(state += 0x9E3779B97F4A7C15UL);
}

/// <summary>A choice among weighted items.</summary>
internal sealed class Weighted<T>
{
    private readonly T[] _items;
    private readonly double[] _cumulative;

    public Weighted(IEnumerable<(T Item, double Weight)> items)
    {
        var list = items.Where(item => item.Weight > 0).ToList();
        _items = [.. list.Select(item => item.Item)];
        _cumulative = new double[list.Count];
        var sum = 0.0;
        for (var i = 0; i < list.Count; i++) _cumulative[i] = sum += list[i].Weight;
    }

    public Weighted(params (T Item, double Weight)[] items)
        : this(items.AsEnumerable())
    {
    }

    public IReadOnlyList<T> Items => _items;

    public bool IsEmpty => _items.Length == 0;

    public T Pick(RandomSource random)
    {
        var at = random.Unit() * _cumulative[^1];
        if (_cumulative.Length <= 12)
        {
            var i = 0;
            while (_cumulative[i] <= at) i++;
            return _items[i];
        }
        var found = Array.BinarySearch(_cumulative, at);
        return _items[found < 0 ? ~found : found + 1];
    }
}
