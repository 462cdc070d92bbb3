namespace SignupGuard.Cel.Compilation;

/// <summary>
/// Types of calls and literals. Inference needs no unknowns to solve for: the element of <c>[]</c> is <see cref="CelType.Never"/>,
/// which gives way to any other type where the two meet.
/// </summary>
internal static class Typing
{
    /// <summary>The one type two values can both have; null when there is none but dyn.</summary>
    public static CelType? Join(CelType left, CelType right)
    {
        if (left.Kind == CelKind.Never) return right;
        if (right.Kind == CelKind.Never) return left;
        if (left.Kind == CelKind.Dyn || right.Kind == CelKind.Dyn) return CelType.Dyn;
        if (left.Kind == CelKind.Null) return left.Fits(right) ? right : null;
        if (right.Kind == CelKind.Null) return right.Fits(left) ? left : null;
        if (left.Kind != right.Kind || left.Name != right.Name || left.Arguments.Count != right.Arguments.Count) return null;
        if (left.Arguments.Count == 0) return left;
        var arguments = new CelType[left.Arguments.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            if (Join(left.Arguments[i], right.Arguments[i]) is not { } joined) return null;
            arguments[i] = joined;
        }
        return Rebuild(left, arguments);
    }

    /// <summary>Whether a call's arguments fit a function, and what it then gives.</summary>
    public static CelType? Result(IReadOnlyList<CelType> parameters, CelType result, IReadOnlyList<CelType> arguments)
    {
        if (parameters.Count != arguments.Count) return null;
        var bound = new Dictionary<string, CelType>(StringComparer.Ordinal);
        for (var i = 0; i < parameters.Count; i++)
        {
            if (!Bind(parameters[i], arguments[i], bound)) return null;
        }
        return Substitute(result, bound);
    }

    private static bool Bind(CelType parameter, CelType argument, Dictionary<string, CelType> bound)
    {
        if (parameter.Kind == CelKind.Parameter)
        {
            if (Join(bound.GetValueOrDefault(parameter.Name, CelType.Never), argument) is not { } joined) return false;
            bound[parameter.Name] = joined;
            return true;
        }
        if (argument.IsOpen || parameter.Arguments.Count == 0 || argument.Kind == CelKind.Null) return argument.Fits(parameter);
        if (parameter.Kind != argument.Kind || parameter.Name != argument.Name || parameter.Arguments.Count != argument.Arguments.Count) return false;
        for (var i = 0; i < parameter.Arguments.Count; i++)
        {
            if (!Bind(parameter.Arguments[i], argument.Arguments[i], bound)) return false;
        }
        return true;
    }

    private static CelType Substitute(CelType type, Dictionary<string, CelType> bound) => type.Kind == CelKind.Parameter
        ? bound.GetValueOrDefault(type.Name, CelType.Never)
        : type.Arguments.Count == 0 ? type : Rebuild(type, [.. type.Arguments.Select(argument => Substitute(argument, bound))]);

    /// <summary>What is shown outside: what never got a type is dyn.</summary>
    public static CelType Settled(CelType type) => type.Kind == CelKind.Never
        ? CelType.Dyn
        : type.Arguments.Count == 0 ? type : Rebuild(type, [.. type.Arguments.Select(Settled)]);

    private static CelType Rebuild(CelType type, CelType[] arguments) => type.Kind switch
    {
        CelKind.List => CelType.List(arguments[0]),
        CelKind.Map => CelType.Map(arguments[0], arguments[1]),
        CelKind.Optional => CelType.Optional(arguments[0]),
        _ => CelType.Opaque(type.Name, arguments),
    };
}
