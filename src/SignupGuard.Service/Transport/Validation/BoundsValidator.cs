using System.Linq.Expressions;
using FluentValidation;
using Google.Protobuf.WellKnownTypes;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>
/// The bounds of one message, each written once and checked in two ways: <see cref="Holds"/> only says whether all are kept, in about a
/// microsecond and without allocation, for nearly every message; the validator then tells which of them a bad one breaks.
/// </summary>
internal abstract class BoundsValidator<T> : AbstractValidator<T>
{
    private readonly List<Func<T, bool>> _bounds = [];

    /// <summary>Whether every bound is kept: exactly when <see cref="AbstractValidator{T}.Validate(T)"/> finds nothing.</summary>
    public bool Holds(T message)
    {
        foreach (var bound in _bounds)
        {
            if (!bound(message)) return false;
        }
        return true;
    }

    /// <summary>A bound of its own kind, in both its forms.</summary>
    protected void Bound<TValue>(Expression<Func<T, TValue>> property, Func<TValue, bool> holds, Action<IRuleBuilderInitial<T, TValue>> rule)
    {
        rule(RuleFor(property));
        var read = property.Compile();
        _bounds.Add(message => holds(read(message)));
    }

    /// <summary>A bound on several properties together.</summary>
    protected void Bound(Func<T, bool> holds, Action rules)
    {
        rules();
        _bounds.Add(holds);
    }

    /// <summary>A part with bounds of its own; unset passes.</summary>
    protected void Part<TPart>(Expression<Func<T, TPart?>> property, BoundsValidator<TPart> part)
        where TPart : class =>
        Bound(property, value => value is null || part.Holds(value), rule => rule.SetValidator(part!));

    protected void Text(Expression<Func<T, string>> property, int charactersMax) =>
        Bound(property, text => Rules.IsText(text, charactersMax), rule => rule.Text(charactersMax));

    /// <summary>Like <see cref="Text"/>, and present.</summary>
    protected void RequiredText(Expression<Func<T, string>> property, int charactersMax) =>
        Bound(property, text => !string.IsNullOrWhiteSpace(text) && Rules.IsText(text, charactersMax), rule => rule.Required().Text(charactersMax));

    /// <summary>A pattern in words, of a value that may be absent.</summary>
    protected void Form(Expression<Func<T, string>> property, Func<string, bool> holds, string code, string description) =>
        Bound(property, text => text.Length == 0 || holds(text), rule => rule.Form(holds, code, description));

    protected void Country(Expression<Func<T, string>> property) => Bound(property, code => code.Length == 0 || Countries.Has(code), rule => rule.Country());

    protected void TimeZone(Expression<Func<T, string>> property) => Bound(property, name => name.Length == 0 || TimeZones.Has(name), rule => rule.TimeZone());

    protected void Ip(Expression<Func<T, string>> property) => Bound(property, text => text.Length == 0 || IpText.TryParse(text, out _), rule => rule.Ip());

    protected void Digits(Expression<Func<T, string>> property, int digitsMin, int digitsMax) =>
        Bound(property, text => text.Length == 0 || Rules.AreDigits(text, digitsMin, digitsMax), rule => rule.Digits(digitsMin, digitsMax));

    protected void Known<TEnum>(Expression<Func<T, TEnum>> property)
        where TEnum : struct, System.Enum =>
        Bound(property, System.Enum.IsDefined, rule => rule.Known());

    protected void Within(Expression<Func<T, double>> property, double min, double max, Func<T, bool> isSet)
    {
        var read = property.Compile();
        Bound(message => !isSet(message) || (read(message) >= min && read(message) <= max), () => RuleFor(property).Within(min, max, isSet));
    }

    protected void Within(Expression<Func<T, uint>> property, uint min, uint max, Func<T, bool> isSet)
    {
        var read = property.Compile();
        Bound(message => !isSet(message) || (read(message) >= min && read(message) <= max), () => RuleFor(property).Within(min, max, isSet));
    }

    protected void Within(Expression<Func<T, int>> property, int min, int max, Func<T, bool> isSet)
    {
        var read = property.Compile();
        Bound(message => !isSet(message) || (read(message) >= min && read(message) <= max), () => RuleFor(property).Within(min, max, isSet));
    }

    protected void Past(Expression<Func<T, Timestamp?>> property, TimeProvider clock, long earliestUnixSeconds = Rules.EarliestUnixSeconds) =>
        Bound(property, time => Rules.IsPast(time, clock, earliestUnixSeconds), rule => rule.Past(clock, earliestUnixSeconds));

    /// <summary>Like <see cref="Past"/>, and present.</summary>
    protected void RequiredPast(Expression<Func<T, Timestamp?>> property, TimeProvider clock) =>
        Bound(property, time => time is not null && Rules.IsPast(time, clock, Rules.EarliestUnixSeconds), rule => rule.Required().Past(clock));
}
