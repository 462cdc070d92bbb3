namespace SignupGuard.Cel;

/// <summary>What a value is at run time, and, with the last four, what a type is at compile time.</summary>
public enum CelKind : byte
{
    /// <summary>An evaluation error; a missing fact is one (<see cref="CelValue.IsMissing"/>).</summary>
    Error,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    List,
    Map,
    Duration,
    Timestamp,

    /// <summary>A type as a value: what <c>type(x)</c> gives.</summary>
    Type,
    Optional,

    /// <summary>Of types only: a type of the environment's own, known by its name.</summary>
    Opaque,

    /// <summary>Of types only: a type parameter of a function.</summary>
    Parameter,

    /// <summary>Of types only: known at run time alone.</summary>
    Dyn,

    /// <summary>Of types only: the element type of <c>[]</c> and the like, which fits everywhere.</summary>
    Never,
}
