using SignupGuard.Cel.Functions;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Compilation;

/// <summary>Calls that bind names or look at syntax: has, comprehensions, bindings.</summary>
internal sealed partial class Compiler<TFacts>
{
    private Code<TFacts>? Macro(CallSyntax call)
    {
        if (call.Target is null) return call.Name == "has" ? Has(call) : null;
        if (call.Target is NameSyntax { Name: "cel", Absolute: false } && FindLocal("cel") is null)
        {
            switch (call.Name, call.Arguments.Count)
            {
                case ("bind", 3):
                    return Bind(call);
                case ("block", 2) when call.Arguments[0] is ListSyntax list:
                    return Block(list.Items, 0, call.Arguments[1]);
                case ("index", 1) or ("iterVar", 2) when Variable(call) is { } name && FindLocal(name) is { } local:
                    return local.Code;
            }
        }
        return (call.Name, call.Arguments.Count) switch
        {
            ("all", 2 or 3) => Loop(call, LoopKind.All),
            ("exists", 2 or 3) => Loop(call, LoopKind.Exists),
            ("exists_one" or "existsOne", 2 or 3) => Loop(call, LoopKind.ExistsOne),
            ("filter", 2) => Loop(call, LoopKind.Filter),
            ("map", 2 or 3) => Loop(call, LoopKind.Map),
            ("transformList", 3 or 4) => Loop(call, LoopKind.Map),
            ("transformMap", 3 or 4) => Loop(call, LoopKind.TransformMap),
            ("transformMapEntry", 3 or 4) => Loop(call, LoopKind.TransformMapEntry),
            ("optMap" or "optFlatMap", 2) => OptionalMap(call),
            _ => null,
        };
    }

    /// <summary>The name a macro binds; also CEL's generated names, <c>cel.index(0)</c> and <c>cel.iterVar(0, 1)</c>.</summary>
    private static string? Variable(Syntax syntax) => syntax switch
    {
        NameSyntax { Absolute: false } name => name.Name,
        CallSyntax { Target: NameSyntax { Name: "cel" }, Name: "index" or "iterVar" } call when call.Arguments.All(argument => argument is LiteralSyntax { Value.Kind: CelKind.Int }) =>
            $"@{call.Name}:{string.Join(':', call.Arguments.Select(argument => ((LiteralSyntax)argument).Value.AsInt()))}",
        _ => null,
    };

    private Code<TFacts> Loop(CallSyntax call, LoopKind kind)
    {
        var arguments = call.Arguments;
        // map and filter bind one name, the transforms two; the tests bind as many as come before their one body.
        var names = call.Name switch { "filter" or "map" => 1, "transformList" or "transformMap" or "transformMapEntry" => 2, _ => arguments.Count - 1 };
        var issues = _issues.Count;
        var range = Visit(call.Target!);
        if (HasFailed(issues)) return Failed;
        if (Variable(arguments[0]) is not { } first) return Report(arguments[0].Position, $"`{call.Name}` binds a name here: list.{call.Name}(x, …)");
        string? second = null;
        if (names == 2)
        {
            second = Variable(arguments[1]);
            if (second is null || second == first) return Report(arguments[1].Position, $"`{call.Name}` binds a second name here: map.{call.Name}(key, value, …)");
        }
        if (range.Type.Kind is not (CelKind.List or CelKind.Map) && !range.Type.IsOpen) return Report(call.Position, $"`{call.Name}` runs over a list or a map, not {range.Type}");
        if (_comprehensions >= limits.ComprehensionDepthMax) return Report(call.Position, $"more than {limits.ComprehensionDepthMax} comprehensions inside one another");

        var key = range.Type.Kind switch { CelKind.List => names == 1 ? range.Type.Element! : CelType.Int, CelKind.Map => range.Type.Arguments[0], _ => CelType.Dyn };
        _comprehensions++;
        var secondSlot = -1;
        var (condition, body) = WithLocal(first, key, out var firstSlot, () => second is null
            ? Bodies(arguments, names)
            : WithLocal(second, range.Type.Element ?? CelType.Dyn, out secondSlot, () => Bodies(arguments, names)));
        _comprehensions--;
        if (HasFailed(issues)) return Failed;

        if (condition is { } filter && !filter.Type.Fits(CelType.Bool)) return Report(arguments[names].Position, $"the condition of `{call.Name}` is bool, not {filter.Type}");
        if (kind is LoopKind.All or LoopKind.Exists or LoopKind.ExistsOne or LoopKind.Filter && !body.Type.Fits(CelType.Bool))
            return Report(arguments[^1].Position, $"`{call.Name}` wants bool, not {body.Type}");
        if (kind == LoopKind.TransformMapEntry && body.Type.Kind != CelKind.Map && !body.Type.IsOpen) return Report(arguments[^1].Position, $"`{call.Name}` wants a map of one entry, not {body.Type}");
        var type = kind switch
        {
            LoopKind.Filter => CelType.List(key),
            LoopKind.Map => CelType.List(body.Type),
            LoopKind.TransformMap => CelType.Map(range.Type.Kind == CelKind.List ? CelType.Int : key, body.Type),
            LoopKind.TransformMapEntry => body.Type,
            _ => CelType.Bool,
        };
        var perItem = 1 + body.Nodes + (condition?.Nodes ?? 0);
        var work = Math.Min(range.Work + (range.Items * (1 + body.Work + (condition?.Work ?? 0))), int.MaxValue);
        var loop = new Comprehension<TFacts>(kind, range.Run, firstSlot, secondSlot, condition?.Run, body.Run, perItem);
        return new Code<TFacts>(type, loop.Run) { Nodes = range.Nodes + 1, Work = work, Items = range.Items };
    }

    private (Code<TFacts>? Condition, Code<TFacts> Body) Bodies(IReadOnlyList<Syntax> arguments, int names) =>
        arguments.Count == names + 2 ? (Visit(arguments[names]), Visit(arguments[^1])) : (null, Visit(arguments[^1]));

    private Code<TFacts> Bind(CallSyntax call)
    {
        if (Variable(call.Arguments[0]) is not { } name) return Report(call.Arguments[0].Position, "`cel.bind` binds a name here: cel.bind(x, value, …)");
        var issues = _issues.Count;
        var value = Visit(call.Arguments[1]);
        if (HasFailed(issues)) return Failed;
        return Bound(name, value, () => Visit(call.Arguments[2]));
    }

    /// <summary><c>cel.block([a, b, …], body)</c>: each item may use those before it as <c>cel.index(n)</c>.</summary>
    private Code<TFacts> Block(IReadOnlyList<ItemSyntax> items, int at, Syntax body)
    {
        if (at == items.Count) return Visit(body);
        if (_locals.Count >= limits.DepthMax) return Report(items[at].Value.Position, $"more than {limits.DepthMax} names bound inside one another");
        var issues = _issues.Count;
        var value = Visit(items[at].Value);
        return HasFailed(issues) ? Failed : Bound($"@index:{at}", value, () => Block(items, at + 1, body));
    }

    /// <summary>The value is computed once, before the body; an error stays in its slot until the body uses it.</summary>
    private Code<TFacts> Bound(string name, Code<TFacts> value, Func<Code<TFacts>> body)
    {
        var inner = WithLocal(name, value.Type, out var slot, body, value);
        if (value.Constant is not null) return inner;
        var (run, rest) = (value.Run, inner.Run);
        return (inner with
        {
            Constant = null,
            Read = null,
            Run = (ref Frame<TFacts> frame) =>
            {
                frame.Locals[slot] = run(ref frame);
                return rest(ref frame);
            },
        }).Over(value);
    }

    private Code<TFacts> OptionalMap(CallSyntax call)
    {
        var issues = _issues.Count;
        var target = Visit(call.Target!);
        if (HasFailed(issues)) return Failed;
        if (Variable(call.Arguments[0]) is not { } name) return Report(call.Arguments[0].Position, $"`{call.Name}` binds a name here: optional.{call.Name}(x, …)");
        if (target.Type.Kind != CelKind.Optional && !target.Type.IsOpen) return Report(call.Position, $"`{call.Name}` wants an optional, not {target.Type}");
        var body = WithLocal(name, target.Type.Kind == CelKind.Optional ? target.Type.Element! : CelType.Dyn, out var slot, () => Visit(call.Arguments[1]));
        if (HasFailed(issues)) return Failed;
        var isFlat = call.Name == "optFlatMap";
        if (isFlat && body.Type.Kind != CelKind.Optional && !body.Type.IsOpen) return Report(call.Arguments[1].Position, $"`optFlatMap` wants an optional, not {body.Type}");
        var (run, then) = (target.Run, body.Run);
        return new Code<TFacts>(isFlat ? body.Type : CelType.Optional(body.Type), (ref Frame<TFacts> frame) =>
        {
            var optional = run(ref frame);
            if (optional.Kind != CelKind.Optional) return optional.IsError ? optional : Errors.NoOverload;
            if (!optional.TryHeld(out var held)) return optional;
            frame.Locals[slot] = held;
            var value = then(ref frame);
            if (!isFlat) return CelValue.Some(value);
            return value.IsError || value.Kind == CelKind.Optional ? value : Errors.NoOverload;
        }).Over(target, body);
    }
}
