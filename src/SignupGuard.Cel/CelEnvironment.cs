using SignupGuard.Cel.Compilation;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel;

/// <summary>Reads one fact. Returns <see cref="CelValue.Missing"/> where it is not known; never throws.</summary>
public delegate CelValue CelReader<in TFacts>(TFacts facts);

/// <summary>A function of the facts and its arguments. Errors among the arguments never reach it.</summary>
public delegate CelValue CelFunction<in TFacts>(TFacts facts, ReadOnlySpan<CelValue> arguments);

/// <summary>One declared field, for the generated reference.</summary>
public sealed record CelFieldInfo(string Path, CelType Type, string Description);

/// <summary>One declared function, for the generated reference.</summary>
public sealed record CelFunctionInfo(string Name, CelType Result, IReadOnlyList<CelType> Arguments, string Description);

/// <summary>The fields and functions rules may use, and the way to compile them. Immutable and thread-safe once built.</summary>
public sealed class CelEnvironment<TFacts>
{
    private readonly Dictionary<string, (CelFieldInfo Info, CelReader<TFacts> Read)> _fields;
    private readonly Dictionary<string, (CelFunctionInfo Info, CelFunction<TFacts> Call)> _functions;
    private readonly HashSet<string> _prefixes;

    private CelEnvironment(
        Dictionary<string, (CelFieldInfo Info, CelReader<TFacts> Read)> fields,
        Dictionary<string, (CelFunctionInfo Info, CelFunction<TFacts> Call)> functions)
    {
        _fields = new(fields, StringComparer.Ordinal);
        _functions = new(functions, StringComparer.Ordinal);
        _prefixes = [.. fields.Keys.SelectMany(Prefixes)];
    }

    public static Builder Create() => new();

    public IEnumerable<CelFieldInfo> Fields => _fields.Values.Select(declared => declared.Info).OrderBy(info => info.Path, StringComparer.Ordinal);

    public IEnumerable<CelFunctionInfo> Functions => _functions.Values.Select(function => function.Info).OrderBy(function => function.Name, StringComparer.Ordinal);

    /// <summary>Parses, checks and compiles. Never throws, whatever the source: problems are issues with a position.</summary>
    /// <param name="expected">The type the result must have; null for any.</param>
    public CelCompilation<TFacts> Compile(string source, CelType? expected = null, CelLimits? limits = null)
    {
        limits ??= CelLimits.Default;
        Syntax syntax;
        try
        {
            syntax = Parser.Parse(source, limits);
        }
        catch (SyntaxException problem)
        {
            return new CelCompilation<TFacts>(null, [Compiler<TFacts>.Issue(source, problem.Position, problem.Message, null)]);
        }
        return new Compiler<TFacts>(this, source, limits).Compile(syntax, expected);
    }

    internal bool TryField(string path, out CelFieldInfo info, out CelReader<TFacts> read)
    {
        var found = _fields.TryGetValue(path, out var field);
        (info, read) = (field.Info, field.Read);
        return found;
    }

    internal bool TryFunction(string name, out CelFunctionInfo info, out CelFunction<TFacts> call)
    {
        var found = _functions.TryGetValue(name, out var function);
        (info, call) = (function.Info, function.Call);
        return found;
    }

    internal bool IsPrefix(string path) => _prefixes.Contains(path);

    private static IEnumerable<string> Prefixes(string path)
    {
        for (var dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1)) yield return path[..dot];
    }

    /// <summary>Collects declarations; a name declared twice is a programming error and throws.</summary>
    public sealed class Builder
    {
        private readonly Dictionary<string, (CelFieldInfo Info, CelReader<TFacts> Read)> _fields = new(StringComparer.Ordinal);
        private readonly Dictionary<string, (CelFunctionInfo Info, CelFunction<TFacts> Call)> _functions = new(StringComparer.Ordinal);

        public Builder Field(string path, CelType type, CelReader<TFacts> read, string description)
        {
            _fields.Add(path, (new CelFieldInfo(path, type, description), read));
            return this;
        }

        public Builder Function(string name, CelType result, CelType[] arguments, CelFunction<TFacts> call, string description)
        {
            _functions.Add(name, (new CelFunctionInfo(name, result, arguments, description), call));
            return this;
        }

        public CelEnvironment<TFacts> Build() => new(_fields, _functions);
    }
}

/// <summary>What compiling gave: a program, or the issues why not.</summary>
public sealed record CelCompilation<TFacts>(CelProgram<TFacts>? Program, IReadOnlyList<CelIssue> Issues);

/// <summary>A compiled expression. Immutable and thread-safe.</summary>
public sealed class CelProgram<TFacts>
{
    private readonly Node<TFacts> _root;
    private readonly int _locals;
    private readonly int _stepsMax;

    internal CelProgram(string source, CelType type, Node<TFacts> root, int locals, int stepsMax, IReadOnlySet<string> reads)
    {
        Source = source;
        Type = type;
        Reads = reads;
        _root = root;
        _locals = locals;
        _stepsMax = stepsMax;
    }

    public string Source { get; }

    public CelType Type { get; }

    /// <summary>Paths of the fields the expression may read.</summary>
    public IReadOnlySet<string> Reads { get; }

    /// <summary>The value, or an error value; throws for nothing in the expression.</summary>
    public CelValue Evaluate(TFacts facts)
    {
        var frame = new Frame<TFacts>(facts, _locals == 0 ? [] : new CelValue[_locals], _stepsMax);
        return _root(ref frame);
    }
}
