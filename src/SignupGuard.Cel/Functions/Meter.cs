namespace SignupGuard.Cel.Functions;

/// <summary>What is left to one evaluation. Counting is what bounds time and memory whatever the facts hold.</summary>
internal struct Meter(int workMax, int builtMax)
{
    private long _work = workMax;

    public readonly int BuiltMax => builtMax;

    public readonly long Left => _work;

    /// <summary>False when no work is left.</summary>
    public bool Spend(long work)
    {
        _work -= work;
        return _work >= 0;
    }

    /// <summary>Passes a value that was just built, or the error that it took too much.</summary>
    public CelValue Built(in CelValue value) => value.IsError ? value : value.Weight > builtMax + 1 ? Errors.TooLarge : Spend(value.Weight) ? value : Errors.TooMuchWork;

    public CelValue Built(string text) => text.Length > builtMax ? Errors.TooLarge : Spend(text.Length) ? CelValue.From(text) : Errors.TooMuchWork;
}

/// <summary>A function of the language. Its arguments hold no errors; kinds are checked by the function, since <c>dyn</c> lets any through.</summary>
internal delegate CelValue Builtin(ref Meter meter, ReadOnlySpan<CelValue> arguments);

/// <summary>Evaluation errors. Constant texts: none holds a value of the facts.</summary>
internal static class Errors
{
    public static readonly CelValue NoOverload = CelValue.Error("no such overload");
    public static readonly CelValue Overflow = CelValue.Error("integer overflow");
    public static readonly CelValue DivideByZero = CelValue.Error("division by zero");
    public static readonly CelValue OutOfRange = CelValue.Error("out of range");
    public static readonly CelValue IndexOutOfRange = CelValue.Error("index out of range");
    public static readonly CelValue NotIndex = CelValue.Error("not an index of a list");
    public static readonly CelValue NoSuchKey = CelValue.Error("no such key");
    public static readonly CelValue RepeatedKey = CelValue.Error("a map key is repeated");
    public static readonly CelValue NotKey = CelValue.Error("a map key is bool, int, uint or string");
    public static readonly CelValue NoValue = CelValue.Error("the optional holds no value");
    public static readonly CelValue NotNumber = CelValue.Error("not a number");
    public static readonly CelValue NotBool = CelValue.Error("not a bool");
    public static readonly CelValue NotUtf8 = CelValue.Error("the bytes are no UTF-8");
    public static readonly CelValue NotBase64 = CelValue.Error("not base64");
    public static readonly CelValue NotDuration = CelValue.Error("not a duration");
    public static readonly CelValue NotTimestamp = CelValue.Error("not a timestamp");
    public static readonly CelValue NotTimeZone = CelValue.Error("not a time zone");
    public static readonly CelValue NotFormat = CelValue.Error("the format and its arguments do not match");
    public static readonly CelValue NegativeShift = CelValue.Error("a shift by less than 0");
    public static readonly CelValue TooLarge = CelValue.Error("the value grows too large");
    public static readonly CelValue TooMuchWork = CelValue.Error("too much work");
}
