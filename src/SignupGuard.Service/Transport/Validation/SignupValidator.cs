using System.Buffers;
using FluentValidation;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>Every bound of <c>signup.proto</c>, group by group; all violations are found in one pass.</summary>
internal sealed class SignupValidator : BoundsValidator<Signup>
{
    public const int SignupIdCharactersMax = 128;
    public const int CustomValuesMax = 64;
    public const int CustomNameCharactersMax = 64;
    public const int CustomStringCharactersMax = 512;

    private static readonly SearchValues<char> CustomNameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");
    private static readonly SearchValues<char> ClientHintNameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    public SignupValidator(TimeProvider clock)
    {
        RequiredText(signup => signup.SignupId, SignupIdCharactersMax);
        RequiredPast(signup => signup.OccurredAt, clock);
        Bound(signup => signup, IsIdentified, rule => rule.Custom((signup, context) =>
        {
            if (!IsIdentified(signup)) Rules.Fail(context, "", ViolationCode.IdentifierRequired, "One of email.address, phone.number and external_identity is needed.");
        }));
        Part(signup => signup.Event, new EventValidator());
        Part(signup => signup.Subject, new SubjectValidator());
        Part(signup => signup.Email, new EmailValidator(clock));
        Part(signup => signup.Phone, new PhoneValidator(clock));
        Part(signup => signup.ExternalIdentity, new ExternalIdentityValidator());
        Part(signup => signup.Network, new NetworkValidator());
        Part(signup => signup.Device, new DeviceValidator());
        Part(signup => signup.Payment, new PaymentValidator());
        Bound(signup => signup.Custom, values => values.Count <= CustomValuesMax && values.All(pair => IsCustomName(pair.Key) && IsCustomValue(pair.Value)), rule => rule.Custom((values, context) =>
        {
            var path = context.PropertyPath;
            if (values.Count > CustomValuesMax) Rules.Fail(context, path, ViolationCode.TooMany, $"At most {CustomValuesMax} values.");
            foreach (var (name, value) in values.Take(CustomValuesMax))
            {
                // A name that breaks the form could be anything, so it is not repeated.
                if (!IsCustomName(name))
                    Rules.Fail(context, path, ViolationCode.InvalidName, $"Names match [a-z][a-z0-9_]* and have at most {CustomNameCharactersMax} characters.");
                else if (value.ValueCase == CustomValue.ValueOneofCase.None)
                    Rules.Fail(context, $"{path}.{name}", ViolationCode.Required, "A string, a number or a bool; leave out what is not known.");
                else if (value.ValueCase == CustomValue.ValueOneofCase.NumberValue && !double.IsFinite(value.NumberValue))
                    Rules.Fail(context, $"{path}.{name}", ViolationCode.OutOfRange, "A finite number.");
                else if (value.ValueCase == CustomValue.ValueOneofCase.StringValue)
                    Rules.CheckText(value.StringValue, CustomStringCharactersMax, context, $"{path}.{name}");
            }
        }));
    }

    private static bool IsIdentified(Signup signup) => signup is { Email.Address.Length: > 0 } or { Phone.Number.Length: > 0 } or { ExternalIdentity.Subject.Length: > 0 };

    private static bool IsCustomName(string name) =>
        name.Length is > 0 and <= CustomNameCharactersMax && char.IsAsciiLetterLower(name[0]) && !name.AsSpan().ContainsAnyExcept(CustomNameCharacters);

    private static bool IsCustomValue(CustomValue value) => value.ValueCase switch
    {
        CustomValue.ValueOneofCase.None => false,
        CustomValue.ValueOneofCase.NumberValue => double.IsFinite(value.NumberValue),
        CustomValue.ValueOneofCase.StringValue => Rules.IsText(value.StringValue, CustomStringCharactersMax),
        _ => true,
    };

    private sealed class EventValidator : BoundsValidator<Event>
    {
        public EventValidator()
        {
            Known(at => at.Channel);
            Text(at => at.Product, 64);
            Text(at => at.Campaign, 128);
            Text(at => at.ReferralCode, 128);
            Known(at => at.Mode);
        }
    }

    private sealed class SubjectValidator : BoundsValidator<Subject>
    {
        private const int LanguageCharactersMax = 35;

        public SubjectValidator()
        {
            Text(subject => subject.AccountId, 128);
            Text(subject => subject.FullName, 256);
            Text(subject => subject.GivenName, 256);
            Text(subject => subject.FamilyName, 256);
            Text(subject => subject.Username, 128);
            Within(subject => subject.Age, 0, 130, subject => subject.HasAge);
            Form(
                subject => subject.Language,
                tag => tag.Length <= LanguageCharactersMax && Languages.Has(tag),
                ViolationCode.UnknownLanguage,
                $"A language by BCP 47, at most {LanguageCharactersMax} characters.");
            Country(subject => subject.Country);
            TimeZone(subject => subject.TimeZone);
            Text(subject => subject.Organisation, 256);
            Known(subject => subject.AccountType);
            Text(subject => subject.DeclaredUse, 1024);
        }
    }

    private sealed class EmailValidator : BoundsValidator<EmailAddress>
    {
        private const int AddressCharactersMax = 320;
        private const int LocalCharactersMax = 64;
        private const int DomainCharactersMax = 255;

        public EmailValidator(TimeProvider clock)
        {
            Text(email => email.Address, AddressCharactersMax);
            Form(
                email => email.Address,
                address => address.Length > AddressCharactersMax || !Rules.IsCleanText(address) || IsAddress(address),
                ViolationCode.InvalidEmail,
                $"LOCAL@DOMAIN without spaces, the local part at most {LocalCharactersMax} characters.");
            Past(email => email.VerifiedAt, clock);
            Past(email => email.DomainRegisteredAt, clock, Rules.FirstDomainUnixSeconds);
        }

        /// <summary>
        /// Only what no mail system could deliver to is refused; whether it is a good address is for the signals to say. Quoted local parts
        /// ("a b"@example.org) are refused: no sign-up form takes them, and their canonical form is nobody's agreement.
        /// </summary>
        private static bool IsAddress(string address)
        {
            var at = address.LastIndexOf('@');
            if (at is < 1 or > LocalCharactersMax || address.IndexOf('@', StringComparison.Ordinal) != at) return false;
            var domain = address.AsSpan(at + 1);
            if (domain.Length is 0 or > DomainCharactersMax || domain[0] is '.' or '-' || domain.Contains("..", StringComparison.Ordinal)) return false;
            foreach (var character in address)
            {
                if (char.IsWhiteSpace(character) || char.IsControl(character) || character is '"' or '<' or '>' or ',' or ';' or ':' or '(' or ')' or '[' or ']' or '\\') return false;
            }
            return true;
        }
    }

    private sealed class PhoneValidator : BoundsValidator<PhoneNumber>
    {
        private const int NumberCharactersMax = 32;
        private const int DigitsMin = 3;

        public PhoneValidator(TimeProvider clock)
        {
            Text(phone => phone.Number, NumberCharactersMax);
            Form(
                phone => phone.Number,
                number => number.Length > NumberCharactersMax || !Rules.IsCleanText(number) || IsNumber(number),
                ViolationCode.InvalidPhone,
                "Digits, with + in front and spaces, dots, slashes, hyphens and parentheses between.");
            Country(phone => phone.Region);
            Bound(IsReadable, () => RuleFor(phone => phone.Region).Custom((_, context) =>
            {
                if (!IsReadable(context.InstanceToValidate)) Rules.Fail(context, context.PropertyPath, ViolationCode.Required, "A number without + needs the region it is read in.");
            }));
            Past(phone => phone.VerifiedAt, clock);
            Known(phone => phone.LineType);
        }

        private static bool IsReadable(PhoneNumber phone) => phone.Region.Length > 0 || phone.Number.Length == 0 || phone.Number.Contains('+', StringComparison.Ordinal);

        private static bool IsNumber(string number)
        {
            var digits = 0;
            for (var i = 0; i < number.Length; i++)
            {
                if (char.IsAsciiDigit(number[i])) digits++;
                else if (number[i] == '+' && digits == 0) continue;
                else if (number[i] is not (' ' or '.' or '/' or '-' or '(' or ')')) return false;
            }
            return digits >= DigitsMin;
        }
    }

    private sealed class ExternalIdentityValidator : BoundsValidator<ExternalIdentity>
    {
        public ExternalIdentityValidator()
        {
            Text(identity => identity.Provider, 64);
            Text(identity => identity.Subject, 256);
            // One half alone identifies nobody.
            Bound(
                identity => identity.Subject.Length == 0 || !string.IsNullOrWhiteSpace(identity.Provider),
                () => When(identity => identity.Subject.Length > 0, () => RuleFor(identity => identity.Provider).Required()));
            Bound(
                identity => identity.Provider.Length == 0 || !string.IsNullOrWhiteSpace(identity.Subject),
                () => When(identity => identity.Provider.Length > 0, () => RuleFor(identity => identity.Subject).Required()));
        }
    }

    private sealed class NetworkValidator : BoundsValidator<Network>
    {
        private const int ForwardedForMax = 16;

        public NetworkValidator()
        {
            Ip(network => network.Ip);
            Bound(network => network.ForwardedFor, chain => chain.Count <= ForwardedForMax && chain.All(address => IpText.TryParse(address, out _)), rule => rule.Custom((chain, context) =>
            {
                if (chain.Count > ForwardedForMax) Rules.Fail(context, context.PropertyPath, ViolationCode.TooMany, $"At most {ForwardedForMax} addresses.");
                for (var i = 0; i < Math.Min(chain.Count, ForwardedForMax); i++)
                {
                    if (!IpText.TryParse(chain[i], out _))
                        Rules.Fail(context, $"{context.PropertyPath}[{i}]", ViolationCode.InvalidIp, "An IPv4 or IPv6 address, without port or zone.");
                }
            }));
            Within(network => network.Port, 1, 65_535, network => network.HasPort);
            Text(network => network.Ja4, 64);
            Text(network => network.Ja4H, 64);
            Part(network => network.Edge, new EdgeValidator());
        }
    }

    private sealed class EdgeValidator : BoundsValidator<EdgeIpIntelligence>
    {
        public EdgeValidator()
        {
            Country(edge => edge.Country);
            Within(edge => edge.Asn, 1, uint.MaxValue, edge => edge.HasAsn);
            Text(edge => edge.AsnOrganisation, 256);
            Known(edge => edge.NetworkClass);
            Within(edge => edge.ResidentialProxyConfidence, 0, 1, edge => edge.HasResidentialProxyConfidence);
        }
    }

    private sealed class DeviceValidator : BoundsValidator<Device>
    {
        private const int ClientHintsMax = 16;
        private const int ClientHintNameCharactersMax = 64;
        private const int ClientHintCharactersMax = 256;
        private const uint PixelsMax = 20_000;
        private const int UtcOffsetMinutesMax = 14 * 60;
        private const uint SessionAgeSecondsMax = 365 * 24 * 60 * 60;

        public DeviceValidator()
        {
            Text(device => device.DeviceId, 128);
            Text(device => device.Fingerprint, 128);
            Text(device => device.UserAgent, 1024);
            Bound(device => device.ClientHints, hints => hints.Count <= ClientHintsMax && hints.All(pair => IsHintName(pair.Key) && Rules.IsText(pair.Value, ClientHintCharactersMax)), rule => rule.Custom((hints, context) =>
            {
                var path = context.PropertyPath;
                if (hints.Count > ClientHintsMax) Rules.Fail(context, path, ViolationCode.TooMany, $"At most {ClientHintsMax} hints.");
                foreach (var (name, value) in hints.Take(ClientHintsMax))
                {
                    if (!IsHintName(name))
                        Rules.Fail(context, path, ViolationCode.InvalidName, "Names are lower-case, without the prefix sec-ch-ua-.");
                    else Rules.CheckText(value, ClientHintCharactersMax, context, $"{path}.{name}");
                }
            }));
            Text(device => device.AcceptLanguage, 256);
            Text(device => device.Platform, 64);
            Text(device => device.AppVersion, 64);
            Within(device => device.ScreenWidth, 1, PixelsMax, device => device.HasScreenWidth);
            Within(device => device.ScreenHeight, 1, PixelsMax, device => device.HasScreenHeight);
            TimeZone(device => device.TimeZone);
            Within(device => device.UtcOffsetMinutes, -UtcOffsetMinutesMax, UtcOffsetMinutesMax, device => device.HasUtcOffsetMinutes);
            Text(device => device.SessionId, 128);
            Within(device => device.SessionAgeSeconds, 0, SessionAgeSecondsMax, device => device.HasSessionAgeSeconds);
            Within(device => device.FormSeconds, 0, 86_400, device => device.HasFormSeconds);
            Within(device => device.TypingIntervalMs, 0, 60_000, device => device.HasTypingIntervalMs);
        }

        private static bool IsHintName(string name) => name.Length is > 0 and <= ClientHintNameCharactersMax && !name.AsSpan().ContainsAnyExcept(ClientHintNameCharacters);
    }

    private sealed class PaymentValidator : BoundsValidator<Payment>
    {
        public PaymentValidator()
        {
            Text(payment => payment.InstrumentFingerprint, 128);
            Known(payment => payment.Kind);
            Digits(payment => payment.Bin, 6, 8);
            Digits(payment => payment.LastFour, 4, 4);
            Within(payment => payment.ExpiryMonth, 1, 12, payment => payment.HasExpiryMonth);
            Within(payment => payment.ExpiryYear, 2000, 2100, payment => payment.HasExpiryYear);
            Known(payment => payment.Funding);
            Text(payment => payment.Brand, 32);
            Text(payment => payment.Issuer, 128);
            Country(payment => payment.IssuerCountry);
            Text(payment => payment.Wallet, 32);
            Text(payment => payment.HolderName, 256);
            Part(payment => payment.BillingAddress, new AddressValidator());
            Known(payment => payment.AvsResult);
            Known(payment => payment.CvvResult);
            Known(payment => payment.ThreeDSecure);
            Text(payment => payment.DeclineCode, 64);
        }
    }

    private sealed class AddressValidator : BoundsValidator<Address>
    {
        public AddressValidator()
        {
            Text(address => address.Line1, 256);
            Text(address => address.Line2, 256);
            Text(address => address.City, 128);
            Text(address => address.Region, 128);
            Text(address => address.PostalCode, 128);
            Country(address => address.Country);
        }
    }
}
