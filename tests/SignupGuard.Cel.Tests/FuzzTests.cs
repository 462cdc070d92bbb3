using CsCheck;

namespace SignupGuard.Cel.Tests;

/// <summary>Whatever is written: compiling never throws, evaluating never throws, and what was checked holds.</summary>
public sealed class FuzzTests
{
    private sealed record Facts(bool IsFull);

    private static readonly Facts Full = new(true);
    private static readonly Facts Sparse = new(false);

    /// <summary>A literal, and a field of the same value: constants are folded and compiled apart from fields, and must not differ.</summary>
    private static readonly (string Literal, string Field, CelType Type, CelValue Value)[] Known =
    [
        ("true", "v.yes", CelType.Bool, CelValue.True),
        ("false", "v.no", CelType.Bool, CelValue.False),
        ("0", "v.zero", CelType.Int, CelValue.From(0L)),
        ("3", "v.three", CelType.Int, CelValue.From(3L)),
        ("-9223372036854775808", "v.least", CelType.Int, CelValue.From(long.MinValue)),
        ("9223372036854775807", "v.most", CelType.Int, CelValue.From(long.MaxValue)),
        ("2u", "v.unsigned", CelType.Uint, CelValue.From(2UL)),
        ("3.0", "v.whole", CelType.Double, CelValue.From(3d)),
        ("0.5", "v.half", CelType.Double, CelValue.From(0.5)),
        ("'ab'", "v.text", CelType.String, CelValue.From("ab")),
        ("'a\\U0001F600'", "v.face", CelType.String, CelValue.From("a\U0001F600")),
        ("b'ab'", "v.bytes", CelType.Bytes, CelValue.FromBytes("ab"u8.ToArray())),
        ("[1, 3, 5]", "v.list", CelType.List(CelType.Int), CelValue.From([CelValue.From(1L), CelValue.From(3L), CelValue.From(5L)])),
        ("['ab', 'c']", "v.texts", CelType.List(CelType.String), CelValue.From([CelValue.From("ab"), CelValue.From("c")])),
        ("{'ab': 3}", "v.map", CelType.Map(CelType.Int), CelValue.From(new Dictionary<string, CelValue> { ["ab"] = CelValue.From(3L) })),
        ("duration('90m')", "v.span", CelType.Duration, CelValue.From(TimeSpan.FromMinutes(90))),
        ("timestamp('2026-01-02T03:04:05Z')", "v.time", CelType.Timestamp, CelValue.From(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))),
        ("optional.of(3)", "v.some", CelType.Optional(CelType.Int), CelValue.Some(CelValue.From(3L))),
    ];

    private static readonly CelEnvironment<Facts> Environment = Build();

    private static CelEnvironment<Facts> Build()
    {
        var builder = CelEnvironment<Facts>.Create();
        foreach (var known in Known) builder.Field(known.Field, known.Type, _ => known.Value, "");
        return builder
            .Field("m.flag", CelType.Bool, facts => facts.IsFull ? CelValue.True : CelValue.Missing("m.flag"), "")
            .Field("m.count", CelType.Int, facts => facts.IsFull ? CelValue.From(7L) : CelValue.Missing("m.count"), "")
            .Field("m.text", CelType.String, facts => facts.IsFull ? CelValue.From("x") : CelValue.Missing("m.text"), "")
            .Field("custom", CelType.Map(CelType.Dyn), facts => CelValue.From(new Dictionary<string, CelValue>(facts.IsFull ? [new("tier", CelValue.From("gold"))] : [])), "")
            .Function("velocity", CelType.Double, [CelType.String], (_, arguments) => CelValue.From((double)arguments[0].AsString().Length), "")
            .Build();
    }

    /// <summary>An expression twice: over literals and over fields.</summary>
    private readonly record struct Pair(string Literal, string Field)
    {
        public static Pair Of(string template, params Pair[] parts) => new(Fill(template, parts, part => part.Literal), Fill(template, parts, part => part.Field));

        private static string Fill(string template, Pair[] parts, Func<Pair, string> text)
        {
            for (var i = 0; i < parts.Length; i++) template = template.Replace($"${i}", text(parts[i]), StringComparison.Ordinal);
            return template;
        }
    }

    private static readonly string[] Templates =
    [
        "($0 && $1)", "($0 || $1)", "!$0", "-$0", "($0 ? $1 : $2)",
        "($0 == $1)", "($0 != $1)", "($0 < $1)", "($0 <= $1)", "($0 > $1)", "($0 >= $1)", "($0 in $1)",
        "($0 + $1)", "($0 - $1)", "($0 * $1)", "($0 / $1)", "($0 % $1)",
        "[$0, $1]", "{$0: $1}", "{'k': $0}.k", "$0[$1]", "$0[?$1]", "$0.?ab", "$0.ab", "[?$0]",
        "size($0)", "$0.size()", "int($0)", "uint($0)", "double($0)", "string($0)", "bool($0)", "bytes($0)", "type($0)", "dyn($0)",
        "$0.contains($1)", "$0.startsWith($1)", "$0.endsWith($1)", "$0.lowerAscii()", "$0.upperAscii()", "$0.trim()", "$0.reverse()", "$0.charAt($1)",
        "$0.indexOf($1)", "$0.lastIndexOf($1)", "$0.substring($1)", "$0.substring($1, $2)", "$0.replace($1, $2)", "$0.split($1)", "$0.join($1)", "'%s %d'.format([$0, $1])",
        "'%.2f|%e|%x'.format([$0, $0, $1])", "strings.quote($0)", "base64.encode($0)", "base64.decode($0)",
        "math.greatest($0, $1)", "math.least($0, $1, $2)", "math.abs($0)", "math.sign($0)", "math.round($0)", "math.bitAnd($0, $1)", "math.bitShiftLeft($0, $1)", "math.bitShiftRight($0, $1)",
        "$0.getHours()", "$0.getFullYear('Europe/Berlin')", "$0.getMilliseconds()", "$0.getDayOfYear()",
        "optional.of($0)", "optional.ofNonZeroValue($0)", "$0.hasValue()", "$0.value()", "$0.or($1)", "$0.orValue($1)", "$0.optMap(o, o == $1)", "$0.optFlatMap(o, optional.of($1))",
        "$0.all(x, x == $1)", "$0.exists(x, x > $1)", "$0.exists_one(x, x == $1)", "$0.filter(x, x != $1)", "$0.map(x, x + $1)", "$0.map(x, x > $1, x)",
        "$0.all(k, w, k == w)", "$0.transformList(k, w, [k, w])", "$0.transformMap(k, w, $1)", "$0.transformMapEntry(k, w, {w: k})", "cel.bind(b, $0, b == b)", "cel.bind(b, $0, $1)",
    ];

    private static readonly Gen<Pair> Leaf = Gen.OneOf<Pair>([
        .. Known.Select(known => new Pair(known.Literal, known.Field)),
        new("m.flag", "m.flag"), new("m.count", "m.count"), new("m.text", "m.text"), new("custom.tier", "custom.tier"), new("has(m.flag)", "has(m.flag)"),
        new("custom", "custom"), new("velocity('ab')", "velocity(v.text)"), new("null", "null"), new("[]", "[]"), new("{}", "{}"), new("int", "int"), new("0.0", "0.0"),
    ]);

    private static Gen<Pair> Deeper(Gen<Pair> inner) =>
        Gen.Select(Gen.OneOf(Templates), inner, inner, inner, (template, first, second, third) => Pair.Of(template, first, second, third));

    private static readonly Gen<Pair> Expressions = Gen.OneOf(Deeper(Leaf), Deeper(Deeper(Leaf)), Deeper(Deeper(Deeper(Leaf))));

    /// <summary>What checks, with the type it was given.</summary>
    private static bool HasType(in CelValue value, CelType type) => value.IsError || type.IsOpen || type.Kind == value.Kind;

    [Test]
    public void What_checks_evaluates_to_its_type_or_an_error_and_to_the_same_again() =>
        Expressions.Sample(
            pair =>
            {
                var compiled = Environment.Compile(pair.Field);
                if (compiled.Program is not { } program) return compiled.Issues.Count > 0;
                foreach (var facts in new[] { Full, Sparse })
                {
                    var value = program.Evaluate(facts);
                    if (!HasType(value, program.Type)) return false;
                    // NaN is unequal to itself, alone and in a list.
                    if (value.ToString() != program.Evaluate(facts).ToString()) return false;
                }
                return true;
            },
            iter: 20_000);

    [Test]
    public void Folding_constants_changes_no_result() =>
        Expressions.Sample(
            pair =>
            {
                var (folded, run) = (Environment.Compile(pair.Literal), Environment.Compile(pair.Field));
                // Of literals the size is known, of facts it is assumed: only the estimate of work may differ.
                if (run.Issues.Any(issue => issue.Message.Contains("steps", StringComparison.Ordinal))) return true;
                if (folded.Program is null || run.Program is null) return (folded.Program is null) == (run.Program is null);
                return Settled(folded.Program.Evaluate(Full)) == Settled(run.Program.Evaluate(Full));
            },
            iter: 20_000);

    /// <summary>Of two errors either may be the one that is told.</summary>
    private static string Settled(in CelValue value) => value.IsError ? "error" : value.ToString();

    [Test]
    public void Unchecked_compiling_and_evaluating_never_throws() =>
        Expressions.Sample(pair => Environment.Compile(pair.Field, null, CelLimits.Default, isChecked: false).Program!.Evaluate(Sparse).Kind <= CelKind.Optional, iter: 20_000);

    [Test]
    public void A_deciding_side_absorbs_any_expression() =>
        Expressions.Sample(
            pair =>
            {
                if (Environment.Compile(pair.Field, CelType.Bool).Program is null) return true;
                bool Is(string source, bool expected) => Environment.Compile(source).Program!.Evaluate(Sparse) == CelValue.From(expected);
                return Is($"{pair.Field} || v.yes", true) && Is($"v.yes || {pair.Field}", true) && Is($"{pair.Field} && v.no", false) && Is($"v.no && {pair.Field}", false);
            },
            iter: 20_000);

    [Test]
    public void Any_text_is_compiled_or_refused_with_a_position_in_it() =>
        Gen.OneOf(
            Gen.String[Gen.Char["abx.()[]{}'\"`\\&|!<>=+-*/%?:, 019eunr_\n\0\u00e9\ud83d"], 0, 60],
            Gen.OneOf("v.", "m.", "text", "list", "has", "(", ")", "[", "]", "{", "}", "?", ":", ",", ".", "&&", "||", "in", "1", "2u", "'a'", "==", "<", "-", "!", "all", "map", "x", " ", "custom", "cel.bind", "b'\\xff'", "optional.of", "?.", ".?", "[?")
                .List[0, 30].Select(string.Concat))
        .Sample(
            source =>
            {
                var compiled = Environment.Compile(source);
                compiled.Program?.Evaluate(Sparse);
                return (compiled.Program is null) == (compiled.Issues.Count > 0)
                    && compiled.Issues.All(issue => issue.Position >= 0 && issue.Position <= source.Length && issue is { Line: > 0, Column: > 0 } && issue.Message.Length > 0);
            },
            iter: 30_000);

    [Test]
    public void Any_text_as_a_pattern_is_compiled_or_refused() =>
        Gen.String[Gen.Char["abc.()[]{}*+?|^$\\dwsDWSbBpPxQEL123,-:=!<>&i \u00e9"], 0, 40].Sample(
            pattern =>
            {
                var compiled = Environment.Compile($"m.text.matches(r\"{pattern.Replace("\"", "", StringComparison.Ordinal)}\")");
                return compiled.Program is null || compiled.Program.Evaluate(Full).Kind is CelKind.Bool;
            },
            iter: 5_000);
}
