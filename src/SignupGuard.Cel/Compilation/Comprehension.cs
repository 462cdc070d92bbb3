using SignupGuard.Cel.Functions;

namespace SignupGuard.Cel.Compilation;

internal enum LoopKind : byte
{
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
    TransformMap,
    TransformMapEntry,
}

/// <summary>One comprehension: what it runs over, what it binds, what it does with each item.</summary>
/// <param name="First">Slot of the item; with two variables of the index or key.</param>
/// <param name="Second">Slot of the item or value, with two variables; else -1.</param>
/// <param name="Condition">Which items are taken, for map and the transforms; null for all.</param>
/// <param name="WorkPerItem">Counted for each item.</param>
internal sealed record Comprehension<TFacts>(LoopKind Kind, Node<TFacts> Range, int First, int Second, Node<TFacts>? Condition, Node<TFacts> Body, int WorkPerItem)
{
    public CelValue Run(ref Frame<TFacts> frame)
    {
        var range = Range(ref frame);
        if (range.IsError) return range;
        return range.Kind switch
        {
            CelKind.List => RunList(ref frame, range.AsList()),
            CelKind.Map => RunMap(ref frame, range),
            _ => Errors.NoOverload,
        };
    }

    private CelValue RunList(ref Frame<TFacts> frame, IReadOnlyList<CelValue> list)
    {
        var state = new State(Kind);
        for (var i = 0; i < list.Count; i++)
        {
            if (Second < 0)
            {
                frame.Locals[First] = list[i];
            }
            else
            {
                frame.Locals[First] = CelValue.From((long)i);
                frame.Locals[Second] = list[i];
            }
            if (Step(ref frame, ref state)) return state.Result;
        }
        return Finish(ref frame, state);
    }

    private CelValue RunMap(ref Frame<TFacts> frame, CelValue map)
    {
        var state = new State(Kind);
        foreach (var pair in map.AsEntries())
        {
            frame.Locals[First] = pair.Key;
            if (Second >= 0) frame.Locals[Second] = pair.Value;
            if (Step(ref frame, ref state)) return state.Result;
        }
        return Finish(ref frame, state);
    }

    private struct State(LoopKind kind)
    {
        public CelValue Result = kind == LoopKind.Exists ? CelValue.False : CelValue.True;
        public int Trues;
        public int Built;
        public List<CelValue>? Items = kind is LoopKind.Filter or LoopKind.Map ? [] : null;
        public Dictionary<CelValue, CelValue>? Entries = kind is LoopKind.TransformMap or LoopKind.TransformMapEntry ? [] : null;
    }

    /// <summary>Takes one item; true when the result is settled.</summary>
    private bool Step(ref Frame<TFacts> frame, ref State state)
    {
        if (!frame.Meter.Spend(WorkPerItem)) return Settle(ref state, Errors.TooMuchWork);
        if (Condition is not null)
        {
            var taken = Condition(ref frame);
            if (taken.IsFalse) return false;
            if (!taken.IsTrue) return Settle(ref state, taken.IsError ? taken : Errors.NoOverload);
        }
        var value = Body(ref frame);
        switch (Kind)
        {
            case LoopKind.All or LoopKind.Exists:
                if (value.Kind == CelKind.Bool)
                {
                    return value.IsTrue == (Kind == LoopKind.Exists) && Settle(ref state, value);
                }
                // A later item may decide, and absorb the error.
                if (!state.Result.IsError) state.Result = value.IsError ? value : Errors.NoOverload;
                return false;
            case LoopKind.ExistsOne:
                if (value.Kind != CelKind.Bool) return Settle(ref state, value.IsError ? value : Errors.NoOverload);
                if (value.IsTrue) state.Trues++;
                return false;
            case LoopKind.Filter:
                if (value.Kind != CelKind.Bool) return Settle(ref state, value.IsError ? value : Errors.NoOverload);
                return value.IsTrue && Add(ref frame, ref state, frame.Locals[Second < 0 ? First : Second]);
            case LoopKind.Map:
                return value.IsError ? Settle(ref state, value) : Add(ref frame, ref state, value);
            case LoopKind.TransformMap:
                return value.IsError ? Settle(ref state, value) : Add(ref frame, ref state, frame.Locals[First], value);
            default:
                if (value.Kind != CelKind.Map) return Settle(ref state, value.IsError ? value : Errors.NoOverload);
                foreach (var pair in value.AsEntries())
                {
                    if (Add(ref frame, ref state, pair.Key, pair.Value)) return true;
                }
                return false;
        }
    }

    private static bool Settle(ref State state, in CelValue value)
    {
        state.Result = value;
        return true;
    }

    private static bool Add(ref Frame<TFacts> frame, ref State state, in CelValue item)
    {
        state.Built += item.Weight;
        if (state.Built > frame.Meter.BuiltMax) return Settle(ref state, Errors.TooLarge);
        state.Items!.Add(item);
        return false;
    }

    private static bool Add(ref Frame<TFacts> frame, ref State state, in CelValue key, in CelValue value)
    {
        if (!Containers.IsKey(key)) return Settle(ref state, Errors.NotKey);
        state.Built += key.Weight + value.Weight;
        if (state.Built > frame.Meter.BuiltMax) return Settle(ref state, Errors.TooLarge);
        return !state.Entries!.TryAdd(key, value) && Settle(ref state, Errors.RepeatedKey);
    }

    private CelValue Finish(ref Frame<TFacts> frame, in State state) => Kind switch
    {
        LoopKind.ExistsOne => CelValue.From(state.Trues == 1),
        LoopKind.Filter or LoopKind.Map => frame.Meter.Built(CelValue.From(state.Items!.ToArray())),
        LoopKind.TransformMap or LoopKind.TransformMapEntry => frame.Meter.Built(CelValue.FromPairs(state.Entries!)),
        _ => state.Result,
    };
}
