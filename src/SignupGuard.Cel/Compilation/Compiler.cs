using System.Runtime.CompilerServices;
using SignupGuard.Cel.Functions;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Compilation;

/// <summary>Checks types and turns syntax into delegates made for them. One instance per expression.</summary>
/// <param name="isChecked">False compiles what does not check too, to errors at evaluation: CEL allows it and its conformance suite asks for it; rules are always checked.</param>
internal sealed partial class Compiler<TFacts>(CelEnvironment<TFacts> environment, string source, CelLimits limits, bool isChecked)
{
    private readonly List<CelIssue> _issues = [];
    private readonly HashSet<string> _reads = new(StringComparer.Ordinal);
    private readonly List<Local> _locals = [];
    private int _slots;
    private int _slotsMax;
    private int _comprehensions;
    private int _patterns;
    private bool _hasPatternFailed;
    private bool _isOverWork;

    /// <summary>Work left for running constant parts while compiling; what is over it runs at evaluation, under that one's bound.</summary>
    private long _foldingLeft = limits.WorkMax;

    /// <summary>A variable of a comprehension or a binding.</summary>
    private readonly record struct Local(string Name, Code<TFacts> Code);

    public CelCompilation<TFacts> Compile(Syntax syntax, CelType? expected)
    {
        var root = Visit(syntax);
        if (_issues.Count == 0 && isChecked && expected is not null && !root.Type.Fits(expected))
            Report(syntax.Position, $"the expression gives {Typing.Settled(root.Type)}, but {expected} is wanted");
        return _issues.Count > 0
            ? new CelCompilation<TFacts>(null, _issues)
            : new CelCompilation<TFacts>(new CelProgram<TFacts>(source, Typing.Settled(root.Type), root.Run, _slotsMax, (int)root.Work, limits, _reads), []);
    }

    public static CelIssue Issue(string source, int position, string message, string? suggestion)
    {
        position = Math.Clamp(position, 0, source.Length);
        var before = source.AsSpan(0, position);
        return new CelIssue(position, before.Count('\n') + 1, position - before.LastIndexOf('\n'), message, suggestion);
    }

    private Code<TFacts> Report(int position, string message, string? suggestion = null)
    {
        if (!isChecked) return Constant(CelType.Dyn, CelValue.Error("the expression does not check here")) with { Constant = null };
        if (_issues.Count < limits.IssuesMax) _issues.Add(Issue(source, position, message, suggestion));
        return Failed;
    }

    /// <summary>Stands for what did not compile; its type fits everywhere, so that one problem is reported once.</summary>
    private static Code<TFacts> Failed { get; } = Constant(CelType.Never, Errors.NoOverload) with { Constant = null };

    /// <summary>Past a problem, where only the first of several consequences would help.</summary>
    private bool HasFailed(int issuesBefore) => _issues.Count > issuesBefore;

    private Code<TFacts> Visit(Syntax syntax)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return Report(syntax.Position, "the expression nests too deep");
        var code = syntax switch
        {
            LiteralSyntax literal => Constant(TypeOf(literal.Value), literal.Value),
            NameSyntax or SelectSyntax => Path(syntax),
            IndexSyntax index => Index(index),
            ListSyntax list => List(list),
            MapSyntax map => Map(map),
            MessageSyntax message => Report(message.Position, $"`{message.Name}{{…}}` builds a protobuf message, which rules can't"),
            NotSyntax not => Not(not),
            NegateSyntax negate => Negate(negate),
            BinarySyntax binary => Binary(binary),
            LogicSyntax logic => Logical(logic),
            ConditionalSyntax conditional => Conditional(conditional),
            CallSyntax call => Call(call),
            _ => throw new InvalidOperationException($"No such syntax: {syntax.GetType().Name}."),
        };
        if (code.Work > limits.WorkMax && !_isOverWork && isChecked)
        {
            _isOverWork = true;
            Report(syntax.Position, $"the expression may take {code.Work} steps; at most {limits.WorkMax} are allowed");
        }
        return isChecked ? code : code with { Type = CelType.Dyn };
    }

    private Code<TFacts>[] Visit(IEnumerable<Syntax> many) => [.. many.Select(Visit)];

    private static CelType TypeOf(in CelValue literal) => literal.Kind switch
    {
        CelKind.Bool => CelType.Bool,
        CelKind.Int => CelType.Int,
        CelKind.Uint => CelType.Uint,
        CelKind.Double => CelType.Double,
        CelKind.String => CelType.String,
        CelKind.Bytes => CelType.Bytes,
        _ => CelType.Null,
    };

    private static Code<TFacts> Constant(CelType type, CelValue value) => new(type, (ref Frame<TFacts> _) => value)
    {
        Constant = value,
        Items = value.Kind is CelKind.List or CelKind.Map ? value.Count : 0,
    };

    /// <summary>Runs now what no fact can change.</summary>
    private Code<TFacts> Folded(Code<TFacts> code, params ReadOnlySpan<Code<TFacts>> operands)
    {
        foreach (var operand in operands)
        {
            if (operand.Constant is null) return code.Over(operands);
        }
        if (_foldingLeft <= 0) return code.Over(operands);
        var frame = new Frame<TFacts>(default!, [], limits.WorkMax, limits.BuiltMax);
        var value = code.Run(ref frame);
        _foldingLeft -= limits.WorkMax - frame.Meter.Left + 1;
        return Constant(code.Type, value);
    }

    private Code<TFacts> Index(IndexSyntax syntax)
    {
        var issues = _issues.Count;
        var (operand, index) = (Visit(syntax.Operand), Visit(syntax.Index));
        if (HasFailed(issues)) return Failed;
        var container = operand.Type.Kind == CelKind.Optional ? operand.Type.Element! : operand.Type;
        CelType? wanted = container.Kind switch { CelKind.List => CelType.Int, CelKind.Map => container.Arguments[0], CelKind.Dyn or CelKind.Never => CelType.Dyn, _ => null };
        if (wanted is null) return Report(syntax.Position, $"{An(operand.Type)} has no items");
        if (!index.Type.Fits(wanted) && !(container.Kind == CelKind.Map && wanted.IsNumber && index.Type.IsNumber))
            return Report(syntax.Position, $"{An(operand.Type)} is indexed by {wanted}, not {index.Type}");
        var value = container.Element ?? CelType.Dyn;
        if (!syntax.IsOptional && container.Kind != CelKind.List && index.Constant is { Kind: CelKind.String } key) return Select(operand, key.AsString(), syntax.Position, isOptional: false).Over(index);
        var (run, at) = (operand.Run, index.Run);
        var isOptional = syntax.IsOptional || operand.Type.Kind == CelKind.Optional;
        Node<TFacts> node = syntax.IsOptional
            ? (ref Frame<TFacts> frame) => Containers.OptionalIndex(run(ref frame), at(ref frame))
            : (ref Frame<TFacts> frame) => Containers.Index(run(ref frame), at(ref frame));
        return Folded(new Code<TFacts>(isOptional ? CelType.Optional(value) : value, node) { Items = limits.ItemsAssumed }, operand, index);
    }

    private Code<TFacts> List(ListSyntax syntax)
    {
        var items = Visit(syntax.Items.Select(item => item.Value));
        CelType? element = CelType.Never;
        for (var i = 0; i < items.Length; i++)
        {
            var type = items[i].Type;
            if (syntax.Items[i].IsOptional)
            {
                if (type.Kind != CelKind.Optional && !type.IsOpen) return Report(syntax.Items[i].Value.Position, $"`?` wants an optional, not {type}");
                type = type.Kind == CelKind.Optional ? type.Element! : CelType.Dyn;
            }
            element = element is null ? null : Typing.Join(element, type);
        }
        var runs = items.Select(item => item.Run).ToArray();
        var optionals = syntax.Items.Select(item => item.IsOptional).ToArray();
        return Folded(
            new Code<TFacts>(CelType.List(element ?? CelType.Dyn), (ref Frame<TFacts> frame) => Literals<TFacts>.List(ref frame, runs, optionals)) { Items = items.Length },
            items);
    }

    private Code<TFacts> Map(MapSyntax syntax)
    {
        var keys = Visit(syntax.Entries.Select(entry => entry.Key));
        var values = Visit(syntax.Entries.Select(entry => entry.Value));
        CelType? keyType = CelType.Never;
        CelType? valueType = CelType.Never;
        for (var i = 0; i < keys.Length; i++)
        {
            var entry = syntax.Entries[i];
            if (keys[i].Type.Kind is not (CelKind.Bool or CelKind.Int or CelKind.Uint or CelKind.String) && !keys[i].Type.IsOpen)
                return Report(entry.Key.Position, $"a map key is bool, int, uint or string, not {keys[i].Type}");
            var type = values[i].Type;
            if (entry.IsOptional)
            {
                if (type.Kind != CelKind.Optional && !type.IsOpen) return Report(entry.Value.Position, $"`?` wants an optional, not {type}");
                type = type.Kind == CelKind.Optional ? type.Element! : CelType.Dyn;
            }
            keyType = keyType is null ? null : Typing.Join(keyType, keys[i].Type);
            valueType = valueType is null ? null : Typing.Join(valueType, type);
        }
        var (keyRuns, valueRuns) = (keys.Select(key => key.Run).ToArray(), values.Select(value => value.Run).ToArray());
        var optionals = syntax.Entries.Select(entry => entry.IsOptional).ToArray();
        return Folded(
            new Code<TFacts>(CelType.Map(keyType ?? CelType.Dyn, valueType ?? CelType.Dyn), (ref Frame<TFacts> frame) => Literals<TFacts>.Map(ref frame, keyRuns, valueRuns, optionals)) { Items = keys.Length },
            [.. keys, .. values]);
    }

    private Code<TFacts> Negate(NegateSyntax syntax)
    {
        var operand = Visit(syntax.Operand);
        if (operand.Type.Kind is not (CelKind.Int or CelKind.Double) && !operand.Type.IsOpen) return Report(syntax.Position, $"`-` wants an int or a double, not {operand.Type}");
        var run = operand.Run;
        return Folded(new Code<TFacts>(operand.Type, (ref Frame<TFacts> frame) => Arithmetic.Negate(run(ref frame))), operand);
    }

    private Code<TFacts> Not(NotSyntax syntax)
    {
        var operand = Visit(syntax.Operand);
        if (!operand.Type.Fits(CelType.Bool)) return Report(syntax.Position, $"`!` wants bool, not {operand.Type}");
        return Folded(new Code<TFacts>(CelType.Bool, Logic<TFacts>.Not(operand.Run)), operand);
    }

    private Code<TFacts> Logical(LogicSyntax syntax)
    {
        var operands = Visit(syntax.Operands);
        for (var i = 0; i < operands.Length; i++)
        {
            if (!operands[i].Type.Fits(CelType.Bool)) return Report(syntax.Operands[i].Position, $"`{syntax.Symbol}` wants bool, not {operands[i].Type}");
        }
        // A constant that decides is the result; the others that are bool change nothing.
        if (Array.Exists(operands, operand => operand.Constant is { Kind: CelKind.Bool } known && known.IsTrue == syntax.IsOr)) return Constant(CelType.Bool, CelValue.From(syntax.IsOr));
        var left = Array.FindAll(operands, operand => operand.Constant is not { Kind: CelKind.Bool });
        if (left.Length == 0) return Constant(CelType.Bool, CelValue.From(!syntax.IsOr));
        if (left is [var only] && only.Type.Kind == CelKind.Bool) return only;
        var runs = Array.ConvertAll(left, operand => operand.Run);
        var node = runs.Length switch
        {
            2 when syntax.IsOr => Logic<TFacts>.Or(runs[0], runs[1]),
            2 => Logic<TFacts>.And(runs[0], runs[1]),
            _ => Logic<TFacts>.Chain(runs, syntax.IsOr),
        };
        return Folded(new Code<TFacts>(CelType.Bool, node), left);
    }

    private Code<TFacts> Conditional(ConditionalSyntax syntax)
    {
        var issues = _issues.Count;
        var (condition, then, otherwise) = (Visit(syntax.Condition), Visit(syntax.Then), Visit(syntax.Else));
        if (HasFailed(issues)) return Failed;
        if (!condition.Type.Fits(CelType.Bool)) return Report(syntax.Position, $"`?` wants bool, not {condition.Type}");
        if (Typing.Join(then.Type, otherwise.Type) is not { } type) return Report(syntax.Position, $"the two sides of `:` are {then.Type} and {otherwise.Type}");
        if (condition.Constant is { Kind: CelKind.Bool } known) return (known.IsTrue ? then : otherwise) with { Type = type };
        return Folded(new Code<TFacts>(type, Logic<TFacts>.Conditional(condition.Run, then.Run, otherwise.Run)) { Items = Math.Max(then.Items, otherwise.Items) }, condition, then, otherwise);
    }

    private Code<TFacts> Binary(BinarySyntax syntax)
    {
        var issues = _issues.Count;
        var (left, right) = (Visit(syntax.Left), Visit(syntax.Right));
        if (HasFailed(issues)) return Failed;
        if (syntax.Operator == Operator.In) return In(syntax, left, right);
        var symbol = Symbol(syntax.Operator);
        if (syntax.Operator >= Operator.Equal)
        {
            if (IsComparable(syntax.Operator, left.Type, right.Type)) return Folded(new Code<TFacts>(CelType.Bool, Comparison<TFacts>.Of(syntax.Operator, left, right)), left, right);
            if (left.Type.Kind == CelKind.Null || right.Type.Kind == CelKind.Null)
            {
                var path = left.Path ?? right.Path;
                return Report(syntax.Position, $"`{symbol}` can't compare {left.Type} with {right.Type}: a missing fact is not null", path is null ? null : $"{(syntax.Operator == Operator.Equal ? "!" : "")}has({path})");
            }
            return Report(syntax.Position, $"`{symbol}` can't compare {left.Type} with {right.Type}");
        }
        if (ArithmeticType(syntax.Operator, left.Type, right.Type) is not { } type)
        {
            var advice = left.Type.IsNumber && right.Type.IsNumber && left.Type != right.Type ? "; convert one with int(), uint() or double()" : "";
            return Report(syntax.Position, $"`{symbol}` does not take {left.Type} and {right.Type}{advice}");
        }
        return Folded(new Code<TFacts>(type, ArithmeticNode(syntax.Operator, left, right)) { Items = left.Items + right.Items }, left, right);
    }

    private static Node<TFacts> ArithmeticNode(Operator symbol, Code<TFacts> left, Code<TFacts> right)
    {
        var (x, y) = (left.Run, right.Run);
        if (left.Type.Kind == CelKind.Double && right.Type.Kind == CelKind.Double)
        {
            return (ref Frame<TFacts> frame) =>
            {
                var one = x(ref frame);
                if (one.IsError) return one;
                var two = y(ref frame);
                if (two.IsError) return two;
                return one.IsBits(CelKind.Double, out var first) && two.IsBits(CelKind.Double, out var second)
                    ? Arithmetic.Doubles(symbol, BitConverter.Int64BitsToDouble(first), BitConverter.Int64BitsToDouble(second))
                    : Errors.NoOverload;
            };
        }
        return (ref Frame<TFacts> frame) =>
        {
            var one = x(ref frame);
            if (one.IsError) return one;
            var two = y(ref frame);
            return one.IsBits(CelKind.Int, out var first) && two.IsBits(CelKind.Int, out var second)
                ? Arithmetic.Ints(symbol, first, second)
                : Arithmetic.Apply(ref frame.Meter, symbol, one, two);
        };
    }

    private Code<TFacts> In(BinarySyntax syntax, Code<TFacts> item, Code<TFacts> container)
    {
        if (container.Type.Kind is not (CelKind.List or CelKind.Map) && !container.Type.IsOpen) return Report(syntax.Position, $"`in` wants a list or a map, not {container.Type}");
        var sought = container.Type.Kind is CelKind.List or CelKind.Map ? container.Type.Arguments[0] : CelType.Dyn;
        if (!IsComparable(Operator.Equal, item.Type, sought)) return Report(syntax.Position, $"`in` looks for {item.Type} in {container.Type}");
        if (container.Constant is { Kind: CelKind.List } constant && item.Constant is null && constant.AsList().All(IsScalar) && (_foldingLeft -= constant.Weight) > 0)
            return new Code<TFacts>(CelType.Bool, Comparison<TFacts>.InConstants(item, constant.AsList())).Over(item);
        var (x, y) = (item.Run, container.Run);
        return Folded(new Code<TFacts>(CelType.Bool, (ref Frame<TFacts> frame) => Arithmetic.In(ref frame.Meter, x(ref frame), y(ref frame))), item, container);
    }

    /// <summary>Whether values of the kind hash well, so that a set of them is fast whatever they are.</summary>
    private static bool IsScalar(CelValue value) => value.IsNumber || value.Kind is CelKind.String or CelKind.Bool or CelKind.Null;

    /// <summary>One type on both sides, or any two numbers: those compare by value.</summary>
    private static bool IsComparable(Operator symbol, CelType left, CelType right)
    {
        if (left.IsNumber && right.IsNumber) return true;
        if (Typing.Join(left, right) is not { } type) return false;
        return symbol is Operator.Equal or Operator.NotEqual
            || type.IsOpen || type.IsNumber || type.Kind is CelKind.Bool or CelKind.String or CelKind.Bytes or CelKind.Duration or CelKind.Timestamp;
    }

    private static CelType? ArithmeticType(Operator symbol, CelType left, CelType right)
    {
        if (left.IsOpen && right.IsOpen) return CelType.Dyn;
        if (left.IsOpen || right.IsOpen)
        {
            // An int plus something is an int plus an int, or an error; of times either may be the other kind.
            var known = left.IsOpen ? right : left;
            if (known.IsNumber) return ArithmeticType(symbol, known, known);
            return known.Kind is CelKind.Duration or CelKind.Timestamp ? CelType.Dyn : symbol == Operator.Add && ArithmeticType(symbol, known, known) is { } type ? type : null;
        }
        return (symbol, left.Kind, right.Kind) switch
        {
            (_, CelKind.Int, CelKind.Int) => CelType.Int,
            (_, CelKind.Uint, CelKind.Uint) => CelType.Uint,
            (not Operator.Modulo, CelKind.Double, CelKind.Double) => CelType.Double,
            (Operator.Add, CelKind.String, CelKind.String) => CelType.String,
            (Operator.Add, CelKind.Bytes, CelKind.Bytes) => CelType.Bytes,
            (Operator.Add, CelKind.List, CelKind.List) => Typing.Join(left, right) ?? CelType.List(CelType.Dyn),
            (Operator.Add or Operator.Subtract, CelKind.Duration, CelKind.Duration) => CelType.Duration,
            (Operator.Add or Operator.Subtract, CelKind.Timestamp, CelKind.Duration) => CelType.Timestamp,
            (Operator.Add, CelKind.Duration, CelKind.Timestamp) => CelType.Timestamp,
            (Operator.Subtract, CelKind.Timestamp, CelKind.Timestamp) => CelType.Duration,
            _ => null,
        };
    }

    private static string Symbol(Operator symbol) => symbol switch
    {
        Operator.Add => "+",
        Operator.Subtract => "-",
        Operator.Multiply => "*",
        Operator.Divide => "/",
        Operator.Modulo => "%",
        Operator.Equal => "==",
        Operator.NotEqual => "!=",
        Operator.Less => "<",
        Operator.LessOrEqual => "<=",
        Operator.Greater => ">",
        Operator.GreaterOrEqual => ">=",
        _ => "in",
    };
}
