namespace SignupGuard.Service.Transport.Validation;

/// <summary>Stable codes of field violations. Callers may switch on them: add, never rename.</summary>
internal static class ViolationCode
{
    public const string Required = "REQUIRED";
    public const string IdentifierRequired = "IDENTIFIER_REQUIRED";
    public const string TooLong = "TOO_LONG";
    public const string TooMany = "TOO_MANY";
    public const string OutOfRange = "OUT_OF_RANGE";
    public const string InvalidCharacters = "INVALID_CHARACTERS";
    public const string InvalidFormat = "INVALID_FORMAT";
    public const string InvalidName = "INVALID_NAME";
    public const string InvalidTimestamp = "INVALID_TIMESTAMP";
    public const string TimeTooEarly = "TIME_TOO_EARLY";
    public const string TimeInFuture = "TIME_IN_FUTURE";
    public const string InvalidIp = "INVALID_IP";
    public const string InvalidEmail = "INVALID_EMAIL";
    public const string InvalidPhone = "INVALID_PHONE";
    public const string InvalidToken = "INVALID_TOKEN";
    public const string InvalidType = "INVALID_TYPE";
    public const string InvalidDocument = "INVALID_DOCUMENT";
    public const string InvalidExpression = "INVALID_EXPRESSION";
    public const string InvalidValue = "INVALID_VALUE";
    public const string UnknownField = "UNKNOWN_FIELD";
    public const string UnknownCountry = "UNKNOWN_COUNTRY";
    public const string UnknownLanguage = "UNKNOWN_LANGUAGE";
    public const string UnknownTimeZone = "UNKNOWN_TIME_ZONE";
    public const string UnknownEnumValue = "UNKNOWN_ENUM_VALUE";
}

/// <summary>One violated bound of a request.</summary>
/// <param name="Field">Proto path ("signup.email.address").</param>
/// <param name="Description">One sentence; never repeats the value, which may be personal data.</param>
public sealed record FieldViolation(string Field, string Code, string Description);
