using System.Text;
using CsCheck;

namespace SignupGuard.Cel.Tests;

/// <summary>Comparisons against an order computed another way.</summary>
public sealed class OrderTests
{
    private sealed record Facts(CelValue Left, CelValue Right);

    private static CelEnvironment<Facts> Environment(CelType left, CelType right) => CelEnvironment<Facts>.Create()
        .Field("left", left, facts => facts.Left, "")
        .Field("right", right, facts => facts.Right, "")
        .Build();

    /// <summary>Every operator, compiled for the types given and for dyn, and with the right side a constant where it can be written.</summary>
    private static bool Agrees(CelType leftType, CelType rightType, CelValue left, CelValue right, int? order, string? literal = null)
    {
        foreach (var environment in new[] { Environment(leftType, rightType), Environment(CelType.Dyn, CelType.Dyn) })
        {
            foreach (var operand in literal is null ? ["right"] : new[] { "right", literal })
            {
                foreach (var (symbol, holds) in new (string, bool)[] { ("==", order == 0), ("!=", order != 0), ("<", order < 0), ("<=", order <= 0), (">", order > 0), (">=", order >= 0) })
                {
                    var program = environment.Compile($"left {symbol} {operand}").Program!;
                    if (program.Evaluate(new Facts(left, right)) != CelValue.From(holds)) return false;
                }
            }
        }
        return true;
    }

    [Test]
    public void Texts_order_by_code_points_which_is_the_order_of_their_utf8() =>
        Gen.Select(Gen.String[Gen.Char["abcd\u00e9\uffee\ud83d\ude00"], 0, 4], Gen.String[Gen.Char["abcd\u00e9\uffee\ud83d\ude00"], 0, 4])
            .Where((left, right) => IsWellFormed(left) && IsWellFormed(right))
            .Sample(
                (left, right) => Agrees(CelType.String, CelType.String, CelValue.From(left), CelValue.From(right), Math.Sign(Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right))), $"'{right}'"),
                iter: 300);

    private static bool IsWellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;

    private static readonly Gen<long> Ints = Gen.OneOf(Gen.Long, Gen.Long[-3, 3], Gen.OneOf(long.MinValue, long.MaxValue, 1L << 53, (1L << 53) + 1));
    private static readonly Gen<double> Doubles = Gen.OneOf(Gen.Double, Gen.Double[-3, 3], Gen.OneOf(0d, -0d, 1d, 2d, -1d, 1e300, 9223372036854775808d, double.NaN, double.PositiveInfinity, double.NegativeInfinity));

    [Test]
    public void Ints_order_by_value() =>
        Gen.Select(Ints, Ints).Sample((left, right) => Agrees(CelType.Int, CelType.Int, CelValue.From(left), CelValue.From(right), left.CompareTo(right), $"{right}"), iter: 300);

    [Test]
    public void Doubles_order_by_value_and_nan_has_no_order() =>
        Gen.Select(Doubles, Doubles).Sample((left, right) => Agrees(CelType.Double, CelType.Double, CelValue.From(left), CelValue.From(right), Order(left, right)), iter: 300);

    [Test]
    public void Ints_and_doubles_order_as_doubles() =>
        Gen.Select(Doubles, Ints).Sample(
            (left, right) => Agrees(CelType.Double, CelType.Int, CelValue.From(left), CelValue.From(right), Order(left, right), $"{right}")
                && Agrees(CelType.Int, CelType.Double, CelValue.From(right), CelValue.From(left), -Order(left, right)),
            iter: 300);

    [Test]
    public void Ints_and_uints_order_by_value() =>
        Gen.Select(Ints, Gen.ULong).Sample(
            (left, right) => Agrees(CelType.Int, CelType.Uint, CelValue.From(left), CelValue.From(right), ((Int128)left).CompareTo(right), $"{right}u")
                && Agrees(CelType.Uint, CelType.Int, CelValue.From(right), CelValue.From(left), ((Int128)right).CompareTo(left), $"{left}"),
            iter: 300);

    [Test]
    public void Times_order_to_the_nanosecond()
    {
        var environment = CelEnvironment<Facts>.Create().Build();
        var facts = new Facts(default, default);
        foreach (var source in new[]
        {
            "timestamp('2026-01-01T00:00:00.000000001Z') < timestamp('2026-01-01T00:00:00.000000002Z')",
            "timestamp('1969-12-31T23:59:59.9Z') < timestamp('1970-01-01T00:00:00Z')",
            "timestamp('2026-01-01T02:00:00+02:00') == timestamp('2026-01-01T00:00:00Z')",
            "duration('-1ns') < duration('0') && duration('1.000000001s') > duration('1s')",
        })
            Assert.That(environment.Compile(source).Program!.Evaluate(facts).IsTrue, Is.True, source);
    }

    private static int? Order(double left, double right) => left < right ? -1 : left > right ? 1 : left == right ? 0 : null;
}
