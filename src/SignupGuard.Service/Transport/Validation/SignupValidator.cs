using System.Text.RegularExpressions;
using FluentValidation;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>Every bound of <c>signup.proto</c>, group by group; all violations are found in one pass.</summary>
internal sealed partial class SignupValidator : AbstractValidator<Signup>
{
    public const int SignupIdCharactersMax = 128;
    public const int CustomValuesMax = 64;
    public const int CustomNameCharactersMax = 64;
    public const int CustomStringCharactersMax = 512;

    [GeneratedRegex("^[a-z][a-z0-9_]*$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex CustomName { get; }

    public SignupValidator(TimeProvider clock)
    {
        RuleFor(signup => signup.SignupId).Required().Text(SignupIdCharactersMax);
        RuleFor(signup => signup.OccurredAt).Required().Past(clock);
        RuleFor(signup => signup).Custom((signup, context) =>
        {
            if (signup is not ({ Email.Address.Length: > 0 } or { Phone.Number.Length: > 0 } or { ExternalIdentity.Subject.Length: > 0 }))
                Rules.Fail(context, "", ViolationCode.IdentifierRequired, "One of email.address, phone.number and external_identity is needed.");
        });
        RuleFor(signup => signup.Event).SetValidator(new EventValidator());
        RuleFor(signup => signup.Subject).SetValidator(new SubjectValidator());
        RuleFor(signup => signup.Email).SetValidator(new EmailValidator(clock));
        RuleFor(signup => signup.Phone).SetValidator(new PhoneValidator(clock));
        RuleFor(signup => signup.ExternalIdentity).SetValidator(new ExternalIdentityValidator());
        RuleFor(signup => signup.Network).SetValidator(new NetworkValidator());
        RuleFor(signup => signup.Device).SetValidator(new DeviceValidator());
        RuleFor(signup => signup.Payment).SetValidator(new PaymentValidator());
        RuleFor(signup => signup.Custom).Custom((values, context) =>
        {
            var path = context.PropertyPath;
            if (values.Count > CustomValuesMax) Rules.Fail(context, path, ViolationCode.TooMany, $"At most {CustomValuesMax} values.");
            foreach (var (name, value) in values.Take(CustomValuesMax))
            {
                // A name that breaks the form could be anything, so it is not repeated.
                if (name.Length > CustomNameCharactersMax || !CustomName.IsMatch(name))
                    Rules.Fail(context, path, ViolationCode.InvalidName, $"Names match [a-z][a-z0-9_]* and have at most {CustomNameCharactersMax} characters.");
                else if (value.ValueCase == CustomValue.ValueOneofCase.None)
                    Rules.Fail(context, $"{path}.{name}", ViolationCode.Required, "A string, a number or a bool; leave out what is not known.");
                else if (value.ValueCase == CustomValue.ValueOneofCase.NumberValue && !double.IsFinite(value.NumberValue))
                    Rules.Fail(context, $"{path}.{name}", ViolationCode.OutOfRange, "A finite number.");
                else if (value.ValueCase == CustomValue.ValueOneofCase.StringValue)
                    Rules.CheckText(value.StringValue, CustomStringCharactersMax, context, $"{path}.{name}");
            }
        });
    }

    private sealed class EventValidator : AbstractValidator<Event>
    {
        public EventValidator()
        {
            RuleFor(at => at.Channel).Known();
            RuleFor(at => at.Product).Text(64);
            RuleFor(at => at.Campaign).Text(128);
            RuleFor(at => at.ReferralCode).Text(128);
            RuleFor(at => at.Mode).Known();
        }
    }

    private sealed class SubjectValidator : AbstractValidator<Subject>
    {
        private const int LanguageCharactersMax = 35;

        public SubjectValidator()
        {
            RuleFor(subject => subject.AccountId).Text(128);
            RuleFor(subject => subject.FullName).Text(256);
            RuleFor(subject => subject.GivenName).Text(256);
            RuleFor(subject => subject.FamilyName).Text(256);
            RuleFor(subject => subject.Username).Text(128);
            RuleFor(subject => subject.Age).Within(0, 130, subject => subject.HasAge);
            RuleFor(subject => subject.Language).Form(
                tag => tag.Length <= LanguageCharactersMax && Languages.Has(tag),
                ViolationCode.UnknownLanguage,
                $"A language by BCP 47, at most {LanguageCharactersMax} characters.");
            RuleFor(subject => subject.Country).Country();
            RuleFor(subject => subject.TimeZone).TimeZone();
            RuleFor(subject => subject.Organisation).Text(256);
            RuleFor(subject => subject.AccountType).Known();
            RuleFor(subject => subject.DeclaredUse).Text(1024);
        }
    }

    private sealed class EmailValidator : AbstractValidator<EmailAddress>
    {
        private const int AddressCharactersMax = 320;
        private const int LocalCharactersMax = 64;
        private const int DomainCharactersMax = 255;

        public EmailValidator(TimeProvider clock)
        {
            RuleFor(email => email.Address).Text(AddressCharactersMax);
            RuleFor(email => email.Address).Form(
                address => address.Length > AddressCharactersMax || !Rules.IsCleanText(address) || IsAddress(address),
                ViolationCode.InvalidEmail,
                $"LOCAL@DOMAIN without spaces, the local part at most {LocalCharactersMax} characters.");
            RuleFor(email => email.VerifiedAt).Past(clock);
            RuleFor(email => email.DomainRegisteredAt).Past(clock, Rules.FirstDomainUnixSeconds);
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

    private sealed class PhoneValidator : AbstractValidator<PhoneNumber>
    {
        private const int NumberCharactersMax = 32;
        private const int DigitsMin = 3;

        public PhoneValidator(TimeProvider clock)
        {
            RuleFor(phone => phone.Number).Text(NumberCharactersMax);
            RuleFor(phone => phone.Number).Form(
                number => number.Length > NumberCharactersMax || !Rules.IsCleanText(number) || IsNumber(number),
                ViolationCode.InvalidPhone,
                "Digits, with + in front and spaces, dots, slashes, hyphens and parentheses between.");
            RuleFor(phone => phone.Region).Country();
            RuleFor(phone => phone.Region).Custom((region, context) =>
            {
                var number = context.InstanceToValidate.Number;
                if (region.Length == 0 && number.Length > 0 && !number.Contains('+', StringComparison.Ordinal))
                    Rules.Fail(context, context.PropertyPath, ViolationCode.Required, "A number without + needs the region it is read in.");
            });
            RuleFor(phone => phone.VerifiedAt).Past(clock);
            RuleFor(phone => phone.LineType).Known();
        }

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

    private sealed class ExternalIdentityValidator : AbstractValidator<ExternalIdentity>
    {
        public ExternalIdentityValidator()
        {
            RuleFor(identity => identity.Provider).Text(64);
            RuleFor(identity => identity.Subject).Text(256);
            // One half alone identifies nobody.
            When(identity => identity.Subject.Length > 0, () => RuleFor(identity => identity.Provider).Required());
            When(identity => identity.Provider.Length > 0, () => RuleFor(identity => identity.Subject).Required());
        }
    }

    private sealed class NetworkValidator : AbstractValidator<Network>
    {
        private const int ForwardedForMax = 16;

        public NetworkValidator()
        {
            RuleFor(network => network.Ip).Ip();
            RuleFor(network => network.ForwardedFor).Custom((chain, context) =>
            {
                if (chain.Count > ForwardedForMax) Rules.Fail(context, context.PropertyPath, ViolationCode.TooMany, $"At most {ForwardedForMax} addresses.");
                for (var i = 0; i < Math.Min(chain.Count, ForwardedForMax); i++)
                {
                    if (!IpText.TryParse(chain[i], out _))
                        Rules.Fail(context, $"{context.PropertyPath}[{i}]", ViolationCode.InvalidIp, "An IPv4 or IPv6 address, without port or zone.");
                }
            });
            RuleFor(network => network.Port).Within(1, 65_535, network => network.HasPort);
            RuleFor(network => network.Ja4).Text(64);
            RuleFor(network => network.Ja4H).Text(64);
            RuleFor(network => network.Edge).SetValidator(new EdgeValidator());
        }
    }

    private sealed class EdgeValidator : AbstractValidator<EdgeIpIntelligence>
    {
        public EdgeValidator()
        {
            RuleFor(edge => edge.Country).Country();
            RuleFor(edge => edge.Asn).Within(1, uint.MaxValue, edge => edge.HasAsn);
            RuleFor(edge => edge.AsnOrganisation).Text(256);
            RuleFor(edge => edge.NetworkClass).Known();
            RuleFor(edge => edge.ResidentialProxyConfidence).Within(0, 1, edge => edge.HasResidentialProxyConfidence);
        }
    }

    private sealed class DeviceValidator : AbstractValidator<Device>
    {
        private const int ClientHintsMax = 16;
        private const int ClientHintNameCharactersMax = 64;
        private const int ClientHintCharactersMax = 256;
        private const uint PixelsMax = 20_000;
        private const int UtcOffsetMinutesMax = 14 * 60;
        private const uint SessionAgeSecondsMax = 365 * 24 * 60 * 60;

        public DeviceValidator()
        {
            RuleFor(device => device.DeviceId).Text(128);
            RuleFor(device => device.Fingerprint).Text(128);
            RuleFor(device => device.UserAgent).Text(1024);
            RuleFor(device => device.ClientHints).Custom((hints, context) =>
            {
                var path = context.PropertyPath;
                if (hints.Count > ClientHintsMax) Rules.Fail(context, path, ViolationCode.TooMany, $"At most {ClientHintsMax} hints.");
                foreach (var (name, value) in hints.Take(ClientHintsMax))
                {
                    if (name.Length is 0 or > ClientHintNameCharactersMax || !name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-'))
                        Rules.Fail(context, path, ViolationCode.InvalidName, "Names are lower-case, without the prefix sec-ch-ua-.");
                    else Rules.CheckText(value, ClientHintCharactersMax, context, $"{path}.{name}");
                }
            });
            RuleFor(device => device.AcceptLanguage).Text(256);
            RuleFor(device => device.Platform).Text(64);
            RuleFor(device => device.AppVersion).Text(64);
            RuleFor(device => device.ScreenWidth).Within(1, PixelsMax, device => device.HasScreenWidth);
            RuleFor(device => device.ScreenHeight).Within(1, PixelsMax, device => device.HasScreenHeight);
            RuleFor(device => device.TimeZone).TimeZone();
            RuleFor(device => device.UtcOffsetMinutes).Within(-UtcOffsetMinutesMax, UtcOffsetMinutesMax, device => device.HasUtcOffsetMinutes);
            RuleFor(device => device.SessionId).Text(128);
            RuleFor(device => device.SessionAgeSeconds).Within(0, SessionAgeSecondsMax, device => device.HasSessionAgeSeconds);
            RuleFor(device => device.FormSeconds).Within(0, 86_400, device => device.HasFormSeconds);
            RuleFor(device => device.TypingIntervalMs).Within(0, 60_000, device => device.HasTypingIntervalMs);
        }
    }

    private sealed class PaymentValidator : AbstractValidator<Payment>
    {
        public PaymentValidator()
        {
            RuleFor(payment => payment.InstrumentFingerprint).Text(128);
            RuleFor(payment => payment.Kind).Known();
            RuleFor(payment => payment.Bin).Digits(6, 8);
            RuleFor(payment => payment.LastFour).Digits(4, 4);
            RuleFor(payment => payment.ExpiryMonth).Within(1, 12, payment => payment.HasExpiryMonth);
            RuleFor(payment => payment.ExpiryYear).Within(2000, 2100, payment => payment.HasExpiryYear);
            RuleFor(payment => payment.Funding).Known();
            RuleFor(payment => payment.Brand).Text(32);
            RuleFor(payment => payment.Issuer).Text(128);
            RuleFor(payment => payment.IssuerCountry).Country();
            RuleFor(payment => payment.Wallet).Text(32);
            RuleFor(payment => payment.HolderName).Text(256);
            RuleFor(payment => payment.BillingAddress).SetValidator(new AddressValidator());
            RuleFor(payment => payment.AvsResult).Known();
            RuleFor(payment => payment.CvvResult).Known();
            RuleFor(payment => payment.ThreeDSecure).Known();
            RuleFor(payment => payment.DeclineCode).Text(64);
        }
    }

    private sealed class AddressValidator : AbstractValidator<Address>
    {
        public AddressValidator()
        {
            RuleFor(address => address.Line1).Text(256);
            RuleFor(address => address.Line2).Text(256);
            RuleFor(address => address.City).Text(128);
            RuleFor(address => address.Region).Text(128);
            RuleFor(address => address.PostalCode).Text(128);
            RuleFor(address => address.Country).Country();
        }
    }
}
