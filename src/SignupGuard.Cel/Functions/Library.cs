using System.Collections.Frozen;

namespace SignupGuard.Cel.Functions;

/// <summary>A function of the language: what it takes and gives, and what it does.</summary>
/// <param name="IsVariadic">Takes any number of arguments like its first signature's, at least one.</param>
internal sealed record LibraryFunction(string Name, bool IsMember, IReadOnlyList<Signature> Signatures, Builtin Run, string Description, bool IsVariadic = false);

/// <summary>CEL's standard functions and the extensions this language has: strings, math, optionals, encoders.</summary>
internal static class Library
{
    private static readonly LibraryFunction[] Table =
    [
        Of("Characters of a text, bytes, items of a list, entries of a map.", Containers.Size, "size(string): int", "size(bytes): int", "size(list(T)): int", "size(map(K, V)): int"),
        Of("Characters of a text, bytes, items of a list, entries of a map.", Containers.Size, "string.size(): int", "bytes.size(): int", "list(T).size(): int", "map(K, V).size(): int"),

        Of("Whether a text holds another.", Texts.Contains, "string.contains(string): bool"),
        Of("Whether a text starts with another.", Texts.StartsWith, "string.startsWith(string): bool"),
        Of("Whether a text ends with another.", Texts.EndsWith, "string.endsWith(string): bool"),
        Of("ASCII letters in lower case.", Texts.LowerAscii, "string.lowerAscii(): string"),
        Of("ASCII letters in upper case.", Texts.UpperAscii, "string.upperAscii(): string"),
        Of("Without white space at both ends.", Texts.Trim, "string.trim(): string"),
        Of("The characters from last to first.", Texts.Reverse, "string.reverse(): string"),
        Of("The character at an index; empty at the end.", Texts.CharAt, "string.charAt(int): string"),
        Of("Where a text first holds another, from an index on; -1 where it does not.", Texts.IndexOf, "string.indexOf(string): int", "string.indexOf(string, int): int"),
        Of("Where a text last holds another, at an index or before; -1 where it does not.", Texts.LastIndexOf, "string.lastIndexOf(string): int", "string.lastIndexOf(string, int): int"),
        Of("The part from an index on, up to an end that is not included.", Texts.Substring, "string.substring(int): string", "string.substring(int, int): string"),
        Of("With one text replaced by another, everywhere or at most so many times.", Texts.Replace, "string.replace(string, string): string", "string.replace(string, string, int): string"),
        Of("The parts between separators, at most so many.", Texts.Split, "string.split(string): list(string)", "string.split(string, int): list(string)"),
        Of("The texts of a list in a row, with a separator between them.", Texts.Join, "list(string).join(): string", "list(string).join(string): string"),
        Of("Fills %s, %d, %f, %e, %b, %o, %x and %X from a list.", Format.Apply, "string.format(list(dyn)): string"),
        Of("The text as a literal, in quotes and escaped.", Texts.Quote, "strings.quote(string): string"),

        Of("A number, text or a timestamp's seconds since 1970 as int; doubles are cut toward 0.", Conversions.ToInt, "int(int): int", "int(uint): int", "int(double): int", "int(string): int", "int(timestamp): int"),
        Of("A number or text as uint.", Conversions.ToUint, "uint(uint): uint", "uint(int): uint", "uint(double): uint", "uint(string): uint"),
        Of("A number or text as double.", Conversions.ToDouble, "double(double): double", "double(int): double", "double(uint): double", "double(string): double"),
        Of("A text true, false, t, f, 1 or 0 as bool.", Conversions.ToBool, "bool(bool): bool", "bool(string): bool"),
        Of("A value's text; bytes are read as UTF-8.", Conversions.ToText, "string(string): string", "string(bool): string", "string(int): string", "string(uint): string", "string(double): string", "string(bytes): string", "string(timestamp): string", "string(duration): string"),
        Of("A text's UTF-8.", Conversions.ToBytes, "bytes(bytes): bytes", "bytes(string): bytes"),
        Of("A length of time: \"90m\", \"1h30m\", \"1.5s\"; units h, m, s, ms, us, ns.", Times.ToDuration, "duration(string): duration", "duration(duration): duration"),
        Of("A time as RFC 3339 writes it, or seconds since 1970.", Times.ToTimestamp, "timestamp(string): timestamp", "timestamp(int): timestamp", "timestamp(timestamp): timestamp"),
        Of("The type of a value, itself a value.", Conversions.TypeOf, "type(T): type"),
        Of("The value, with its type left to the run.", Conversions.Same, "dyn(T): dyn"),
        Of("Bytes as base64.", Conversions.Encode64, "base64.encode(bytes): string"),
        Of("Base64 as bytes; padding may be left out.", Conversions.Decode64, "base64.decode(string): bytes"),

        Getter("getFullYear", "The year.", time => time.Year),
        Getter("getMonth", "The month, January is 0.", time => time.Month - 1),
        Getter("getDate", "The day of the month, from 1.", time => time.Day),
        Getter("getDayOfMonth", "The day of the month, from 0.", time => time.Day - 1),
        Getter("getDayOfWeek", "The day of the week, Sunday is 0.", time => (long)time.DayOfWeek),
        Getter("getDayOfYear", "The day of the year, from 0.", time => time.DayOfYear - 1),
        Getter("getHours", "The hour of the day; of a duration its whole hours.", time => time.Hour, 3_600 * Times.NanosecondsPerSecond),
        Getter("getMinutes", "The minute of the hour; of a duration its whole minutes.", time => time.Minute, 60 * Times.NanosecondsPerSecond),
        Getter("getSeconds", "The second of the minute; of a duration its whole seconds.", time => time.Second, Times.NanosecondsPerSecond),
        Of("The milliseconds of the second.", Times.Milliseconds, "timestamp.getMilliseconds(): int", "timestamp.getMilliseconds(string): int", "duration.getMilliseconds(): int"),

        Of("The greatest of numbers, or of a list of them.", MathFunctions.Greatest, "math.greatest(dyn): dyn") with { IsVariadic = true },
        Of("The least of numbers, or of a list of them.", MathFunctions.Least, "math.least(dyn): dyn") with { IsVariadic = true },
        Of("Rounded up.", MathFunctions.Ceil, "math.ceil(double): double"),
        Of("Rounded down.", MathFunctions.Floor, "math.floor(double): double"),
        Of("Rounded to the nearest, halves away from 0.", MathFunctions.Round, "math.round(double): double"),
        Of("Rounded toward 0.", MathFunctions.Trunc, "math.trunc(double): double"),
        Of("The square root.", MathFunctions.Sqrt, "math.sqrt(double): double", "math.sqrt(int): double", "math.sqrt(uint): double"),
        Of("Without its sign.", MathFunctions.Abs, "math.abs(int): int", "math.abs(uint): uint", "math.abs(double): double"),
        Of("-1, 0 or 1.", MathFunctions.Sign, "math.sign(int): int", "math.sign(uint): uint", "math.sign(double): double"),
        Of("Whether a double is no number.", MathFunctions.IsNaN, "math.isNaN(double): bool"),
        Of("Whether a double is infinite.", MathFunctions.IsInf, "math.isInf(double): bool"),
        Of("Whether a double is a finite number.", MathFunctions.IsFinite, "math.isFinite(double): bool"),
        Of("Bits set in both.", MathFunctions.And, "math.bitAnd(int, int): int", "math.bitAnd(uint, uint): uint"),
        Of("Bits set in either.", MathFunctions.Or, "math.bitOr(int, int): int", "math.bitOr(uint, uint): uint"),
        Of("Bits set in one alone.", MathFunctions.Xor, "math.bitXor(int, int): int", "math.bitXor(uint, uint): uint"),
        Of("Bits turned over.", MathFunctions.Not, "math.bitNot(int): int", "math.bitNot(uint): uint"),
        Of("Bits moved up; 0 from 64 on.", MathFunctions.ShiftLeft, "math.bitShiftLeft(int, int): int", "math.bitShiftLeft(uint, int): uint"),
        Of("Bits moved down, zeros moving in; 0 from 64 on.", MathFunctions.ShiftRight, "math.bitShiftRight(int, int): int", "math.bitShiftRight(uint, int): uint"),

        Of("An optional that holds the value.", Containers.Some, "optional.of(T): optional(T)"),
        Of("An optional that holds the value, unless it is 0, empty, false or null.", Containers.SomeNonZero, "optional.ofNonZeroValue(T): optional(T)"),
        Of("An optional that holds nothing.", Containers.None, "optional.none(): optional(T)"),
        Of("Whether an optional holds a value.", Containers.HasValue, "optional(T).hasValue(): bool"),
        Of("What an optional holds; an error if nothing.", Containers.Value, "optional(T).value(): T"),
    ];

    private static readonly FrozenDictionary<(string Name, bool IsMember), LibraryFunction> ByName = Table.ToFrozenDictionary(function => (function.Name, function.IsMember));

    public static IEnumerable<LibraryFunction> All => Table;

    public static LibraryFunction? Find(string name, bool isMember) => ByName.GetValueOrDefault((name, isMember));

    private static LibraryFunction Of(string description, Builtin run, params string[] signatures)
    {
        var read = signatures.Select(Signature.Read).ToArray();
        return new LibraryFunction(read[0].Name, read[0].IsMember, read, run, description);
    }

    private static LibraryFunction Getter(string name, string description, Func<DateTime, long> ofTime, long durationUnit = 0)
    {
        var signatures = new List<string> { $"timestamp.{name}(): int", $"timestamp.{name}(string): int" };
        if (durationUnit != 0) signatures.Add($"duration.{name}(): int");
        return Of(description, Times.Getter(ofTime, durationUnit), [.. signatures]);
    }
}
