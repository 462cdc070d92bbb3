using System.Globalization;

namespace SignupGuard.Cel;

/// <summary>
/// A value of the rule language: a tag, 64 bits and a reference, so that numbers and booleans never box.
/// Errors are values: <c>&amp;&amp;</c>, <c>||</c> absorb them where the other side decides, everything else passes them on.
/// </summary>
public readonly struct CelValue : IEquatable<CelValue>
{
    private readonly object? _reference;
    private readonly long _bits;

    private CelValue(CelKind kind, long bits, object? reference)
    {
        Kind = kind;
        _bits = bits;
        _reference = reference;
    }

    public CelKind Kind { get; }

    public static readonly CelValue Null = new(CelKind.Null, 0, null);
    public static readonly CelValue True = new(CelKind.Bool, 1, null);
    public static readonly CelValue False = new(CelKind.Bool, 0, null);

    /// <summary>A fact that is not known. <paramref name="field"/> is the name rules use.</summary>
    public static CelValue Missing(string field) => new(CelKind.Error, 1, field);

    /// <summary>An evaluation error. <paramref name="text"/> is constant text: it never holds a value of the facts.</summary>
    public static CelValue Error(string text) => new(CelKind.Error, 0, text);

    public static CelValue From(bool value) => value ? True : False;

    public static CelValue From(long value) => new(CelKind.Int, value, null);

    public static CelValue From(double value) => new(CelKind.Double, BitConverter.DoubleToInt64Bits(value), null);

    public static CelValue From(string value) => new(CelKind.String, 0, value);

    public static CelValue From(IReadOnlyList<CelValue> value) => new(CelKind.List, 0, value);

    public static CelValue From(IReadOnlyDictionary<string, CelValue> value) => new(CelKind.Map, 0, value);

    /// <summary>Resolution: 100 ns.</summary>
    public static CelValue From(TimeSpan value) => new(CelKind.Duration, value.Ticks, null);

    /// <summary>Resolution: 100 ns, UTC.</summary>
    public static CelValue From(DateTimeOffset value) => new(CelKind.Timestamp, value.UtcTicks, null);

    /// <summary>A fact that may be unknown.</summary>
    public static CelValue From(string? value, string field) => value is null ? Missing(field) : From(value);

    public static CelValue From(bool? value, string field) => value is { } known ? From(known) : Missing(field);

    public static CelValue From(long? value, string field) => value is { } known ? From(known) : Missing(field);

    public static CelValue From(double? value, string field) => value is { } known ? From(known) : Missing(field);

    public bool IsError => Kind == CelKind.Error;

    public bool IsMissing => Kind == CelKind.Error && _bits == 1;

    /// <summary>Of an error its text, of a missing fact the field's name.</summary>
    public string ErrorText => IsError ? (string)_reference! : throw new InvalidOperationException("The value is no error.");

    public bool IsTrue => Kind == CelKind.Bool && _bits == 1;

    public bool IsFalse => Kind == CelKind.Bool && _bits == 0;

    public bool AsBool() => Kind == CelKind.Bool ? _bits == 1 : throw Wrong(CelKind.Bool);

    public long AsInt() => Kind == CelKind.Int ? _bits : throw Wrong(CelKind.Int);

    public double AsDouble() => Kind switch
    {
        CelKind.Double => BitConverter.Int64BitsToDouble(_bits),
        CelKind.Int => _bits,
        _ => throw Wrong(CelKind.Double),
    };

    public string AsString() => Kind == CelKind.String ? (string)_reference! : throw Wrong(CelKind.String);

    public IReadOnlyList<CelValue> AsList() => Kind == CelKind.List ? (IReadOnlyList<CelValue>)_reference! : throw Wrong(CelKind.List);

    public IReadOnlyDictionary<string, CelValue> AsMap() =>
        Kind == CelKind.Map ? (IReadOnlyDictionary<string, CelValue>)_reference! : throw Wrong(CelKind.Map);

    public TimeSpan AsDuration() => Kind == CelKind.Duration ? new TimeSpan(_bits) : throw Wrong(CelKind.Duration);

    public DateTimeOffset AsTimestamp() => Kind == CelKind.Timestamp ? new DateTimeOffset(_bits, TimeSpan.Zero) : throw Wrong(CelKind.Timestamp);

    public bool IsNumber => Kind is CelKind.Int or CelKind.Double;

    /// <summary>CEL equality: numbers by value across kinds, NaN unequal to itself, other kinds unequal to each other, never an error.</summary>
    public bool Equals(CelValue other)
    {
        if (IsNumber && other.IsNumber) return Kind == other.Kind && Kind == CelKind.Int ? _bits == other._bits : Compare(this, other) == 0;
        if (Kind != other.Kind) return false;
        switch (Kind)
        {
            case CelKind.String:
                return string.Equals((string)_reference!, (string)other._reference!, StringComparison.Ordinal);
            case CelKind.List:
                var (left, right) = (AsList(), other.AsList());
                if (left.Count != right.Count) return false;
                for (var i = 0; i < left.Count; i++)
                {
                    if (!left[i].Equals(right[i])) return false;
                }
                return true;
            case CelKind.Map:
                var (one, two) = (AsMap(), other.AsMap());
                return one.Count == two.Count && one.All(pair => two.TryGetValue(pair.Key, out var value) && value.Equals(pair.Value));
            case CelKind.Error:
                return _bits == other._bits && Equals(_reference, other._reference);
            default:
                return _bits == other._bits;
        }
    }

    /// <summary>Order of two values of one kind, or of two numbers; null when they have none (other kinds, NaN).</summary>
    public static int? Compare(in CelValue left, in CelValue right)
    {
        if (left.Kind == CelKind.Int && right.Kind == CelKind.Int) return left._bits.CompareTo(right._bits);
        if (left.IsNumber && right.IsNumber)
        {
            var (x, y) = (left.AsDouble(), right.AsDouble());
            if (double.IsNaN(x) || double.IsNaN(y)) return null;
            if (left.Kind == right.Kind) return x.CompareTo(y);
            // An int above 2^53 has no exact double: compare it in decimal where the double is in range.
            if (Math.Abs(left.Kind == CelKind.Double ? x : y) >= 9.3e18) return x.CompareTo(y);
            return left.Kind == CelKind.Int
                ? ((decimal)left._bits).CompareTo((decimal)y)
                : ((decimal)x).CompareTo(right._bits);
        }
        if (left.Kind != right.Kind) return null;
        return left.Kind switch
        {
            CelKind.String => string.CompareOrdinal((string)left._reference!, (string)right._reference!),
            CelKind.Bool or CelKind.Duration or CelKind.Timestamp => left._bits.CompareTo(right._bits),
            _ => null,
        };
    }

    public override bool Equals(object? obj) => obj is CelValue other && Equals(other);

    public override int GetHashCode() => Kind switch
    {
        CelKind.Int or CelKind.Double => AsDouble().GetHashCode(),
        CelKind.List or CelKind.Map => (int)Kind,
        _ => HashCode.Combine(Kind, _bits, _reference),
    };

    public static bool operator ==(CelValue left, CelValue right) => left.Equals(right);

    public static bool operator !=(CelValue left, CelValue right) => !left.Equals(right);

    /// <summary>For tests and debugging; not for logs, since it holds values of the facts.</summary>
    public override string ToString() => Kind switch
    {
        CelKind.Error => IsMissing ? $"missing({ErrorText})" : $"error({ErrorText})",
        CelKind.Null => "null",
        CelKind.Bool => AsBool() ? "true" : "false",
        CelKind.Int => _bits.ToString(CultureInfo.InvariantCulture),
        CelKind.Double => AsDouble().ToString("R", CultureInfo.InvariantCulture),
        CelKind.String => AsString(),
        CelKind.List => $"[{string.Join(", ", AsList())}]",
        CelKind.Duration => $"{AsDuration().TotalSeconds.ToString(CultureInfo.InvariantCulture)}s",
        CelKind.Timestamp => AsTimestamp().ToString("O", CultureInfo.InvariantCulture),
        _ => Kind.ToString(),
    };

    private InvalidOperationException Wrong(CelKind wanted) => new($"A value of kind {Kind} is no {wanted}.");
}
