using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport;

/// <summary>Reads a signup, or a request to screen one, from proto JSON as everybody writes it; see <see cref="MessageJson{T}"/>.</summary>
internal static class SignupJson
{
    /// <summary>Fields whose values many signups share and that are nobody's own.</summary>
    private static readonly FrozenSet<string> Common = Names(
        (Event.Descriptor, ["product", "campaign"]),
        (Subject.Descriptor, ["language", "country", "time_zone"]),
        (PhoneNumber.Descriptor, ["region"]),
        (ExternalIdentity.Descriptor, ["provider"]),
        (Network.Descriptor, ["ja4", "ja4h"]),
        (EdgeIpIntelligence.Descriptor, ["country", "asn_organisation"]),
        (Device.Descriptor, ["user_agent", "client_hints", "accept_language", "platform", "app_version", "time_zone"]),
        (Payment.Descriptor, ["bin", "brand", "issuer", "issuer_country", "wallet", "decline_code"]),
        (Address.Descriptor, ["country"]));

    private static readonly MessageJson<Signup> Signups = new(IsCommon);
    private static readonly MessageJson<ScreenSignupRequest> Requests = new(IsCommon);

    /// <summary>False: not read, whether it is a signup or not.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, out Signup signup)
    {
        if (Signups.TryRead(utf8, out signup)) return true;
        if (!Requests.TryRead(utf8, out var request) || request.Signup is null) return false;
        signup = request.Signup;
        return true;
    }

    private static bool IsCommon(FieldDescriptor field) => Common.Contains(field.FullName);

    private static FrozenSet<string> Names(params (MessageDescriptor Message, string[] Fields)[] messages) =>
        messages.SelectMany(message => message.Fields.Select(name => (message.Message.FindFieldByName(name) ?? throw new InvalidOperationException($"{message.Message.Name} has no field {name}.")).FullName))
            .ToFrozenSet(StringComparer.Ordinal);
}
