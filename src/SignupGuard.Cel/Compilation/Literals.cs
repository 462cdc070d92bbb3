using SignupGuard.Cel.Functions;

namespace SignupGuard.Cel.Compilation;

/// <summary>List and map literals whose items are not all constants.</summary>
internal static class Literals<TFacts>
{
    public static CelValue List(ref Frame<TFacts> frame, Node<TFacts>[] items, bool[] optionals)
    {
        var values = new List<CelValue>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            var value = items[i](ref frame);
            if (value.IsError) return value;
            if (optionals[i])
            {
                if (value.Kind != CelKind.Optional) return Errors.NoOverload;
                if (!value.TryHeld(out value)) continue;
            }
            values.Add(value);
        }
        return frame.Meter.Built(CelValue.From(values.ToArray()));
    }

    public static CelValue Map(ref Frame<TFacts> frame, Node<TFacts>[] keys, Node<TFacts>[] values, bool[] optionals)
    {
        var entries = new Dictionary<CelValue, CelValue>(keys.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            var key = keys[i](ref frame);
            if (key.IsError) return key;
            if (!Containers.IsKey(key)) return Errors.NotKey;
            var value = values[i](ref frame);
            if (value.IsError) return value;
            if (optionals[i])
            {
                if (value.Kind != CelKind.Optional) return Errors.NoOverload;
                if (!value.TryHeld(out value)) continue;
            }
            if (!entries.TryAdd(key, value)) return Errors.RepeatedKey;
        }
        return frame.Meter.Built(CelValue.FromPairs(entries));
    }
}
