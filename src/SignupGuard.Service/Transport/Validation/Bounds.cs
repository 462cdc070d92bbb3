using FluentValidation;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>The bounds of one request, said where they are declared.</summary>
internal sealed class Bounds<T> : AbstractValidator<T>
{
    public Bounds(Action<Bounds<T>> rules) => rules(this);
}
