using SignupGuard.Cel.Compilation;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel;

/// <summary>Reads one fact. Returns <see cref="CelValue.Missing"/> where it is not known; never throws.</summary>
public delegate CelValue CelReader<in TFacts>(TFacts facts);

/// <summary>A function of the facts and its arguments. Errors among the arguments never reach it; it never throws.</summary>
public delegate CelValue CelFunction<in TFacts>(TFacts facts, ReadOnlySpan<CelValue> arguments);

/// <summary>Looks at a call's arguments when it is compiled, null where they are no constants, and says what is wrong with one of them; null for nothing.</summary>
public delegate CelRefused? CelRefusal(IReadOnlyList<CelValue?> constants);

/// <param name="Argument">Which argument, from 0.</param>
/// <param name="Suggestion">What was probably meant, if anything is near.</param>
public sealed record CelRefused(int Argument, string Message, string? Suggestion = null);

/// <summary>One declared field, for the generated reference.</summary>
public sealed record CelFieldInfo(string Path, CelType Type, string Description);

/// <summary>One declared function, for the generated reference.</summary>
public sealed record CelFunctionInfo(string Name, CelType Result, IReadOnlyList<CelType> Arguments, string Description)
{
    /// <summary>As CEL writes it: <c>velocity(string, string): double</c>.</summary>
    public override string ToString() => $"{Name}({string.Join(", ", Arguments)}): {Result}";
}

/// <summary>The fields and functions rules may use, and the way to compile them. Immutable and thread-safe once built.</summary>
public sealed class CelEnvironment<TFacts>
{
    private readonly Dictionary<string, (CelFieldInfo Info, CelReader<TFacts> Read)> _fields;
    private readonly Dictionary<string, (CelFunctionInfo Info, CelFunction<TFacts> Call, CelRefusal? Refuse)> _functions;
    private readonly HashSet<string> _prefixes;
    private readonly string _container;

    private CelEnvironment(
        Dictionary<string, (CelFieldInfo Info, CelReader<TFacts> Read)> fields,
        Dictionary<string, (CelFunctionInfo Info, CelFunction<TFacts> Call, CelRefusal? Refuse)> functions,
        string container)
    {
        _fields = new(fields, StringComparer.Ordinal);
        _functions = new(functions, StringComparer.Ordinal);
        _prefixes = [.. fields.Keys.SelectMany(Prefixes)];
        _container = container;
    }

    public static Builder Create() => new();

    public IEnumerable<CelFieldInfo> Fields => _fields.Values.Select(declared => declared.Info).OrderBy(info => info.Path, StringComparer.Ordinal);

    public IEnumerable<CelFunctionInfo> Functions => _functions.Values.Select(function => function.Info).OrderBy(function => function.Name, StringComparer.Ordinal);

    /// <summary>Parses, checks and compiles. Never throws, whatever the source: problems are issues with a position.</summary>
    /// <param name="expected">The type the result must have; null for any.</param>
    public CelCompilation<TFacts> Compile(string source, CelType? expected = null, CelLimits? limits = null) =>
        Compile(source, expected, limits ?? CelLimits.Default, isChecked: true);

    internal CelCompilation<TFacts> Compile(string source, CelType? expected, CelLimits limits, bool isChecked)
    {
        Syntax syntax;
        try
        {
            syntax = Parser.Parse(source, limits);
        }
        catch (SyntaxException problem)
        {
            return new CelCompilation<TFacts>(null, [Compiler<TFacts>.Issue(source, problem.Position, problem.Message, problem.Suggestion)]);
        }
        return new Compiler<TFacts>(this, source, limits, isChecked).Compile(syntax, expected);
    }

    /// <summary>The outline of a condition; <see cref="CelOutline.Opaque"/> for a source that does not parse.</summary>
    public CelOutline Outline(string source, CelLimits? limits = null)
    {
        limits ??= CelLimits.Default;
        try
        {
            return new Outliner<TFacts>(this, source, limits).Visit(Parser.Parse(source, limits));
        }
        catch (SyntaxException)
        {
            return CelOutline.Opaque.It;
        }
    }

    internal IEnumerable<string> Paths => _fields.Keys;

    internal IEnumerable<string> FunctionNames => _functions.Keys;

    internal bool TryField(string path, out CelFieldInfo info, out CelReader<TFacts> read)
    {
        var found = _fields.TryGetValue(path, out var field);
        (info, read) = field;
        return found;
    }

    internal bool TryFunction(string name, out CelFunctionInfo info, out CelFunction<TFacts> call, out CelRefusal? refuse)
    {
        var found = _functions.TryGetValue(name, out var function);
        (info, call, refuse) = function;
        return found;
    }

    /// <summary>Whether fields are declared below this path.</summary>
    internal bool IsPrefix(string path) => _prefixes.Contains(path);

    /// <summary>Where a name is looked up, in order: in the container, in those around it, at the root.</summary>
    internal IEnumerable<string> Scopes(string name, bool isAbsolute)
    {
        for (var container = isAbsolute ? "" : _container; container.Length > 0; container = container[..Math.Max(container.LastIndexOf('.'), 0)])
            yield return $"{container}.{name}";
        yield return name;
    }

    private static IEnumerable<string> Prefixes(string path)
    {
        for (var dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1)) yield return path[..dot];
    }

    /// <summary>Collects declarations; a name declared twice is a programming error and throws.</summary>
    public sealed class Builder
    {
        private readonly Dictionary<string, (CelFieldInfo Info, CelReader<TFacts> Read)> _fields = new(StringComparer.Ordinal);
        private readonly Dictionary<string, (CelFunctionInfo Info, CelFunction<TFacts> Call, CelRefusal? Refuse)> _functions = new(StringComparer.Ordinal);
        private string _container = "";

        public Builder Field(string path, CelType type, CelReader<TFacts> read, string description)
        {
            _fields.Add(path, (new CelFieldInfo(path, type, description), read));
            return this;
        }

        /// <summary>Another environment's fields, of the facts that are part of these; all missing where there is no such part.</summary>
        public Builder Include<TPart>(CelEnvironment<TPart> part, Func<TFacts, TPart?> of)
            where TPart : class
        {
            ArgumentNullException.ThrowIfNull(part);
            foreach (var (path, (info, read)) in part._fields) Field(path, info.Type, facts => of(facts) is { } found ? read(found) : CelValue.Missing(path), info.Description);
            return this;
        }

        /// <param name="refuse">Checks constant arguments on save: the name of a list that does not exist, say.</param>
        public Builder Function(string name, CelType result, CelType[] arguments, CelFunction<TFacts> call, string description, CelRefusal? refuse = null)
        {
            _functions.Add(name, (new CelFunctionInfo(name, result, arguments, description), call, refuse));
            return this;
        }

        /// <summary>The namespace in which short names are looked up first.</summary>
        public Builder Container(string name)
        {
            _container = name;
            return this;
        }

        public CelEnvironment<TFacts> Build() => new(_fields, _functions, _container);
    }
}
