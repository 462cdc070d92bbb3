namespace SignupGuard.Cel;

/// <summary>What a value is at run time.</summary>
public enum CelKind : byte
{
    /// <summary>An evaluation error; a missing fact is one (<see cref="CelValue.IsMissing"/>).</summary>
    Error,
    Null,
    Bool,
    Int,
    Double,
    String,
    List,
    Map,
    Duration,
    Timestamp,

    /// <summary>Of types only: known at run time alone.</summary>
    Dyn,
}

/// <summary>The static type of an expression.</summary>
public sealed record CelType(CelKind Kind, CelType? Element = null)
{
    public static readonly CelType Bool = new(CelKind.Bool);
    public static readonly CelType Int = new(CelKind.Int);
    public static readonly CelType Double = new(CelKind.Double);
    public static readonly CelType String = new(CelKind.String);
    public static readonly CelType Duration = new(CelKind.Duration);
    public static readonly CelType Timestamp = new(CelKind.Timestamp);
    public static readonly CelType Null = new(CelKind.Null);
    public static readonly CelType Dyn = new(CelKind.Dyn);

    public static CelType List(CelType element) => new(CelKind.List, element);

    /// <summary>A map from string.</summary>
    public static CelType Map(CelType value) => new(CelKind.Map, value);

    public bool IsNumber => Kind is CelKind.Int or CelKind.Double;

    /// <summary>Whether a value of this type can stand where <paramref name="other"/> is wanted.</summary>
    public bool Fits(CelType other) =>
        Kind == CelKind.Dyn || other.Kind == CelKind.Dyn
        || (Kind == other.Kind && (Element is null || other.Element is null || Element.Fits(other.Element)));

    public override string ToString() => Kind switch
    {
        CelKind.List => $"list({Element})",
        CelKind.Map => $"map(string, {Element})",
        CelKind.Null => "null",
        _ => Kind.ToString().ToLowerInvariant(),
    };
}
