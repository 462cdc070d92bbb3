namespace SignupGuard.Cel.Functions;

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
