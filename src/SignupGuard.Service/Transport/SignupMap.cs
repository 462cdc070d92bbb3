using System.Collections.Frozen;
using System.Net;
using Google.Protobuf.Collections;
using SignupGuard.Core.Signups;

namespace SignupGuard.Service.Transport;

/// <summary>
/// The one map from the contract's signup to the core's. Takes only what <see cref="Validation.RequestValidation"/> passed; absent is null from here on.
/// </summary>
internal static class SignupMap
{
    public static Signup ToCore(V1.Signup message) => new()
    {
        SignupId = message.SignupId,
        OccurredAt = message.OccurredAt.ToDateTimeOffset(),
        Event = message.Event is { } at
            ? new SignupEvent(at.Channel.Word(), Text(at.Product), Text(at.Campaign), Text(at.ReferralCode), at.Mode == V1.Mode.EvaluateOnly)
            : SignupEvent.None,
        Subject = message.Subject is { } subject ? ToCore(subject) : Subject.None,
        Email = message.Email is { Address.Length: > 0 } email
            ? new EmailInput(email.Address, email.VerifiedAt?.ToDateTimeOffset(), email.DomainRegisteredAt?.ToDateTimeOffset())
            : null,
        Phone = message.Phone is { Number.Length: > 0 } phone
            ? new PhoneInput(phone.Number, Country(phone.Region), phone.VerifiedAt?.ToDateTimeOffset(), phone.LineType.Word())
            : null,
        ExternalIdentity = message.ExternalIdentity is { Subject.Length: > 0 } identity
            ? new ExternalIdentity(identity.Provider, identity.Subject, identity.HasEmailVerified ? identity.EmailVerified : null)
            : null,
        Network = message.Network is { } network ? ToCore(network) : null,
        Device = message.Device is { } device ? ToCore(device) : null,
        Payment = message.Payment is { } payment ? ToCore(payment) : null,
        Custom = message.Custom.Count == 0
            ? FrozenDictionary<string, object>.Empty
            : message.Custom.ToDictionary(pair => pair.Key, pair => ToCore(pair.Value), StringComparer.Ordinal),
    };

    private static Subject ToCore(V1.Subject subject) => new()
    {
        AccountId = Text(subject.AccountId),
        FullName = Text(subject.FullName),
        GivenName = Text(subject.GivenName),
        FamilyName = Text(subject.FamilyName),
        Username = Text(subject.Username),
        Age = subject.HasAge ? (int)subject.Age : null,
        Language = Text(subject.Language),
        Country = Country(subject.Country),
        TimeZone = Text(subject.TimeZone),
        Organisation = Text(subject.Organisation),
        AccountType = subject.AccountType.Word(),
        DeclaredUse = Text(subject.DeclaredUse),
    };

    private static NetworkInput ToCore(V1.Network network) => new()
    {
        Ip = network.Ip.Length > 0 ? Ip(network.Ip) : null,
        ForwardedFor = network.ForwardedFor.Count == 0 ? [] : [.. network.ForwardedFor.Select(Ip)],
        Port = network.HasPort ? (int)network.Port : null,
        Ja4 = Text(network.Ja4),
        Ja4h = Text(network.Ja4H),
        Edge = network.Edge is { } edge
            ? new EdgeIpIntelligence(
                Country(edge.Country),
                edge.HasAsn ? edge.Asn : null,
                Text(edge.AsnOrganisation),
                edge.NetworkClass.Word(),
                edge.HasAnonymiser ? edge.Anonymiser : null,
                edge.HasResidentialProxyConfidence ? edge.ResidentialProxyConfidence : null)
            : null,
    };

    private static DeviceInput ToCore(V1.Device device) => new()
    {
        DeviceId = Text(device.DeviceId),
        Fingerprint = Text(device.Fingerprint),
        UserAgent = Text(device.UserAgent),
        ClientHints = Present(device.ClientHints),
        AcceptLanguage = Text(device.AcceptLanguage),
        Platform = Text(device.Platform),
        AppVersion = Text(device.AppVersion),
        ScreenWidth = device.HasScreenWidth ? (int)device.ScreenWidth : null,
        ScreenHeight = device.HasScreenHeight ? (int)device.ScreenHeight : null,
        TimeZone = Text(device.TimeZone),
        UtcOffsetMinutes = device.HasUtcOffsetMinutes ? device.UtcOffsetMinutes : null,
        Automation = device.HasAutomation ? device.Automation : null,
        Emulator = device.HasEmulator ? device.Emulator : null,
        Rooted = device.HasRooted ? device.Rooted : null,
        SessionId = Text(device.SessionId),
        SessionAgeSeconds = device.HasSessionAgeSeconds ? (int)device.SessionAgeSeconds : null,
        HoneypotFilled = device.HasHoneypotFilled ? device.HoneypotFilled : null,
        FormSeconds = device.HasFormSeconds ? device.FormSeconds : null,
        TypingIntervalMs = device.HasTypingIntervalMs ? device.TypingIntervalMs : null,
        Pasted = device.HasPasted ? device.Pasted : null,
    };

    private static PaymentInput ToCore(V1.Payment payment) => new()
    {
        InstrumentFingerprint = Text(payment.InstrumentFingerprint),
        Kind = payment.Kind.Word(),
        Bin = Text(payment.Bin),
        LastFour = Text(payment.LastFour),
        ExpiryMonth = payment.HasExpiryMonth ? (int)payment.ExpiryMonth : null,
        ExpiryYear = payment.HasExpiryYear ? (int)payment.ExpiryYear : null,
        Funding = payment.Funding.Word(),
        Brand = Text(payment.Brand),
        Issuer = Text(payment.Issuer),
        IssuerCountry = Country(payment.IssuerCountry),
        Wallet = Text(payment.Wallet),
        Virtual = payment.HasVirtual ? payment.Virtual : null,
        HolderName = Text(payment.HolderName),
        BillingAddress = payment.BillingAddress is { } address
            ? new BillingAddress(Text(address.Line1), Text(address.Line2), Text(address.City), Text(address.Region), Text(address.PostalCode), Country(address.Country))
            : null,
        AvsResult = payment.AvsResult.Word(),
        CvvResult = payment.CvvResult.Word(),
        ThreeDSecure = payment.ThreeDSecure.Word(),
        Authorised = payment.HasAuthorised ? payment.Authorised : null,
        DeclineCode = Text(payment.DeclineCode),
    };

    private static object ToCore(V1.CustomValue value) => value.ValueCase switch
    {
        V1.CustomValue.ValueOneofCase.StringValue => value.StringValue,
        V1.CustomValue.ValueOneofCase.NumberValue => value.NumberValue,
        V1.CustomValue.ValueOneofCase.BoolValue => value.BoolValue,
        _ => throw new ArgumentException("A custom value without a value passed validation.", nameof(value)),
    };

    private static string? Text(string text) => text.Length > 0 ? text : null;

    private static string? Country(string code) => code.Length > 0 ? code.ToUpperInvariant() : null;

    private static IPAddress Ip(string text) =>
        IpText.TryParse(text, out var address) ? address : throw new ArgumentException("An address that is none passed validation.", nameof(text));

    private static IReadOnlyDictionary<string, string> Present(MapField<string, string> values)
    {
        if (values.Count == 0) return FrozenDictionary<string, string>.Empty;
        var present = new Dictionary<string, string>(values.Count, StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            if (value.Length > 0) present.Add(name, value);
        }
        return present;
    }
}
