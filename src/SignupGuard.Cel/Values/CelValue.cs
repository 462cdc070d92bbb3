using System.Globalization;

namespace SignupGuard.Cel;

/// <summary>
/// A value of the rule language: a tag, 64 bits and a reference, so that numbers, booleans and times never box.
/// Errors are values: <c>&amp;&amp;</c> and <c>||</c> absorb them where the other side decides, everything else passes them on.
/// </summary>
public readonly struct CelValue : IEquatable<CelValue>
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const int NanosecondsPerTick = 100;
    private const long MissingBit = 1;
    private const long PairsBit = 1;

    private readonly object? _reference;
    private readonly long _bits;

    /// <summary>Of a timestamp the nanoseconds, of a list or map its weight.</summary>
    private readonly int _extra;
    private readonly CelKind _kind;

    private CelValue(CelKind kind, long bits, object? reference, int extra = 0)
    {
        _kind = kind;
        _bits = bits;
        _reference = reference;
        _extra = extra;
    }

    public CelKind Kind => _kind;

    public static readonly CelValue Null = new(CelKind.Null, 0, null);
    public static readonly CelValue True = new(CelKind.Bool, 1, null);
    public static readonly CelValue False = new(CelKind.Bool, 0, null);
    public static readonly CelValue None = new(CelKind.Optional, 0, null);

    /// <summary>A fact that is not known. <paramref name="field"/> is the name rules use.</summary>
    public static CelValue Missing(string field) => new(CelKind.Error, MissingBit, field);

    /// <summary>An evaluation error. <paramref name="text"/> is constant text: it never holds a value of the facts.</summary>
    public static CelValue Error(string text) => new(CelKind.Error, 0, text);

    public static CelValue From(bool value) => new(CelKind.Bool, value ? 1 : 0, null);

    public static CelValue From(long value) => new(CelKind.Int, value, null);

    public static CelValue From(ulong value) => new(CelKind.Uint, unchecked((long)value), null);

    public static CelValue From(double value) => new(CelKind.Double, BitConverter.DoubleToInt64Bits(value), null);

    public static CelValue From(string value) => new(CelKind.String, 0, value);

    public static CelValue FromBytes(byte[] value) => new(CelKind.Bytes, 0, value);

    public static CelValue From(IReadOnlyList<CelValue> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var weight = 1L;
        for (var i = 0; i < value.Count; i++) weight += value[i].Weight;
        return new CelValue(CelKind.List, 0, value, Saturate(weight));
    }

    /// <summary>A map from string; the dictionary is used as it is, not copied.</summary>
    public static CelValue From(IReadOnlyDictionary<string, CelValue> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var weight = 1L;
        if (value.Count > 0)
        {
            foreach (var pair in value) weight += pair.Key.Length + pair.Value.Weight;
        }
        return new CelValue(CelKind.Map, 0, value, Saturate(weight));
    }

    /// <summary>A map whose keys are bool, int, uint or string.</summary>
    public static CelValue FromPairs(IReadOnlyDictionary<CelValue, CelValue> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var weight = 1L;
        foreach (var pair in value) weight += pair.Key.Weight + pair.Value.Weight;
        return new CelValue(CelKind.Map, PairsBit, value, Saturate(weight));
    }

    public static CelValue FromType(CelType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new CelValue(CelKind.Type, 0, type.Name);
    }

    /// <summary>An optional that holds <paramref name="value"/>; of an error the error.</summary>
    public static CelValue Some(in CelValue value) => value.IsError ? value : new CelValue(CelKind.Optional, 1, value);

    /// <summary>Resolution: 100 ns. An error beyond CEL's range of 292 years.</summary>
    public static CelValue From(TimeSpan value) =>
        value.Ticks is < long.MinValue / NanosecondsPerTick or > long.MaxValue / NanosecondsPerTick
            ? Error("duration out of range")
            : FromNanoseconds(value.Ticks * NanosecondsPerTick);

    internal static CelValue FromNanoseconds(long nanoseconds) => new(CelKind.Duration, nanoseconds, null);

    /// <summary>Resolution: 100 ns, UTC.</summary>
    public static CelValue From(DateTimeOffset value)
    {
        var (seconds, ticks) = Math.DivRem(value.UtcTicks - DateTimeOffset.UnixEpoch.Ticks, TimeSpan.TicksPerSecond);
        if (ticks < 0) (seconds, ticks) = (seconds - 1, ticks + TimeSpan.TicksPerSecond);
        return FromUnix(seconds, (int)ticks * NanosecondsPerTick);
    }

    /// <summary>Seconds since 1970 and the nanoseconds after them.</summary>
    internal static CelValue FromUnix(long seconds, int nanoseconds) => new(CelKind.Timestamp, seconds, null, nanoseconds);

    /// <summary>A fact that may be unknown.</summary>
    public static CelValue From(string? value, string field) => value is null ? Missing(field) : From(value);

    public static CelValue From(bool? value, string field) => value is { } known ? From(known) : Missing(field);

    public static CelValue From(long? value, string field) => value is { } known ? From(known) : Missing(field);

    public static CelValue From(double? value, string field) => value is { } known ? From(known) : Missing(field);

    public bool IsError => _kind == CelKind.Error;

    public bool IsMissing => _kind == CelKind.Error && _bits == MissingBit;

    /// <summary>Of an error its text, of a missing fact the field's name.</summary>
    public string ErrorText => IsError ? (string)_reference! : throw new InvalidOperationException("The value is no error.");

    public bool IsTrue => _kind == CelKind.Bool && _bits != 0;

    public bool IsFalse => _kind == CelKind.Bool && _bits == 0;

    public bool IsNumber => _kind is CelKind.Int or CelKind.Uint or CelKind.Double;

    public bool AsBool() => _kind == CelKind.Bool ? _bits != 0 : throw Wrong(CelKind.Bool);

    public long AsInt() => _kind == CelKind.Int ? _bits : throw Wrong(CelKind.Int);

    public ulong AsUint() => _kind == CelKind.Uint ? unchecked((ulong)_bits) : throw Wrong(CelKind.Uint);

    /// <summary>Of any number, rounded to the nearest double.</summary>
    public double AsDouble() => _kind switch
    {
        CelKind.Double => BitConverter.Int64BitsToDouble(_bits),
        CelKind.Int => _bits,
        CelKind.Uint => unchecked((ulong)_bits),
        _ => throw Wrong(CelKind.Double),
    };

    public string AsString() => _kind == CelKind.String ? (string)_reference! : throw Wrong(CelKind.String);

    public byte[] AsBytes() => _kind == CelKind.Bytes ? (byte[])_reference! : throw Wrong(CelKind.Bytes);

    public IReadOnlyList<CelValue> AsList() => _kind == CelKind.List ? (IReadOnlyList<CelValue>)_reference! : throw Wrong(CelKind.List);

    public TimeSpan AsDuration() => _kind == CelKind.Duration ? new TimeSpan(_bits / NanosecondsPerTick) : throw Wrong(CelKind.Duration);

    internal long AsNanoseconds() => _kind == CelKind.Duration ? _bits : throw Wrong(CelKind.Duration);

    /// <summary>Cut to 100 ns.</summary>
    public DateTimeOffset AsTimestamp() => _kind == CelKind.Timestamp
        ? new DateTimeOffset(DateTimeOffset.UnixEpoch.Ticks + (_bits * TimeSpan.TicksPerSecond) + (_extra / NanosecondsPerTick), TimeSpan.Zero)
        : throw Wrong(CelKind.Timestamp);

    internal (long Seconds, int Nanoseconds) AsUnix() => _kind == CelKind.Timestamp ? (_bits, _extra) : throw Wrong(CelKind.Timestamp);

    /// <summary>Of a type value CEL's name of the type.</summary>
    public string AsTypeName() => _kind == CelKind.Type ? (string)_reference! : throw Wrong(CelKind.Type);

    /// <summary>Whether an optional holds a value, and which.</summary>
    public bool TryHeld(out CelValue held)
    {
        // The out parameter may be this very value: it is read before it is set.
        var isHeld = _kind == CelKind.Optional && _bits != 0;
        held = isHeld ? (CelValue)_reference! : Null;
        return isHeld;
    }

    /// <summary>Entries of a map, in the order they were put in.</summary>
    public IEnumerable<KeyValuePair<CelValue, CelValue>> AsEntries() => _kind != CelKind.Map
        ? throw Wrong(CelKind.Map)
        : _bits == PairsBit
            ? (IReadOnlyDictionary<CelValue, CelValue>)_reference!
            : ((IReadOnlyDictionary<string, CelValue>)_reference!).Select(pair => KeyValuePair.Create(From(pair.Key), pair.Value));

    /// <summary>Items of a list or entries of a map; code points of a string are counted elsewhere.</summary>
    public int Count => _kind switch
    {
        CelKind.List => ((IReadOnlyList<CelValue>)_reference!).Count,
        CelKind.Map when _bits == PairsBit => ((IReadOnlyDictionary<CelValue, CelValue>)_reference!).Count,
        CelKind.Map => ((IReadOnlyDictionary<string, CelValue>)_reference!).Count,
        _ => throw Wrong(CelKind.List),
    };

    /// <summary>Looks a key up in a map; numbers match by value across kinds.</summary>
    public bool TryGet(in CelValue key, out CelValue value)
    {
        if (_kind != CelKind.Map) throw Wrong(CelKind.Map);
        if (_bits == PairsBit) return ((IReadOnlyDictionary<CelValue, CelValue>)_reference!).TryGetValue(key, out value);
        value = Null;
        return key._kind == CelKind.String && ((IReadOnlyDictionary<string, CelValue>)_reference!).TryGetValue((string)key._reference!, out value);
    }

    internal bool TryGet(string key, out CelValue value) => _bits == PairsBit
        ? ((IReadOnlyDictionary<CelValue, CelValue>)_reference!).TryGetValue(From(key), out value)
        : ((IReadOnlyDictionary<string, CelValue>)_reference!).TryGetValue(key, out value);

    /// <summary>How much reading the whole value takes: 1 for a number, characters for text, the sum of its items for a list.</summary>
    internal int Weight => _kind switch
    {
        CelKind.String => 1 + ((string)_reference!).Length,
        CelKind.Bytes => 1 + ((byte[])_reference!).Length,
        CelKind.List or CelKind.Map => _extra,
        CelKind.Optional => _bits == 0 ? 1 : Saturate(1L + ((CelValue)_reference!).Weight),
        _ => 1,
    };

    internal bool IsBits(CelKind kind, out long bits)
    {
        bits = _bits;
        return _kind == kind;
    }

    internal string? Text => _kind == CelKind.String ? (string)_reference! : null;

    /// <summary>CEL equality: numbers by value across kinds, NaN unequal to itself, other kinds unequal to each other, never an error.</summary>
    public bool Equals(CelValue other)
    {
        if (IsNumber && other.IsNumber) return Order(this, other) == 0;
        if (_kind != other._kind) return false;
        switch (_kind)
        {
            case CelKind.String or CelKind.Type:
                return string.Equals((string)_reference!, (string)other._reference!, StringComparison.Ordinal);
            case CelKind.Bytes:
                return AsBytes().AsSpan().SequenceEqual(other.AsBytes());
            case CelKind.List:
                var (left, right) = (AsList(), other.AsList());
                if (left.Count != right.Count) return false;
                for (var i = 0; i < left.Count; i++)
                {
                    if (!left[i].Equals(right[i])) return false;
                }
                return true;
            case CelKind.Map:
                if (Count != other.Count) return false;
                foreach (var pair in AsEntries())
                {
                    if (!other.TryGet(pair.Key, out var value) || !value.Equals(pair.Value)) return false;
                }
                return true;
            case CelKind.Optional:
                return TryHeld(out var held) ? other.TryHeld(out var otherHeld) && held.Equals(otherHeld) : !other.TryHeld(out _);
            case CelKind.Error:
                return _bits == other._bits && string.Equals((string)_reference!, (string)other._reference!, StringComparison.Ordinal);
            default:
                return _bits == other._bits && _extra == other._extra;
        }
    }

    /// <summary>What <see cref="Order"/> gives for two numbers one of which is NaN.</summary>
    internal const int Unordered = 2;

    /// <summary>What <see cref="Order"/> gives for values that have no order.</summary>
    internal const int NoOrder = 3;

    /// <summary>-1, 0 or 1 for two values of one kind or two numbers, else <see cref="Unordered"/> or <see cref="NoOrder"/>.</summary>
    internal static int Order(in CelValue left, in CelValue right)
    {
        switch (left._kind, right._kind)
        {
            case (CelKind.Int, CelKind.Int):
            case (CelKind.Bool, CelKind.Bool):
            case (CelKind.Duration, CelKind.Duration):
                return left._bits.CompareTo(right._bits);
            case (CelKind.Uint, CelKind.Uint):
                return unchecked((ulong)left._bits).CompareTo(unchecked((ulong)right._bits));
            case (CelKind.Int, CelKind.Uint):
                return left._bits < 0 || right._bits < 0 ? -1 : left._bits.CompareTo(right._bits);
            case (CelKind.Uint, CelKind.Int):
                return left._bits < 0 || right._bits < 0 ? 1 : left._bits.CompareTo(right._bits);
            case (CelKind.Double, CelKind.Double or CelKind.Int or CelKind.Uint):
            case (CelKind.Int or CelKind.Uint, CelKind.Double):
                // As doubles, which is what CEL asks for: above 2^53 neighbouring whole numbers equal one double.
                var (x, y) = (left.AsDouble(), right.AsDouble());
                return x < y ? -1 : x > y ? 1 : x == y ? 0 : Unordered;
            case (CelKind.String, CelKind.String):
                return OrderText((string)left._reference!, (string)right._reference!);
            case (CelKind.Bytes, CelKind.Bytes):
                return Math.Sign(left.AsBytes().AsSpan().SequenceCompareTo(right.AsBytes()));
            case (CelKind.Timestamp, CelKind.Timestamp):
                var seconds = left._bits.CompareTo(right._bits);
                return seconds != 0 ? seconds : left._extra.CompareTo(right._extra);
            default:
                return NoOrder;
        }
    }

    /// <summary>By code points: UTF-16 order would put the supplementary planes before U+E000.</summary>
    private static int OrderText(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length) return left.Length.CompareTo(right.Length);
        var (x, y) = (left[common], right[common]);
        return char.IsSurrogate(x) == char.IsSurrogate(y) ? x < y ? -1 : 1 : char.IsSurrogate(x) ? 1 : -1;
    }

    public override bool Equals(object? obj) => obj is CelValue other && Equals(other);

    public override int GetHashCode() => _kind switch
    {
        CelKind.Int or CelKind.Uint or CelKind.Double => AsDouble().GetHashCode(),
        CelKind.List or CelKind.Map => HashCode.Combine(_kind, Count),
        CelKind.Optional => HashCode.Combine(_kind, _bits),
        CelKind.Bytes => HashCode.Combine(_kind, AsBytes().Length),
        _ => HashCode.Combine(_kind, _bits, _reference),
    };

    public static bool operator ==(CelValue left, CelValue right) => left.Equals(right);

    public static bool operator !=(CelValue left, CelValue right) => !left.Equals(right);

    /// <summary>For tests and debugging; not for logs, since it holds values of the facts.</summary>
    public override string ToString() => _kind switch
    {
        CelKind.Error => IsMissing ? $"missing({ErrorText})" : $"error({ErrorText})",
        CelKind.Null => "null",
        CelKind.Bool => AsBool() ? "true" : "false",
        CelKind.Int => _bits.ToString(CultureInfo.InvariantCulture),
        CelKind.Uint => AsUint().ToString(CultureInfo.InvariantCulture),
        CelKind.Double => AsDouble().ToString("R", CultureInfo.InvariantCulture),
        CelKind.String or CelKind.Type => (string)_reference!,
        CelKind.Bytes => $"b'{Convert.ToHexString(AsBytes())}'",
        CelKind.List => $"[{string.Join(", ", AsList())}]",
        CelKind.Map => $"{{{string.Join(", ", AsEntries().Select(pair => $"{pair.Key}: {pair.Value}"))}}}",
        CelKind.Duration => string.Create(CultureInfo.InvariantCulture, $"{(decimal)_bits / NanosecondsPerSecond}s"),
        CelKind.Timestamp => AsTimestamp().ToString("O", CultureInfo.InvariantCulture),
        CelKind.Optional => TryHeld(out var held) ? $"optional({held})" : "optional.none()",
        _ => _kind.ToString(),
    };

    private static int Saturate(long weight) => (int)Math.Min(weight, int.MaxValue);

    private InvalidOperationException Wrong(CelKind wanted) => new($"A value of kind {_kind} is no {wanted}.");
}
