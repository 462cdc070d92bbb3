using System.Globalization;
using System.Text.RegularExpressions;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Compilation;

/// <summary>Checks types and turns syntax into delegates. One instance per expression.</summary>
internal sealed class Compiler<TFacts>(CelEnvironment<TFacts> environment, string source, CelLimits limits)
{
    private readonly List<CelIssue> _issues = [];
    private readonly HashSet<string> _reads = new(StringComparer.Ordinal);
    private readonly List<(string Name, CelType Type, int Slot)> _locals = [];
    private int _slots;
    private int _comprehensions;

    private static readonly string[] BuiltIns =
        ["size", "matches", "contains", "startsWith", "endsWith", "lowerAscii", "int", "double", "string", "bool", "duration", "timestamp", "type", "dyn", "has", "all", "exists", "exists_one", "filter", "map"];

    private readonly record struct Typed(CelType Type, Node<TFacts> Run, CelValue? Constant = null);

    private static readonly Typed Failed = new(CelType.Dyn, static (ref Frame<TFacts> _) => Operations.NoOverload);

    public CelCompilation<TFacts> Compile(Syntax syntax, CelType? expected)
    {
        var root = Visit(syntax);
        if (_issues.Count == 0 && expected is not null && !root.Type.Fits(expected))
            Report(syntax.Position, $"the expression gives {root.Type}, but {expected} is wanted");
        return _issues.Count > 0
            ? new CelCompilation<TFacts>(null, _issues)
            : new CelCompilation<TFacts>(new CelProgram<TFacts>(source, root.Type, root.Run, _slots, limits.StepsMax, _reads), []);
    }

    public static CelIssue Issue(string source, int position, string message, string? suggestion)
    {
        position = Math.Clamp(position, 0, source.Length);
        var before = source.AsSpan(0, position);
        return new CelIssue(position, before.Count('\n') + 1, position - before.LastIndexOf('\n'), message, suggestion);
    }

    private Typed Report(int position, string message, string? suggestion = null)
    {
        _issues.Add(Issue(source, position, message, suggestion));
        return Failed;
    }

    private Typed Visit(Syntax syntax) => syntax switch
    {
        LiteralSyntax literal => Literal(literal.Value),
        NameSyntax or SelectSyntax => Path(syntax),
        IndexSyntax index => Index(index),
        ListSyntax list => List(list),
        UnarySyntax unary => Unary(unary),
        BinarySyntax binary => Binary(binary),
        ConditionalSyntax conditional => Conditional(conditional),
        CallSyntax call => Call(call),
        _ => throw new InvalidOperationException($"No such syntax: {syntax.GetType().Name}."),
    };

    private static Typed Literal(CelValue value)
    {
        var type = value.Kind switch
        {
            CelKind.Bool => CelType.Bool,
            CelKind.Int => CelType.Int,
            CelKind.Double => CelType.Double,
            CelKind.String => CelType.String,
            CelKind.Null => CelType.Null,
            _ => CelType.Dyn,
        };
        return new Typed(type, (ref Frame<TFacts> _) => value, value);
    }

    /// <summary>A dotted name: the longest declared prefix is the field, the rest selects in its value.</summary>
    private Typed Path(Syntax syntax)
    {
        if (Dotted(syntax) is { } path && Local(path.Split('.')[0]) is null)
        {
            if (environment.TryField(path, out var info, out var read))
            {
                _reads.Add(path);
                return new Typed(info.Type, (ref Frame<TFacts> frame) => read(frame.Facts));
            }
            var root = path;
            while (root.LastIndexOf('.') is var dot and > 0)
            {
                root = root[..dot];
                if (environment.TryField(root, out info, out _) && info.Type.Kind is CelKind.Map or CelKind.Dyn) return Select((SelectSyntax)syntax);
            }
            return Report(syntax.Position, $"there is no field `{path}`", Nearest(path, environment.Fields.Select(field => field.Path)));
        }
        if (syntax is NameSyntax name && Local(name.Name) is { } local)
        {
            var slot = local.Slot;
            return new Typed(local.Type, (ref Frame<TFacts> frame) => frame.Locals[slot]);
        }
        return Select((SelectSyntax)syntax);
    }

    private Typed Select(SelectSyntax select)
    {
        var operand = Visit(select.Operand);
        if (operand.Type.Kind is not (CelKind.Map or CelKind.Dyn)) return Report(select.Position, $"a {operand.Type} has no fields");
        var (run, field) = (operand.Run, select.Field);
        return new Typed(operand.Type.Element ?? CelType.Dyn, (ref Frame<TFacts> frame) => Operations.Select(run(ref frame), field));
    }

    private Typed Index(IndexSyntax syntax)
    {
        var (operand, index) = (Visit(syntax.Operand), Visit(syntax.Index));
        var wanted = operand.Type.Kind switch { CelKind.List => CelType.Int, CelKind.Map => CelType.String, CelKind.Dyn => CelType.Dyn, _ => null };
        if (wanted is null) return Report(syntax.Position, $"a {operand.Type} has no items");
        if (!index.Type.Fits(wanted)) return Report(syntax.Position, $"a {operand.Type} is indexed by {wanted}, not {index.Type}");
        var (run, at) = (operand.Run, index.Run);
        return new Typed(operand.Type.Element ?? CelType.Dyn, (ref Frame<TFacts> frame) => Operations.Index(run(ref frame), at(ref frame)));
    }

    private Typed List(ListSyntax syntax)
    {
        var items = syntax.Items.Select(Visit).ToArray();
        var type = CelType.List(items.Length > 0 && items.All(item => item.Type == items[0].Type) ? items[0].Type : CelType.Dyn);
        if (items.All(item => item.Constant is not null))
        {
            // Constant lists are built once; `in` over them is a look-up in Binary.
            var constant = CelValue.From([.. items.Select(item => item.Constant!.Value)]);
            return new Typed(type, (ref Frame<TFacts> _) => constant, constant);
        }
        var runs = items.Select(item => item.Run).ToArray();
        return new Typed(type, (ref Frame<TFacts> frame) =>
        {
            var values = new CelValue[runs.Length];
            for (var i = 0; i < runs.Length; i++)
            {
                values[i] = runs[i](ref frame);
                if (values[i].IsError) return values[i];
            }
            return CelValue.From(values);
        });
    }

    private Typed Unary(UnarySyntax syntax)
    {
        var operand = Visit(syntax.Operand);
        var run = operand.Run;
        if (syntax.Operator == "-")
        {
            return operand.Type.IsNumber || operand.Type.Kind == CelKind.Dyn
                ? new Typed(operand.Type, (ref Frame<TFacts> frame) => Operations.Negate(run(ref frame)))
                : Report(syntax.Position, $"`-` wants a number, not {operand.Type}");
        }
        if (!operand.Type.Fits(CelType.Bool)) return Report(syntax.Position, $"`!` wants bool, not {operand.Type}");
        return new Typed(CelType.Bool, (ref Frame<TFacts> frame) =>
        {
            var value = run(ref frame);
            return value.Kind switch
            {
                CelKind.Bool => CelValue.From(!value.AsBool()),
                CelKind.Error => value,
                _ => Operations.NoOverload,
            };
        });
    }

    private Typed Binary(BinarySyntax syntax)
    {
        var (left, right) = (Visit(syntax.Left), Visit(syntax.Right));
        var (x, y) = (left.Run, right.Run);
        switch (syntax.Operator)
        {
            case "&&" or "||":
                foreach (var side in new[] { (left, syntax.Left), (right, syntax.Right) })
                {
                    if (!side.Item1.Type.Fits(CelType.Bool)) return Report(side.Item2.Position, $"`{syntax.Operator}` wants bool, not {side.Item1.Type}");
                }
                var decides = syntax.Operator == "||";
                return new Typed(CelType.Bool, (ref Frame<TFacts> frame) => Logic(x(ref frame), y, ref frame, decides));
            case "in":
                if (right.Type.Kind is not (CelKind.List or CelKind.Map or CelKind.Dyn)) return Report(syntax.Position, $"`in` wants a list or a map, not {right.Type}");
                if (right.Type.Element is { } element && !Comparable(left.Type, element)) return Report(syntax.Position, $"`in` looks for {left.Type} in {right.Type}");
                if (right.Constant is { } constant && constant.AsList().Count > 4)
                {
                    var set = constant.AsList().ToHashSet();
                    return new Typed(CelType.Bool, (ref Frame<TFacts> frame) => x(ref frame) is var item && item.IsError ? item : CelValue.From(set.Contains(item)));
                }
                return new Typed(CelType.Bool, (ref Frame<TFacts> frame) => Operations.In(x(ref frame), y(ref frame)));
            case "==" or "!=" or "<" or "<=" or ">" or ">=":
                var ordered = syntax.Operator is not ("==" or "!=");
                if (!Comparable(left.Type, right.Type) || (ordered && left.Type.Kind is CelKind.List or CelKind.Map or CelKind.Null))
                    return Report(syntax.Position, $"`{syntax.Operator}` can't compare {left.Type} with {right.Type}");
                var relation = syntax.Operator;
                return new Typed(CelType.Bool, (ref Frame<TFacts> frame) => Operations.Compare(relation, x(ref frame), y(ref frame)));
            default:
                var symbol = syntax.Operator[0];
                return ArithmeticType(symbol, left.Type, right.Type) is { } type
                    ? new Typed(type, (ref Frame<TFacts> frame) => Operations.Arithmetic(symbol, x(ref frame), y(ref frame)))
                    : Report(syntax.Position, $"`{symbol}` does not take {left.Type} and {right.Type}{(left.Type.IsNumber && right.Type.IsNumber ? "; convert one with int() or double()" : "")}");
        }
    }

    /// <summary>The deciding side absorbs an error of the other, whichever comes first.</summary>
    private static CelValue Logic(CelValue left, Node<TFacts> second, ref Frame<TFacts> frame, bool decides)
    {
        if (left.Kind == CelKind.Bool && left.AsBool() == decides) return left;
        var right = second(ref frame);
        if (right.Kind == CelKind.Bool && (right.AsBool() == decides || left.Kind == CelKind.Bool)) return right;
        if (left.IsError) return left;
        if (right.IsError) return right;
        return Operations.NoOverload;
    }

    private static bool Comparable(CelType left, CelType right) =>
        left.Fits(right) || (left.IsNumber && right.IsNumber) || left.Kind == CelKind.Null || right.Kind == CelKind.Null;

    private static CelType? ArithmeticType(char symbol, CelType left, CelType right)
    {
        if (left.Kind == CelKind.Dyn || right.Kind == CelKind.Dyn) return CelType.Dyn;
        return (symbol, left.Kind, right.Kind) switch
        {
            (_, CelKind.Int, CelKind.Int) => CelType.Int,
            (not '%', CelKind.Double, CelKind.Double) => CelType.Double,
            ('+', CelKind.String, CelKind.String) => CelType.String,
            ('+', CelKind.List, CelKind.List) => left == right ? left : CelType.List(CelType.Dyn),
            ('+' or '-', CelKind.Duration, CelKind.Duration) => CelType.Duration,
            ('+' or '-', CelKind.Timestamp, CelKind.Duration) => CelType.Timestamp,
            ('+', CelKind.Duration, CelKind.Timestamp) => CelType.Timestamp,
            ('-', CelKind.Timestamp, CelKind.Timestamp) => CelType.Duration,
            _ => null,
        };
    }

    private Typed Conditional(ConditionalSyntax syntax)
    {
        var (condition, then, otherwise) = (Visit(syntax.Condition), Visit(syntax.Then), Visit(syntax.Else));
        if (!condition.Type.Fits(CelType.Bool)) return Report(syntax.Position, $"`?` wants bool, not {condition.Type}");
        if (!then.Type.Fits(otherwise.Type)) return Report(syntax.Position, $"the two sides of `:` are {then.Type} and {otherwise.Type}");
        var (c, t, e) = (condition.Run, then.Run, otherwise.Run);
        return new Typed(then.Type.Kind == CelKind.Dyn ? otherwise.Type : then.Type, (ref Frame<TFacts> frame) =>
        {
            var value = c(ref frame);
            if (value.IsTrue) return t(ref frame);
            if (value.IsFalse) return e(ref frame);
            return value.IsError ? value : Operations.NoOverload;
        });
    }

    private Typed Call(CallSyntax call)
    {
        if (call.Target is null && call.Name == "has") return Has(call);
        if (call.Target is not null && call.Name is "all" or "exists" or "exists_one" or "filter" or "map") return Comprehension(call);

        var arguments = new List<(Typed Value, Syntax Syntax)>();
        if (call.Target is not null) arguments.Add((Visit(call.Target), call.Target));
        arguments.AddRange(call.Arguments.Select(argument => (Visit(argument), argument)));
        if (_issues.Count > 0) return Failed;

        if (call.Target is null && environment.TryFunction(call.Name, out var info, out var function)) return Declared(call, info, function, arguments);
        var types = arguments.ConvertAll(argument => argument.Value.Type);
        bool Takes(params ReadOnlySpan<CelType> wanted)
        {
            if (types.Count != wanted.Length) return false;
            for (var i = 0; i < wanted.Length; i++)
            {
                if (!types[i].Fits(wanted[i])) return false;
            }
            return true;
        }

        var member = call.Target is not null;
        switch (call.Name)
        {
            case "size" when types.Count == 1 && types[0].Kind is CelKind.String or CelKind.List or CelKind.Map or CelKind.Dyn:
                return Apply1(CelType.Int, arguments[0].Value.Run, static (in CelValue value) => Operations.Size(value));
            case "matches" when Takes(CelType.String, CelType.String):
                return Matches(arguments[0].Value, arguments[1].Value, arguments[1].Syntax);
            case "contains" when member && Takes(CelType.String, CelType.String):
                return Strings(arguments, static (x, y) => x.Contains(y, StringComparison.Ordinal));
            case "startsWith" when member && Takes(CelType.String, CelType.String):
                return Strings(arguments, static (x, y) => x.StartsWith(y, StringComparison.Ordinal));
            case "endsWith" when member && Takes(CelType.String, CelType.String):
                return Strings(arguments, static (x, y) => x.EndsWith(y, StringComparison.Ordinal));
            case "lowerAscii" when member && Takes(CelType.String):
                return Apply1(CelType.String, arguments[0].Value.Run, static (in CelValue value) => value.Kind == CelKind.String ? CelValue.From(LowerAscii(value.AsString())) : Operations.NoOverload);
            case "duration" when !member && Takes(CelType.String):
                if (arguments[0].Value.Constant is { Kind: CelKind.String } text)
                {
                    var constant = Operations.ParseDuration(text.AsString());
                    return constant.IsError
                        ? Report(arguments[0].Syntax.Position, "not a duration (write \"90m\", \"1h30m\", \"10s\")")
                        : new Typed(CelType.Duration, (ref Frame<TFacts> _) => constant, constant);
                }
                return Apply1(CelType.Duration, arguments[0].Value.Run, static (in CelValue value) => value.Kind == CelKind.String ? Operations.ParseDuration(value.AsString()) : Operations.NoOverload);
            case "timestamp" when !member && Takes(CelType.String):
                return Apply1(CelType.Timestamp, arguments[0].Value.Run, static (in CelValue value) => value.Kind == CelKind.String ? Operations.ParseTimestamp(value.AsString()) : Operations.NoOverload);
            case "int" when !member && types.Count == 1:
                return Apply1(CelType.Int, arguments[0].Value.Run, Conversions.ToInt);
            case "double" when !member && types.Count == 1:
                return Apply1(CelType.Double, arguments[0].Value.Run, Conversions.ToDouble);
            case "string" when !member && types.Count == 1:
                return Apply1(CelType.String, arguments[0].Value.Run, Conversions.ToText);
            case "bool" when !member && types.Count == 1:
                return Apply1(CelType.Bool, arguments[0].Value.Run, Conversions.ToBool);
            case "dyn" when !member && types.Count == 1:
                return arguments[0].Value with { Type = CelType.Dyn, Constant = null };
        }
        return BuiltIns.Contains(call.Name)
            ? Report(call.Position, $"`{call.Name}` does not take ({string.Join(", ", types)})")
            : Report(call.Position, $"there is no function `{call.Name}`", Nearest(call.Name, BuiltIns.Concat(environment.Functions.Select(f => f.Name))));
    }

    private Typed Declared(CallSyntax call, CelFunctionInfo info, CelFunction<TFacts> function, List<(Typed Value, Syntax Syntax)> arguments)
    {
        if (arguments.Count != info.Arguments.Count || !arguments.Zip(info.Arguments).All(pair => pair.First.Value.Type.Fits(pair.Second)))
            return Report(call.Position, $"`{call.Name}` takes ({string.Join(", ", info.Arguments)}), not ({string.Join(", ", arguments.Select(a => a.Value.Type))})");
        _reads.Add(call.Name + "()");
        if (arguments.All(argument => argument.Value.Constant is not null))
        {
            var constants = arguments.Select(argument => argument.Value.Constant!.Value).ToArray();
            return new Typed(info.Result, (ref Frame<TFacts> frame) => function(frame.Facts, constants));
        }
        var runs = arguments.Select(argument => argument.Value.Run).ToArray();
        return new Typed(info.Result, (ref Frame<TFacts> frame) =>
        {
            var values = new CelValue[runs.Length];
            for (var i = 0; i < runs.Length; i++)
            {
                values[i] = runs[i](ref frame);
                if (values[i].IsError) return values[i];
            }
            return function(frame.Facts, values);
        });
    }

    private Typed Has(CallSyntax call)
    {
        if (call.Arguments is not [SelectSyntax or NameSyntax]) return Report(call.Position, "`has` takes one field: has(ip.country)");
        var argument = call.Arguments[0];
        var group = Dotted(argument);
        if (group is not null && environment.IsPrefix(group) && !environment.TryField(group, out _, out _))
            return Report(argument.Position, $"`{group}` is a group of fields; ask for one of them", Nearest(group + ".", environment.Fields.Select(f => f.Path)));
        var field = Visit(argument).Run;
        return new Typed(CelType.Bool, (ref Frame<TFacts> frame) =>
        {
            var value = field(ref frame);
            return value.IsMissing ? CelValue.False : value.IsError ? value : CelValue.True;
        });
    }

    private Typed Comprehension(CallSyntax call)
    {
        var range = Visit(call.Target!);
        if (call.Arguments is not [NameSyntax variable, _]) return Report(call.Position, $"`{call.Name}` takes a name and an expression: list.{call.Name}(x, …)");
        if (range.Type.Kind is not (CelKind.List or CelKind.Map or CelKind.Dyn)) return Report(call.Position, $"`{call.Name}` runs over a list or a map, not {range.Type}");
        if (++_comprehensions > limits.ComprehensionDepthMax) return Report(call.Position, $"more than {limits.ComprehensionDepthMax} comprehensions inside one another");
        var slot = _slots++;
        _locals.Add((variable.Name, range.Type.Kind == CelKind.List ? range.Type.Element ?? CelType.Dyn : range.Type.Kind == CelKind.Map ? CelType.String : CelType.Dyn, slot));
        var body = Visit(call.Arguments[1]);
        _locals.RemoveAt(_locals.Count - 1);
        _comprehensions--;
        if (call.Name != "map" && !body.Type.Fits(CelType.Bool)) return Report(call.Arguments[1].Position, $"`{call.Name}` wants bool, not {body.Type}");
        var (name, items, run) = (call.Name, range.Run, body.Run);
        var type = name switch { "filter" => CelType.List(range.Type.Kind == CelKind.List ? range.Type.Element ?? CelType.Dyn : CelType.Dyn), "map" => CelType.List(body.Type), _ => CelType.Bool };
        return new Typed(type, (ref Frame<TFacts> frame) => Run(name, items, run, slot, ref frame));
    }

    private static CelValue Run(string name, Node<TFacts> items, Node<TFacts> body, int slot, ref Frame<TFacts> frame)
    {
        var range = items(ref frame);
        if (range.IsError) return range;
        var list = range.Kind switch
        {
            CelKind.List => range.AsList(),
            CelKind.Map => [.. range.AsMap().Keys.Order(StringComparer.Ordinal).Select(CelValue.From)],
            _ => null,
        };
        if (list is null) return Operations.NoOverload;
        CelValue? failure = null;
        var trues = 0;
        List<CelValue>? built = name is "filter" or "map" ? [] : null;
        for (var i = 0; i < list.Count; i++)
        {
            if (--frame.Steps < 0) return CelValue.Error("too many steps");
            frame.Locals[slot] = list[i];
            var value = body(ref frame);
            if (value.IsError || (name != "map" && value.Kind != CelKind.Bool))
            {
                failure ??= value.IsError ? value : Operations.NoOverload;
                if (name is "all" or "exists") continue; // A later item may decide and absorb it.
                return failure.Value;
            }
            switch (name)
            {
                case "all" when value.IsFalse:
                    return CelValue.False;
                case "exists" when value.IsTrue:
                    return CelValue.True;
                case "exists_one" when value.IsTrue:
                    trues++;
                    break;
                case "filter" when value.IsTrue:
                    built!.Add(list[i]);
                    break;
                case "map":
                    built!.Add(value);
                    break;
            }
        }
        return failure ?? name switch
        {
            "all" => CelValue.True,
            "exists" => CelValue.False,
            "exists_one" => CelValue.From(trues == 1),
            _ => CelValue.From(built!),
        };
    }

    private delegate CelValue Unary1(in CelValue value);

    private static Typed Apply1(CelType type, Node<TFacts> run, Unary1 apply) =>
        new(type, (ref Frame<TFacts> frame) =>
        {
            var value = run(ref frame);
            return value.IsError ? value : apply(value);
        });

    private static Typed Strings(List<(Typed Value, Syntax Syntax)> arguments, Func<string, string, bool> apply)
    {
        var (x, y) = (arguments[0].Value.Run, arguments[1].Value.Run);
        return new Typed(CelType.Bool, (ref Frame<TFacts> frame) =>
        {
            var left = x(ref frame);
            if (left.IsError) return left;
            var right = y(ref frame);
            if (right.IsError) return right;
            return left.Kind == CelKind.String && right.Kind == CelKind.String ? CelValue.From(apply(left.AsString(), right.AsString())) : Operations.NoOverload;
        });
    }

    /// <summary>Patterns are constants, so that they are checked on save and compiled once.</summary>
    private Typed Matches(Typed text, Typed pattern, Syntax syntax)
    {
        if (pattern.Constant is not { Kind: CelKind.String } constant) return Report(syntax.Position, "the pattern of `matches` is a string literal");
        var source = constant.AsString();
        if (source.Length > limits.PatternLengthMax) return Report(syntax.Position, $"the pattern is longer than {limits.PatternLengthMax} characters");
        Regex regex;
        try
        {
            regex = new Regex(source, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception problem) when (problem is ArgumentException or NotSupportedException or InsufficientExecutionStackException)
        {
            return Report(syntax.Position, "the pattern is no regular expression of the linear-time kind (no look-around, no back-references)");
        }
        var run = text.Run;
        return new Typed(CelType.Bool, (ref Frame<TFacts> frame) =>
        {
            var value = run(ref frame);
            if (value.IsError) return value;
            return value.Kind == CelKind.String ? CelValue.From(regex.IsMatch(value.AsString())) : Operations.NoOverload;
        });
    }

    private (string Name, CelType Type, int Slot)? Local(string name)
    {
        for (var i = _locals.Count - 1; i >= 0; i--)
        {
            if (_locals[i].Name == name) return _locals[i];
        }
        return null;
    }

    private static string? Dotted(Syntax syntax) => syntax switch
    {
        NameSyntax name => name.Name,
        SelectSyntax { Operand: var operand, Field: var field } when Dotted(operand) is { } path => $"{path}.{field}",
        _ => null,
    };

    private static string LowerAscii(string text) =>
        string.Create(text.Length, text, static (span, from) => { for (var i = 0; i < span.Length; i++) span[i] = from[i] is >= 'A' and <= 'Z' ? (char)(from[i] + 32) : from[i]; });

    /// <summary>The known name nearest in edits, if near enough to be a slip (a third of its length).</summary>
    private static string? Nearest(string name, IEnumerable<string> known)
    {
        if (name.Length > 64) return null;
        var best = known.Select(candidate => (candidate, edits: Edits(name, candidate))).OrderBy(pair => pair.edits).FirstOrDefault();
        return best.candidate is not null && best.edits <= Math.Max(2, name.Length / 3) ? best.candidate : null;
    }

    private static int Edits(string from, string to)
    {
        var previous = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var row = new int[to.Length + 1];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
                row[j] = Math.Min(Math.Min(row[j - 1], previous[j]) + 1, previous[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1));
            previous = row;
        }
        return previous[to.Length];
    }
}
