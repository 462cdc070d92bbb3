using System.Reflection;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace SignupGuard.Service.Transport;

/// <summary>
/// Reads proto JSON straight into a message, several times as fast as protobuf's own reader, where it is as everybody writes it. Says no to
/// everything else (null, a field twice, a number in quotes, an enumeration's number, a time with an offset) and to everything that
/// is wrong: those who ask then go the exact way, which also says what is wrong. What it reads, it reads as protobuf's own reader does.
/// Follows the message's descriptor. Thread-safe.
/// </summary>
internal sealed class MessageJson<T>
    where T : class, IMessage<T>, new()
{
    /// <summary>Fields of one message: one bit each tells which were there.</summary>
    private const int FieldsMax = 64;

    private readonly Field[] _fields;

    /// <param name="common">Whether a text field's values are shared by many and nobody's own, so that one string serves them all.</param>
    public MessageJson(Func<FieldDescriptor, bool> common)
    {
        _fields = [.. new T().Descriptor.Fields.InDeclarationOrder().Select(field => Field.Of(field, common))];
        if (_fields.Length > FieldsMax) throw new NotSupportedException($"{typeof(T).Name} has more than {FieldsMax} fields.");
        foreach (var field in _fields)
        {
            for (var i = 0; i < _fields.Length; i++)
            {
                if (_fields[i] == field || (field.Choice is not null && _fields[i].Choice == field.Choice)) field.Excluded |= 1ul << i;
            }
        }
    }

    /// <summary>False: not read; the message is of no use.</summary>
    public bool TryRead(ReadOnlySpan<byte> utf8, out T message)
    {
        message = new T();
        var json = new Utf8JsonReader(utf8);
        try
        {
            return json.Read() && json.TokenType == JsonTokenType.StartObject && TryRead(ref json, message) && !json.Read();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // No JSON, or text that is no Unicode. Rare, and described by those who ask.
            return false;
        }
    }

    /// <summary>From after the object's start to its end.</summary>
    internal bool TryRead(ref Utf8JsonReader json, T message)
    {
        var given = 0ul;
        var next = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueIsEscaped) return false;
            // Writers keep the order of the contract: the field sought is nearly always among the next few.
            var name = json.ValueSpan;
            var tried = 0;
            while (tried < _fields.Length && !_fields[next].IsNamed(name))
            {
                tried++;
                if (++next == _fields.Length) next = 0;
            }
            if (tried == _fields.Length) return false;
            var field = _fields[next];
            if ((given & field.Excluded) != 0) return false;
            given |= 1ul << next;
            if (++next == _fields.Length) next = 0;
            if (!json.Read() || !field.TryRead(ref json, message)) return false;
        }
        return json.TokenType == JsonTokenType.EndObject;
    }

    /// <summary>One field: its names, and how its value is read. The reader stands on the value's first token, and after on its last.</summary>
    private abstract class Field(FieldDescriptor descriptor)
    {
        private readonly byte[] _jsonName = System.Text.Encoding.UTF8.GetBytes(descriptor.JsonName);
        private readonly byte[] _name = System.Text.Encoding.UTF8.GetBytes(descriptor.Name);

        public OneofDescriptor? Choice { get; } = descriptor.RealContainingOneof;

        /// <summary>The fields that may not have been there before: itself, and those of its choice.</summary>
        public ulong Excluded { get; set; }

        public bool IsNamed(ReadOnlySpan<byte> name) => name.SequenceEqual(_jsonName) || name.SequenceEqual(_name);

        public abstract bool TryRead(ref Utf8JsonReader json, T message);

        public static Field Of(FieldDescriptor field, Func<FieldDescriptor, bool> common)
        {
            var property = typeof(T).GetProperty(field.PropertyName)!;
            if (field.IsMap) return Generic(typeof(MapField<>), property.PropertyType.GenericTypeArguments[1], field, property, common);
            if (field.IsRepeated) return new TextsField(field, property, common(field));
            return field.FieldType switch
            {
                FieldType.String => new TextField(field, property, common(field)),
                FieldType.Bool => new BoolField(field, property),
                FieldType.Double => new DoubleField(field, property),
                FieldType.UInt32 => new UInt32Field(field, property),
                FieldType.Int32 or FieldType.SInt32 => new Int32Field(field, property),
                FieldType.Enum => Generic(typeof(EnumField<>), property.PropertyType, field, property),
                FieldType.Message when field.MessageType == Timestamp.Descriptor => new TimeField(field, property),
                FieldType.Message => Generic(typeof(MessageField<>), property.PropertyType, field, property, common),
                _ => throw new NotSupportedException($"Fields of type {field.FieldType} are not part of any request yet."),
            };
        }

        protected static Action<T, TValue> Setter<TValue>(PropertyInfo property) => property.SetMethod!.CreateDelegate<Action<T, TValue>>();

        protected static Func<T, TValue> Getter<TValue>(PropertyInfo property) => property.GetMethod!.CreateDelegate<Func<T, TValue>>();

        private static Field Generic(System.Type open, System.Type argument, params object[] arguments) =>
            (Field)Activator.CreateInstance(open.MakeGenericType(typeof(T), argument), arguments)!;
    }

    private sealed class TextField(FieldDescriptor field, PropertyInfo property, bool common) : Field(field)
    {
        private readonly Action<T, string> _set = Setter<string>(property);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.String) return false;
            _set(message, CommonTexts.Read(ref json, common));
            return true;
        }
    }

    private sealed class TextsField(FieldDescriptor field, PropertyInfo property, bool common) : Field(field)
    {
        private readonly Func<T, RepeatedField<string>> _get = Getter<RepeatedField<string>>(property);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.StartArray) return false;
            var texts = _get(message);
            while (json.Read() && json.TokenType == JsonTokenType.String) texts.Add(CommonTexts.Read(ref json, common));
            return json.TokenType == JsonTokenType.EndArray;
        }
    }

    private sealed class BoolField(FieldDescriptor field, PropertyInfo property) : Field(field)
    {
        private readonly Action<T, bool> _set = Setter<bool>(property);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType is not (JsonTokenType.True or JsonTokenType.False)) return false;
            _set(message, json.TokenType == JsonTokenType.True);
            return true;
        }
    }

    private sealed class DoubleField(FieldDescriptor field, PropertyInfo property) : Field(field)
    {
        private readonly Action<T, double> _set = Setter<double>(property);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetDouble(out var value) || !double.IsFinite(value)) return false;
            _set(message, value);
            return true;
        }
    }

    private sealed class UInt32Field(FieldDescriptor field, PropertyInfo property) : Field(field)
    {
        private readonly Action<T, uint> _set = Setter<uint>(property);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetUInt32(out var value)) return false;
            _set(message, value);
            return true;
        }
    }

    private sealed class Int32Field(FieldDescriptor field, PropertyInfo property) : Field(field)
    {
        private readonly Action<T, int> _set = Setter<int>(property);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt32(out var value)) return false;
            _set(message, value);
            return true;
        }
    }

    private sealed class EnumField<TEnum>(FieldDescriptor field, PropertyInfo property) : Field(field)
        where TEnum : struct, System.Enum
    {
        private readonly Action<T, TEnum> _set = Setter<TEnum>(property);

        private readonly (byte[] Name, TEnum Value)[] _values =
            [.. field.EnumType.Values.Select(value => (System.Text.Encoding.UTF8.GetBytes(value.Name), (TEnum)System.Enum.ToObject(typeof(TEnum), value.Number)))];

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.String || json.ValueIsEscaped) return false;
            foreach (var (name, value) in _values)
            {
                if (!json.ValueSpan.SequenceEqual(name)) continue;
                _set(message, value);
                return true;
            }
            return false;
        }
    }

    private sealed class TimeField(FieldDescriptor field, PropertyInfo property) : Field(field)
    {
        private readonly Action<T, Timestamp> _set = Setter<Timestamp>(property);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.String || json.ValueIsEscaped || !UtcTime.TryRead(json.ValueSpan, out var seconds, out var nanos)) return false;
            _set(message, new Timestamp
            {
                Seconds = seconds,
                Nanos = nanos,
            });
            return true;
        }
    }

    private sealed class MessageField<TPart>(FieldDescriptor field, PropertyInfo property, Func<FieldDescriptor, bool> common) : Field(field)
        where TPart : class, IMessage<TPart>, new()
    {
        private readonly Action<T, TPart> _set = Setter<TPart>(property);
        private readonly MessageJson<TPart> _part = new(common);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.StartObject) return false;
            var part = new TPart();
            _set(message, part);
            return _part.TryRead(ref json, part);
        }
    }

    private sealed class MapField<TValue>(FieldDescriptor field, PropertyInfo property, Func<FieldDescriptor, bool> common) : Field(field)
    {
        private readonly Func<T, Google.Protobuf.Collections.MapField<string, TValue>> _get = Getter<Google.Protobuf.Collections.MapField<string, TValue>>(property);
        private readonly ValueReader _value = ReaderOf(field.MessageType.FindFieldByNumber(2), common(field), common);

        private delegate bool ValueReader(ref Utf8JsonReader json, out TValue value);

        public override bool TryRead(ref Utf8JsonReader json, T message)
        {
            if (json.TokenType != JsonTokenType.StartObject) return false;
            var map = _get(message);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var key = CommonTexts.Read(ref json, common: true);
                if (map.ContainsKey(key) || !json.Read() || !_value(ref json, out var value)) return false;
                map.Add(key, value);
            }
            return json.TokenType == JsonTokenType.EndObject;
        }

        private static ValueReader ReaderOf(FieldDescriptor value, bool isCommon, Func<FieldDescriptor, bool> common)
        {
            if (value.FieldType == FieldType.String)
            {
                ValueReader read = (ref Utf8JsonReader json, out TValue text) =>
                {
                    text = default!;
                    if (json.TokenType != JsonTokenType.String) return false;
                    text = (TValue)(object)CommonTexts.Read(ref json, isCommon);
                    return true;
                };
                return read;
            }
            if (value.FieldType != FieldType.Message) throw new NotSupportedException($"Maps to {value.FieldType} are not part of any request yet.");
            return typeof(MapField<TValue>).GetMethod(nameof(PartReader), BindingFlags.Static | BindingFlags.NonPublic)!
                .MakeGenericMethod(typeof(TValue)).CreateDelegate<Func<Func<FieldDescriptor, bool>, ValueReader>>()(common);
        }

        private static ValueReader PartReader<TPart>(Func<FieldDescriptor, bool> common)
            where TPart : class, IMessage<TPart>, TValue, new()
        {
            var reader = new MessageJson<TPart>(common);
            return (ref Utf8JsonReader json, out TValue value) =>
            {
                var part = new TPart();
                value = part;
                return json.TokenType == JsonTokenType.StartObject && reader.TryRead(ref json, part);
            };
        }
    }
}
