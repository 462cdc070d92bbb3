using SignupGuard.Cel.Functions;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Compilation;

/// <summary>Calls: of the environment's functions, of the library's, and of those the compiler itself knows.</summary>
internal sealed partial class Compiler<TFacts>
{
    private static readonly string[] MacroNames =
        ["has", "all", "exists", "exists_one", "existsOne", "filter", "map", "transformList", "transformMap", "transformMapEntry", "optMap", "optFlatMap", "cel.bind"];

    private static readonly string[] FunctionNames = [.. Library.All.Select(function => function.Name), .. MacroNames, "matches", "or", "orValue"];

    private Code<TFacts> Call(CallSyntax call)
    {
        if (Macro(call) is { } macro) return macro;

        var issues = _issues.Count;
        if (call.Target is not null && QualifiedName(call) is { } qualified && Find(qualified) is { } namespaced)
        {
            var own = Visit(call.Arguments);
            return HasFailed(issues) ? Failed : namespaced(call, call.Arguments, own);
        }
        if (call.Target is not null && QualifiedName(call) is { } unknown && IsNamespace(unknown[..unknown.LastIndexOf('.')]))
            return Report(call.Position, $"there is no function `{unknown}`", Nearest(unknown, FunctionNames.Concat(environment.FunctionNames)));
        Syntax[] syntaxes = call.Target is null ? [.. call.Arguments] : [call.Target, .. call.Arguments];
        var arguments = Visit(syntaxes);
        if (HasFailed(issues)) return Failed;
        switch (call.Name)
        {
            case "matches" when syntaxes.Length == 2:
                return Matches(call, syntaxes, arguments);
            case "or" or "orValue" when call.Target is not null && arguments.Length == 2:
                return OrElse(call, arguments);
        }
        if (call.Target is null && Find(call.Name) is { } global) return global(call, syntaxes, arguments);
        if (call.Target is not null && Library.Find(call.Name, isMember: true) is { } member) return OfLibrary(member, call, syntaxes, arguments);
        return FunctionNames.Contains(call.Name) || environment.TryFunction(call.Name, out _, out _, out _)
            ? Report(call.Position, $"`{call.Name}` is not called this way", Usage(call.Name))
            : Report(call.Position, $"there is no function `{call.Name}`", Nearest(call.Name, FunctionNames.Concat(environment.FunctionNames)));
    }

    /// <summary>Whether functions live under the name, and no field.</summary>
    private bool IsNamespace(string name) =>
        FunctionNames.Concat(environment.FunctionNames).Any(function => function.StartsWith(name + ".", StringComparison.Ordinal)) && Resolve(name.Split('.'), isAbsolute: false) is null;

    private static string? Usage(string name) =>
        (Library.Find(name, isMember: true) ?? Library.Find(name, isMember: false))?.Signatures[0].Text ?? (name == "matches" ? "string.matches(string): bool" : null);

    private delegate Code<TFacts> Compilable(CallSyntax call, IReadOnlyList<Syntax> syntaxes, Code<TFacts>[] arguments);

    /// <summary>A function that is called by its name alone: the environment's own go first.</summary>
    private Compilable? Find(string name)
    {
        foreach (var path in environment.Scopes(name, isAbsolute: false))
        {
            if (environment.TryFunction(path, out var info, out var function, out var refuse))
                return (call, syntaxes, arguments) => OfEnvironment(call, info, function, refuse, syntaxes, arguments);
        }
        return Library.Find(name, isMember: false) is { } library ? (call, syntaxes, arguments) => OfLibrary(library, call, syntaxes, arguments) : null;
    }

    /// <summary><c>math.abs</c> of <c>math.abs(x)</c>; null where the name before the dot is a variable.</summary>
    private string? QualifiedName(CallSyntax call) =>
        Segments(call.Target!) is { } segments && FindLocal(segments[0]) is null ? $"{string.Join('.', segments)}.{call.Name}" : null;

    private Code<TFacts> OfLibrary(LibraryFunction function, CallSyntax call, IReadOnlyList<Syntax> syntaxes, Code<TFacts>[] arguments)
    {
        var types = Array.ConvertAll(arguments, argument => argument.Type);
        if ((function.IsVariadic ? VariadicType(types) : ResultType(function, types)) is not { } type)
            return Report(call.Position, $"`{call.Name}` does not take ({string.Join(", ", types.Select(Typing.Settled))})", function.Signatures[0].Text);
        if (RefusedConstant(function, arguments) is var (at, message)) return Report(syntaxes[at].Position, message);
        var node = Calls<TFacts>.Of(function.Run, Array.ConvertAll(arguments, argument => argument.Run));
        return Folded(new Code<TFacts>(type, node) { Items = limits.ItemsAssumed }, arguments);
    }

    private static CelType? ResultType(LibraryFunction function, CelType[] types)
    {
        CelType? result = null;
        foreach (var signature in function.Signatures)
        {
            if (Typing.Result(signature.Parameters, signature.Result, types) is not { } type) continue;
            result = result is null || result == type ? type : CelType.Dyn;
        }
        return result;
    }

    /// <summary>Numbers, or one list of numbers.</summary>
    private static CelType? VariadicType(CelType[] types)
    {
        if (types is [{ Kind: CelKind.List } list]) types = [list.Element!];
        if (types.Length == 0 || !types.All(type => type.IsNumber || type.IsOpen)) return null;
        return types.Aggregate((left, right) => Typing.Join(left, right) ?? CelType.Dyn);
    }

    /// <summary>A literal that a function can't read is a slip, found on save.</summary>
    private (int Argument, string Message)? RefusedConstant(LibraryFunction function, Code<TFacts>[] arguments)
    {
        if (!isChecked || arguments.Length == 0 || arguments[^1].Constant?.Text is not { } text) return null;
        return function.Name switch
        {
            "duration" when Times.ParseDuration(text).IsError => (0, "not a duration (write \"90m\", \"1h30m\", \"10s\"; at most 292 years)"),
            "timestamp" when Times.ParseTimestamp(text).IsError => (0, "not a timestamp (write \"2026-01-31T23:59:59Z\")"),
            _ when arguments.Length == 2 && function.Name.StartsWith("get", StringComparison.Ordinal) && !Times.TryOffset(text, CelValue.FromUnix(0, 0), out _) =>
                (1, "not a time zone (write \"Europe/Berlin\" or \"+02:00\")"),
            _ => null,
        };
    }

    private Code<TFacts> OfEnvironment(CallSyntax call, CelFunctionInfo info, CelFunction<TFacts> function, CelRefusal? refuse, IReadOnlyList<Syntax> syntaxes, Code<TFacts>[] arguments)
    {
        if (Typing.Result(info.Arguments, info.Result, Array.ConvertAll(arguments, argument => argument.Type)) is not { } type)
            return Report(call.Position, $"`{info.Name}` takes ({string.Join(", ", info.Arguments)}), not ({string.Join(", ", arguments.Select(argument => Typing.Settled(argument.Type)))})");
        if (refuse?.Invoke(Array.ConvertAll(arguments, argument => argument.Constant)) is { } refusal)
            return Report(syntaxes.Count > 0 ? syntaxes[Math.Clamp(refusal.Argument, 0, syntaxes.Count - 1)].Position : call.Position, refusal.Message, refusal.Suggestion);
        _reads.Add(info.Name + "()");
        var constants = Array.ConvertAll(arguments, argument => argument.Constant ?? CelValue.Null);
        var node = Array.TrueForAll(arguments, argument => argument.Constant is { IsError: false })
            ? Calls<TFacts>.Of(function, constants)
            : Calls<TFacts>.Of(function, Array.ConvertAll(arguments, argument => argument.Run));
        return new Code<TFacts>(type, node) { Items = limits.ItemsAssumed }.Over(arguments);
    }

    /// <summary>Patterns are constants, so that they are checked on save and compiled once.</summary>
    private Code<TFacts> Matches(CallSyntax call, Syntax[] syntaxes, Code<TFacts>[] arguments)
    {
        var (text, pattern) = (arguments[0], arguments[1]);
        if (!text.Type.Fits(CelType.String) || !pattern.Type.Fits(CelType.String)) return Report(call.Position, $"`matches` does not take ({text.Type}, {pattern.Type})", Usage("matches"));
        if (pattern.Constant is not { Kind: CelKind.String } constant) return Report(syntaxes[1].Position, "the pattern of `matches` is a string literal, so that it is checked on save");
        if (++_patterns > limits.PatternsMax) return Report(syntaxes[1].Position, $"more than {limits.PatternsMax} patterns in one expression");
        // Trying a pattern takes time: after one that is refused the others wait for the next save.
        if (_hasPatternFailed) return Constant(CelType.Bool, Errors.NoOverload) with { Constant = null };
        if (Patterns.Compile(constant.AsString(), limits, out var problem) is not { } compiled)
        {
            _hasPatternFailed = true;
            return Report(syntaxes[1].Position, problem!);
        }
        var run = text.Run;
        return Folded(
            new Code<TFacts>(CelType.Bool, (ref Frame<TFacts> frame) =>
            {
                var value = run(ref frame);
                if (value.Text is not { } subject) return value.IsError ? value : Errors.NoOverload;
                return compiled.IsMatch(ref frame.Meter, subject);
            }),
            text);
    }

    /// <summary><c>optional.or(optional)</c> and <c>optional.orValue(value)</c>: the second is only looked at where the first is empty.</summary>
    private Code<TFacts> OrElse(CallSyntax call, Code<TFacts>[] arguments)
    {
        var held = CelType.Parameter("T");
        var isValue = call.Name == "orValue";
        CelType[] parameters = [CelType.Optional(held), isValue ? held : CelType.Optional(held)];
        if (Typing.Result(parameters, parameters[1], [arguments[0].Type, arguments[1].Type]) is not { } type)
            return Report(call.Position, $"`{call.Name}` does not take ({arguments[0].Type}, {arguments[1].Type})", $"optional(T).{call.Name}({parameters[1]}): {parameters[1]}");
        var (first, second) = (arguments[0].Run, arguments[1].Run);
        return Folded(
            new Code<TFacts>(type, (ref Frame<TFacts> frame) =>
            {
                var optional = first(ref frame);
                if (optional.Kind != CelKind.Optional) return optional.IsError ? optional : Errors.NoOverload;
                if (optional.TryHeld(out var value)) return isValue ? value : optional;
                var other = second(ref frame);
                return isValue || other.IsError || other.Kind == CelKind.Optional ? other : Errors.NoOverload;
            })
            { Items = limits.ItemsAssumed },
            arguments);
    }
}
