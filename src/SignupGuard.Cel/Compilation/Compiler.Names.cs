using SignupGuard.Cel.Functions;
using SignupGuard.Cel.Parsing;

namespace SignupGuard.Cel.Compilation;

/// <summary>Names: fields of the environment, variables, types, and selection in maps.</summary>
internal sealed partial class Compiler<TFacts>
{
    private static readonly Dictionary<string, CelType> TypeNames = new CelType[]
    {
        CelType.Bool, CelType.Int, CelType.Uint, CelType.Double, CelType.String, CelType.Bytes, CelType.Null, CelType.Type, CelType.Duration, CelType.Timestamp,
        CelType.List(CelType.Dyn), CelType.Map(CelType.Dyn), CelType.Optional(CelType.Dyn),
    }.ToDictionary(type => type.Name, StringComparer.Ordinal);

    /// <summary>A dotted name: the longest declared prefix is the field, the rest selects in its value. Variables go first.</summary>
    private Code<TFacts> Path(Syntax syntax)
    {
        if (Segments(syntax) is not { } segments || (!IsAbsolute(syntax) && FindLocal(segments[0]) is not null))
        {
            if (syntax is NameSyntax name) return FindLocal(name.Name)!.Value.Code;
            var select = (SelectSyntax)syntax;
            var issues = _issues.Count;
            var operand = Visit(select.Operand);
            return HasFailed(issues) ? Failed : Select(operand, select.Field, select.Position, select.IsOptional);
        }
        if (Resolve(segments, IsAbsolute(syntax)) is not { } found) return UnknownField(Start(syntax), segments);
        var code = found.Code;
        foreach (var field in segments.Skip(found.Used))
        {
            var issues = _issues.Count;
            code = Select(code, field, syntax.Position, isOptional: false);
            if (HasFailed(issues)) return code;
        }
        return code;
    }

    private Code<TFacts> UnknownField(int position, string[] segments)
    {
        var path = string.Join('.', segments);
        return environment.IsPrefix(path)
            ? Report(position, $"`{path}` is a group of fields; name one of them", Nearest(path + ".", environment.Paths))
            : Report(position, $"there is no field `{path}`", Nearest(path, environment.Paths));
    }

    /// <summary>The declared field or type that most of the segments name, container first.</summary>
    private (Code<TFacts> Code, int Used)? Resolve(string[] segments, bool isAbsolute)
    {
        for (var used = segments.Length; used > 0; used--)
        {
            var prefix = string.Join('.', segments[..used]);
            foreach (var path in environment.Scopes(prefix, isAbsolute))
            {
                if (environment.TryField(path, out var info, out var read))
                {
                    _reads.Add(path);
                    if (info.Type.Kind is not (CelKind.List or CelKind.Map or CelKind.Dyn))
                        return (new Code<TFacts>(info.Type, (ref Frame<TFacts> frame) => read(frame.Facts)) { Read = read, Path = path }, used);
                    // The reader may go through all items, so reading them again in a comprehension counts.
                    Node<TFacts> node = (ref Frame<TFacts> frame) =>
                    {
                        var value = read(frame.Facts);
                        return value.Kind is not (CelKind.List or CelKind.Map) || frame.Meter.Spend(value.Count) ? value : Errors.TooMuchWork;
                    };
                    return (new Code<TFacts>(info.Type, node) { Path = path, Items = limits.ItemsAssumed, Work = 1 + limits.ItemsAssumed }, used);
                }
            }
            if (TypeNames.TryGetValue(prefix, out var type)) return (Constant(CelType.Type, CelValue.FromType(type)), used);
        }
        return null;
    }

    private Code<TFacts> Select(Code<TFacts> operand, string field, int position, bool isOptional)
    {
        var container = operand.Type.Kind == CelKind.Optional ? operand.Type.Element! : operand.Type;
        if (container.Kind == CelKind.Map && !container.Arguments[0].Fits(CelType.String)) return Report(position, $"{An(operand.Type)} has no fields: its keys are no strings");
        if (container.Kind != CelKind.Map && !container.IsOpen) return Report(position, $"{An(operand.Type)} has no field `{field}`");
        var value = container.Kind == CelKind.Map ? container.Element! : CelType.Dyn;
        var run = operand.Run;
        var path = operand.Path is { } prefix ? $"{prefix}.{field}" : null;
        // A key that a fact lacks is a missing fact; a key that the rule's own map lacks is an error.
        var absent = path is null ? Errors.NoSuchKey : CelValue.Missing(path);
        Node<TFacts> node = isOptional
            ? (ref Frame<TFacts> frame) => Containers.OptionalSelect(run(ref frame), field)
            : (ref Frame<TFacts> frame) => Containers.Select(run(ref frame), field, absent);
        var type = isOptional || operand.Type.Kind == CelKind.Optional ? CelType.Optional(value) : value;
        return Folded(new Code<TFacts>(type, node) { Path = isOptional ? null : path, Items = limits.ItemsAssumed }, operand);
    }

    private Code<TFacts> Has(CallSyntax call)
    {
        if (call.Arguments is not [SelectSyntax { IsOptional: false } or NameSyntax]) return Report(call.Position, "`has` takes one field: has(ip.country)");
        var argument = call.Arguments[0];
        if (Segments(argument) is { } segments && (IsAbsolute(argument) || FindLocal(segments[0]) is null))
        {
            if (Resolve(segments, IsAbsolute(argument)) is not { } found) return UnknownField(Start(argument), segments);
            if (found.Used == segments.Length)
            {
                var run = found.Code.Run;
                return new Code<TFacts>(CelType.Bool, (ref Frame<TFacts> frame) =>
                {
                    var value = run(ref frame);
                    return value.IsMissing ? CelValue.False : value.IsError ? value : CelValue.True;
                });
            }
        }
        if (argument is not SelectSyntax select) return Report(call.Position, "`has` takes one field: has(ip.country)");
        var issues = _issues.Count;
        var operand = Visit(select.Operand);
        if (HasFailed(issues)) return Failed;
        var checkedOnly = Select(operand, select.Field, select.Position, isOptional: false);
        if (HasFailed(issues)) return checkedOnly;
        var (of, field) = (operand.Run, select.Field);
        return Folded(new Code<TFacts>(CelType.Bool, (ref Frame<TFacts> frame) => Containers.Has(of(ref frame), field)), operand);
    }

    private static string An(CelType type) => type.Kind is CelKind.Int or CelKind.Optional ? $"an {type}" : $"a {type}";

    private Local? FindLocal(string name)
    {
        for (var i = _locals.Count - 1; i >= 0; i--)
        {
            if (_locals[i].Name == name) return _locals[i];
        }
        return null;
    }

    /// <summary>Binds a name to a slot while <paramref name="body"/> compiles.</summary>
    private T WithLocal<T>(string name, CelType type, out int slot, Func<T> body, Code<TFacts>? value = null)
    {
        slot = _slots++;
        _slotsMax = Math.Max(_slotsMax, _slots);
        var at = slot;
        var read = new Code<TFacts>(isChecked ? type : CelType.Dyn, (ref Frame<TFacts> frame) => frame.Locals[at]) { Items = value?.Items ?? limits.ItemsAssumed };
        _locals.Add(new Local(name, value is { Constant: { } constant } ? Constant(read.Type, constant) : read));
        var result = body();
        _locals.RemoveAt(_locals.Count - 1);
        _slots--;
        return result;
    }

    private static string[]? Segments(Syntax syntax)
    {
        var segments = new List<string>();
        while (syntax is SelectSyntax { IsOptional: false } select && select.Field.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            segments.Insert(0, select.Field);
            syntax = select.Operand;
        }
        if (syntax is not NameSyntax name) return null;
        segments.Insert(0, name.Name);
        return [.. segments];
    }

    private static bool IsAbsolute(Syntax syntax) => syntax is SelectSyntax select ? IsAbsolute(select.Operand) : syntax is NameSyntax { Absolute: true };

    private static int Start(Syntax syntax) => syntax is SelectSyntax select ? Start(select.Operand) : syntax.Position;

    /// <summary>The known name nearest in edits, if near enough to be a slip (a third of its length).</summary>
    private string? Nearest(string name, IEnumerable<string> known)
    {
        const int LengthMax = 64;
        if (name.Length > LengthMax || !isChecked || _issues.Count >= limits.IssuesMax) return null;
        var (best, bestEdits) = ((string?)null, Math.Max(2, name.Length / 3) + 1);
        foreach (var candidate in known)
        {
            if (Math.Abs(candidate.Length - name.Length) >= bestEdits) continue;
            var edits = Edits(name, candidate);
            if (edits < bestEdits) (best, bestEdits) = (candidate, edits);
        }
        return best;
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
