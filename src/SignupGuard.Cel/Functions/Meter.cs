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
