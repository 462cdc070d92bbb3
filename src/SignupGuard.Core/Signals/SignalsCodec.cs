using SignupGuard.Core.Binary;

namespace SignupGuard.Core.Signals;

/// <summary>
/// Signals as stored with a decision's facts: compact bytes, field by field in the order of their records. A field added to a record goes to the
/// end of its group here, under a new version.
/// </summary>
public static class SignalsCodec
{
    private const byte Version = 1;

    /// <summary>Bytes of all that is no text.</summary>
    private const int FixedBytesMax = 1_024;

    /// <summary>Longest text, in bytes: what the contract bounds, four bytes a character.</summary>
    private const int TextBytesMax = 4_096;

    private const int CodesMax = 64;

    public static byte[] Encode(SignupSignals signals)
    {
        var buffer = new byte[FixedBytesMax + TextBytes(signals)];
        var writer = new ByteWriter(buffer);
        writer.Byte(Version);
        Head(ref writer, signals.Email);
        if (signals.Email.Value is { } email) Write(ref writer, email);
        Head(ref writer, signals.Phone);
        if (signals.Phone.Value is { } phone) Write(ref writer, phone);
        Head(ref writer, signals.Ip);
        if (signals.Ip.Value is { } ip) Write(ref writer, ip);
        Head(ref writer, signals.Device);
        if (signals.Device.Value is { } device) Write(ref writer, device);
        Head(ref writer, signals.Payment);
        if (signals.Payment.Value is { } payment) Write(ref writer, payment);
        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged, or of an unknown version.</exception>
    public static SignupSignals Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != Version) throw ByteReader.Damaged();
        var signals = new SignupSignals
        {
            Email = Head(ref reader, out var detail) is var email && HasValue(email) ? new(email, ReadEmail(ref reader), detail) : new(email, null, detail),
            Phone = Head(ref reader, out detail) is var phone && HasValue(phone) ? new(phone, ReadPhone(ref reader), detail) : new(phone, null, detail),
            Ip = Head(ref reader, out detail) is var ip && HasValue(ip) ? new(ip, ReadIp(ref reader), detail) : new(ip, null, detail),
            Device = Head(ref reader, out detail) is var device && HasValue(device) ? new(device, ReadDevice(ref reader), detail) : new(device, null, detail),
            Payment = Head(ref reader, out detail) is var payment && HasValue(payment) ? new(payment, ReadPayment(ref reader), detail) : new(payment, null, detail),
        };
        return reader.AtEnd ? signals : throw ByteReader.Damaged();
    }

    private static void Head<T>(ref ByteWriter writer, Signal<T> signal)
        where T : class
    {
        if (HasValue(signal.State) != signal.Value is not null) throw new ArgumentException("A group of signals has a value exactly when it is present or stale.", nameof(signal));
        writer.Byte((byte)signal.State);
        writer.OptionalText(signal.Detail);
    }

    private static SignalState Head(ref ByteReader reader, out string? detail)
    {
        var state = (SignalState)reader.Byte();
        if (state > SignalState.Failed) throw ByteReader.Damaged();
        detail = reader.OptionalText(TextBytesMax);
        return state;
    }

    private static bool HasValue(SignalState state) => state is SignalState.Present or SignalState.Stale;

    private static void Write(ref ByteWriter writer, EmailSignals value)
    {
        writer.OptionalText(value.Canonical);
        writer.OptionalText(value.Local);
        writer.OptionalText(value.Domain);
        writer.OptionalText(value.RegistrableDomain);
        writer.OptionalText(value.TopLevelDomain);
        Flag(ref writer, value.Free);
        Flag(ref writer, value.Disposable);
        Flag(ref writer, value.Relay);
        Flag(ref writer, value.Tagged);
        writer.OptionalText(value.Skeleton);
        writer.Number(value.Length);
        writer.Number(value.Digits);
        writer.Double(value.DigitRatio);
        writer.Double(value.Entropy);
        Flag(ref writer, value.Role);
        Flag(ref writer, value.Internationalised);
        Flag(ref writer, value.MixedScript);
        Flag(ref writer, value.Verified);
        Flag(ref writer, value.MatchesName);
    }

    private static void Write(ref ByteWriter writer, PhoneSignals value)
    {
        writer.OptionalText(value.E164);
        Flag(ref writer, value.Valid);
        writer.OptionalText(value.Region);
        writer.Number(value.CountryCode);
        writer.OptionalText(value.LineType);
        writer.OptionalText(value.Prefix);
        Flag(ref writer, value.Verified);
        Flag(ref writer, value.MatchesIpCountry);
    }

    private static void Write(ref ByteWriter writer, IpSignals value)
    {
        writer.OptionalText(value.Address);
        writer.OptionalText(value.Net);
        writer.OptionalText(value.Line);
        writer.Number(value.Version);
        writer.OptionalText(value.Country);
        writer.OptionalText(value.Region);
        writer.OptionalText(value.City);
        writer.OptionalText(value.TimeZone);
        Number(ref writer, value.Asn);
        writer.OptionalText(value.AsnOrganisation);
        writer.OptionalText(value.NetworkClass);
        Flag(ref writer, value.Hosting);
        Flag(ref writer, value.Vpn);
        Flag(ref writer, value.Tor);
        Flag(ref writer, value.Proxy);
        Flag(ref writer, value.Anonymiser);
        Double(ref writer, value.ResidentialProxyConfidence);
        Flag(ref writer, value.TimeZoneMatches);
        Flag(ref writer, value.DeclaredCountryMatches);
        writer.Number(value.ForwardedHops);
    }

    private static void Write(ref ByteWriter writer, DeviceSignals value)
    {
        writer.OptionalText(value.Browser);
        Number(ref writer, value.BrowserMajor);
        writer.OptionalText(value.Os);
        writer.OptionalText(value.OsVersion);
        writer.OptionalText(value.Kind);
        Flag(ref writer, value.Bot);
        Flag(ref writer, value.Headless);
        Flag(ref writer, value.Automation);
        Flag(ref writer, value.Emulator);
        Flag(ref writer, value.Rooted);
        writer.OptionalText(value.Language);
        Flag(ref writer, value.LanguageMatchesCountry);
        writer.OptionalText(value.TimeZone);
        Flag(ref writer, value.OffsetMatchesZone);
        Codes(ref writer, value.Impossible);
        Flag(ref writer, value.HoneypotFilled);
        Double(ref writer, value.FormSeconds);
        Double(ref writer, value.TypingIntervalMs);
        Flag(ref writer, value.Pasted);
        Number(ref writer, value.SessionAgeSeconds);
    }

    private static void Write(ref ByteWriter writer, PaymentSignals value)
    {
        writer.OptionalText(value.Kind);
        writer.OptionalText(value.Bin);
        writer.OptionalText(value.Funding);
        Flag(ref writer, value.Virtual);
        writer.OptionalText(value.Brand);
        writer.OptionalText(value.Issuer);
        writer.OptionalText(value.IssuerCountry);
        Flag(ref writer, value.IssuerMatchesIpCountry);
        Flag(ref writer, value.IssuerMatchesBillingCountry);
        Flag(ref writer, value.BillingMatchesIpCountry);
        writer.OptionalText(value.Avs);
        writer.OptionalText(value.Cvv);
        writer.OptionalText(value.ThreeDSecure);
        Flag(ref writer, value.Authorised);
        writer.OptionalText(value.DeclineCode);
        Number(ref writer, value.MonthsToExpiry);
        Codes(ref writer, value.ExpiryOddities);
        Flag(ref writer, value.HolderMatchesName);
    }

    private static EmailSignals ReadEmail(ref ByteReader reader) => new()
    {
        Canonical = Required(ref reader),
        Local = Required(ref reader),
        Domain = Required(ref reader),
        RegistrableDomain = reader.OptionalText(TextBytesMax),
        TopLevelDomain = reader.OptionalText(TextBytesMax),
        Free = Flag(ref reader),
        Disposable = Flag(ref reader),
        Relay = Flag(ref reader),
        Tagged = Known(ref reader),
        Skeleton = Required(ref reader),
        Length = (int)reader.Number(),
        Digits = (int)reader.Number(),
        DigitRatio = reader.Double(),
        Entropy = reader.Double(),
        Role = Known(ref reader),
        Internationalised = Known(ref reader),
        MixedScript = Known(ref reader),
        Verified = Known(ref reader),
        MatchesName = Flag(ref reader),
    };

    private static PhoneSignals ReadPhone(ref ByteReader reader) => new()
    {
        E164 = Required(ref reader),
        Valid = Known(ref reader),
        Region = reader.OptionalText(TextBytesMax),
        CountryCode = (int)reader.Number(),
        LineType = Required(ref reader),
        Prefix = Required(ref reader),
        Verified = Known(ref reader),
        MatchesIpCountry = Flag(ref reader),
    };

    private static IpSignals ReadIp(ref ByteReader reader) => new()
    {
        Address = Required(ref reader),
        Net = Required(ref reader),
        Line = Required(ref reader),
        Version = (int)reader.Number(),
        Country = reader.OptionalText(TextBytesMax),
        Region = reader.OptionalText(TextBytesMax),
        City = reader.OptionalText(TextBytesMax),
        TimeZone = reader.OptionalText(TextBytesMax),
        Asn = Number(ref reader),
        AsnOrganisation = reader.OptionalText(TextBytesMax),
        NetworkClass = reader.OptionalText(TextBytesMax),
        Hosting = Flag(ref reader),
        Vpn = Flag(ref reader),
        Tor = Flag(ref reader),
        Proxy = Flag(ref reader),
        Anonymiser = Flag(ref reader),
        ResidentialProxyConfidence = Double(ref reader),
        TimeZoneMatches = Flag(ref reader),
        DeclaredCountryMatches = Flag(ref reader),
        ForwardedHops = (int)reader.Number(),
    };

    private static DeviceSignals ReadDevice(ref ByteReader reader) => new()
    {
        Browser = reader.OptionalText(TextBytesMax),
        BrowserMajor = (int?)Number(ref reader),
        Os = reader.OptionalText(TextBytesMax),
        OsVersion = reader.OptionalText(TextBytesMax),
        Kind = reader.OptionalText(TextBytesMax),
        Bot = Flag(ref reader),
        Headless = Flag(ref reader),
        Automation = Flag(ref reader),
        Emulator = Flag(ref reader),
        Rooted = Flag(ref reader),
        Language = reader.OptionalText(TextBytesMax),
        LanguageMatchesCountry = Flag(ref reader),
        TimeZone = reader.OptionalText(TextBytesMax),
        OffsetMatchesZone = Flag(ref reader),
        Impossible = Codes(ref reader),
        HoneypotFilled = Flag(ref reader),
        FormSeconds = Double(ref reader),
        TypingIntervalMs = Double(ref reader),
        Pasted = Flag(ref reader),
        SessionAgeSeconds = (int?)Number(ref reader),
    };

    private static PaymentSignals ReadPayment(ref ByteReader reader) => new()
    {
        Kind = reader.OptionalText(TextBytesMax),
        Bin = reader.OptionalText(TextBytesMax),
        Funding = reader.OptionalText(TextBytesMax),
        Virtual = Flag(ref reader),
        Brand = reader.OptionalText(TextBytesMax),
        Issuer = reader.OptionalText(TextBytesMax),
        IssuerCountry = reader.OptionalText(TextBytesMax),
        IssuerMatchesIpCountry = Flag(ref reader),
        IssuerMatchesBillingCountry = Flag(ref reader),
        BillingMatchesIpCountry = Flag(ref reader),
        Avs = reader.OptionalText(TextBytesMax),
        Cvv = reader.OptionalText(TextBytesMax),
        ThreeDSecure = reader.OptionalText(TextBytesMax),
        Authorised = Flag(ref reader),
        DeclineCode = reader.OptionalText(TextBytesMax),
        MonthsToExpiry = (int?)Number(ref reader),
        ExpiryOddities = Codes(ref reader),
        HolderMatchesName = Flag(ref reader),
    };

    private static void Flag(ref ByteWriter writer, bool? value) => writer.Byte(value switch { null => 0, false => 1, true => 2 });

    private static bool? Flag(ref ByteReader reader) => reader.Byte() switch
    {
        0 => null,
        1 => false,
        2 => true,
        _ => throw ByteReader.Damaged(),
    };

    private static bool Known(ref ByteReader reader) => Flag(ref reader) ?? throw ByteReader.Damaged();

    private static string Required(ref ByteReader reader) => reader.OptionalText(TextBytesMax) ?? throw ByteReader.Damaged();

    private static void Number(ref ByteWriter writer, long? value)
    {
        writer.Byte(value is null ? (byte)0 : (byte)1);
        if (value is { } number) writer.Number(number);
    }

    private static long? Number(ref ByteReader reader) => reader.Byte() == 0 ? null : reader.Number();

    private static void Double(ref ByteWriter writer, double? value)
    {
        writer.Byte(value is null ? (byte)0 : (byte)1);
        if (value is { } number) writer.Double(number);
    }

    private static double? Double(ref ByteReader reader) => reader.Byte() == 0 ? null : reader.Double();

    private static void Codes(ref ByteWriter writer, IReadOnlyList<string> codes)
    {
        if (codes.Count > CodesMax) throw new ArgumentException($"More than {CodesMax} codes.", nameof(codes));
        writer.Number(codes.Count);
        foreach (var code in codes) writer.OptionalText(code);
    }

    private static string[] Codes(ref ByteReader reader)
    {
        var count = reader.Count(CodesMax);
        if (count == 0) return [];
        var codes = new string[count];
        for (var i = 0; i < count; i++) codes[i] = Required(ref reader);
        return codes;
    }

    /// <summary>Most bytes of all texts together.</summary>
    private static int TextBytes(SignupSignals signals)
    {
        var bytes = 0;
        void Add(string? text) => bytes += ByteWriter.TextBytesMax(text);
        foreach (var detail in (ReadOnlySpan<string?>)[signals.Email.Detail, signals.Phone.Detail, signals.Ip.Detail, signals.Device.Detail, signals.Payment.Detail]) Add(detail);
        if (signals.Email.Value is { } email)
        {
            foreach (var text in (ReadOnlySpan<string?>)[email.Canonical, email.Local, email.Domain, email.RegistrableDomain, email.TopLevelDomain, email.Skeleton]) Add(text);
        }
        if (signals.Phone.Value is { } phone)
        {
            foreach (var text in (ReadOnlySpan<string?>)[phone.E164, phone.Region, phone.LineType, phone.Prefix]) Add(text);
        }
        if (signals.Ip.Value is { } ip)
        {
            foreach (var text in (ReadOnlySpan<string?>)[ip.Address, ip.Net, ip.Line, ip.Country, ip.Region, ip.City, ip.TimeZone, ip.AsnOrganisation, ip.NetworkClass]) Add(text);
        }
        if (signals.Device.Value is { } device)
        {
            foreach (var text in (ReadOnlySpan<string?>)[device.Browser, device.Os, device.OsVersion, device.Kind, device.Language, device.TimeZone]) Add(text);
            foreach (var code in device.Impossible) Add(code);
        }
        if (signals.Payment.Value is { } payment)
        {
            foreach (var text in (ReadOnlySpan<string?>)[payment.Kind, payment.Bin, payment.Funding, payment.Brand, payment.Issuer, payment.IssuerCountry, payment.Avs, payment.Cvv, payment.ThreeDSecure, payment.DeclineCode]) Add(text);
            foreach (var code in payment.ExpiryOddities) Add(code);
        }
        return bytes;
    }
}
