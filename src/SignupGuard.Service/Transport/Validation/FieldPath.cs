using System.Collections.Concurrent;
using Google.Protobuf.Reflection;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>
/// Turns a validator's path of C# properties ("Network.ForwardedFor[2]") into the contract's ("network.forwarded_for[2]"), by the descriptor,
/// since the generated names can't be turned back by rule ("Ja4H" is "ja4h").
/// </summary>
internal static class FieldPath
{
    private static readonly ConcurrentDictionary<MessageDescriptor, Dictionary<string, FieldDescriptor>> Fields = new();

    public static string Of(MessageDescriptor message, string propertyPath)
    {
        var segments = propertyPath.Split('.');
        MessageDescriptor? current = message;
        for (var i = 0; i < segments.Length && current is not null; i++)
        {
            var bracket = segments[i].IndexOf('[', StringComparison.Ordinal);
            var (name, index) = bracket < 0 ? (segments[i], "") : (segments[i][..bracket], segments[i][bracket..]);
            if (!Fields.GetOrAdd(current, ByProperty).TryGetValue(name, out var field))
                throw new InvalidOperationException($"{current.FullName} has no property {name}.");
            segments[i] = field.Name + index;
            // Below a map the segments are its keys, given as they are.
            current = field.FieldType == FieldType.Message && !field.IsMap ? field.MessageType : null;
        }
        return string.Join('.', segments);
    }

    private static Dictionary<string, FieldDescriptor> ByProperty(MessageDescriptor message) =>
        message.Fields.InDeclarationOrder().ToDictionary(field => field.PropertyName, StringComparer.Ordinal);
}
