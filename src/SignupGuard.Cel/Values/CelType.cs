namespace SignupGuard.Cel;

/// <summary>The static type of an expression.</summary>
public sealed class CelType : IEquatable<CelType>
{
    public static readonly CelType Bool = new(CelKind.Bool, "bool");
    public static readonly CelType Int = new(CelKind.Int, "int");
    public static readonly CelType Uint = new(CelKind.Uint, "uint");
    public static readonly CelType Double = new(CelKind.Double, "double");
    public static readonly CelType String = new(CelKind.String, "string");
    public static readonly CelType Bytes = new(CelKind.Bytes, "bytes");
    public static readonly CelType Duration = new(CelKind.Duration, "google.protobuf.Duration");
    public static readonly CelType Timestamp = new(CelKind.Timestamp, "google.protobuf.Timestamp");
    public static readonly CelType Null = new(CelKind.Null, "null_type");
    public static readonly CelType Type = new(CelKind.Type, "type");
    public static readonly CelType Dyn = new(CelKind.Dyn, "dyn");
    internal static readonly CelType Never = new(CelKind.Never, "dyn");

    private CelType(CelKind kind, string name, params CelType[] arguments)
    {
        Kind = kind;
        Name = name;
        Arguments = arguments;
    }

    public CelKind Kind { get; }

    /// <summary>CEL's name of the type, without its arguments; what <c>type(x)</c> shows.</summary>
    public string Name { get; }

    /// <summary>Of a list its element, of a map key and value, of an optional what it holds.</summary>
    public IReadOnlyList<CelType> Arguments { get; }

    public static CelType List(CelType element) => new(CelKind.List, "list", element);

    /// <summary>A map from string.</summary>
    public static CelType Map(CelType value) => Map(String, value);

    public static CelType Map(CelType key, CelType value) => new(CelKind.Map, "map", key, value);

    public static CelType Optional(CelType held) => new(CelKind.Optional, "optional_type", held);

    /// <summary>A type of the environment's own; only its functions make and take values of it.</summary>
    public static CelType Opaque(string name, params CelType[] arguments) => new(CelKind.Opaque, name, arguments);

    /// <summary>A type parameter in a function's declaration: the same name is the same type in one call.</summary>
    public static CelType Parameter(string name) => new(CelKind.Parameter, name);

    /// <summary>Of a list its element, of a map its value, of an optional what it holds; null for others.</summary>
    public CelType? Element => Kind is CelKind.List or CelKind.Map or CelKind.Optional ? Arguments[^1] : null;

    public bool IsNumber => Kind is CelKind.Int or CelKind.Uint or CelKind.Double;

    /// <summary>Whether only the run tells what a value of this type is.</summary>
    public bool IsOpen => Kind is CelKind.Dyn or CelKind.Never;

    /// <summary>Whether a value of this type can stand where <paramref name="other"/> is wanted.</summary>
    public bool Fits(CelType other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (IsOpen || other.IsOpen) return true;
        if (Kind == CelKind.Null) return other.Kind is CelKind.Null or CelKind.Optional or CelKind.Opaque or CelKind.Duration or CelKind.Timestamp;
        if (Kind != other.Kind || Arguments.Count != other.Arguments.Count || (Kind is CelKind.Opaque or CelKind.Parameter && Name != other.Name)) return false;
        for (var i = 0; i < Arguments.Count; i++)
        {
            if (!Arguments[i].Fits(other.Arguments[i])) return false;
        }
        return true;
    }

    public bool Equals(CelType? other)
    {
        if (other is null || Kind != other.Kind || Name != other.Name || Arguments.Count != other.Arguments.Count) return false;
        for (var i = 0; i < Arguments.Count; i++)
        {
            if (!Arguments[i].Equals(other.Arguments[i])) return false;
        }
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as CelType);

    public override int GetHashCode() => Arguments.Count == 0 ? HashCode.Combine(Kind, Name) : HashCode.Combine(Kind, Name, Arguments[0], Arguments[^1]);

    public static bool operator ==(CelType? left, CelType? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(CelType? left, CelType? right) => !(left == right);

    /// <summary>As CEL writes it: <c>list(int)</c>, <c>map(string, dyn)</c>; durations and timestamps by their short names.</summary>
    public override string ToString() => Kind switch
    {
        CelKind.Null => "null",
        CelKind.Duration => "duration",
        CelKind.Timestamp => "timestamp",
        CelKind.Optional => $"optional({Arguments[0]})",
        _ => Arguments.Count == 0 ? Name : $"{Name}({string.Join(", ", Arguments)})",
    };
}
