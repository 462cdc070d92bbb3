using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation;

/// <summary>
/// Writes a situation down as the identity service would send it, with the gaps of real collection: each signal is missing in 3 to 35 % of signups
/// (10 to 30 % for most), never a placeholder.
/// </summary>
internal static class Composer
{
    private const long DayMs = 86_400_000;

    /// <summary>1991-01-01, in days since 1970.</summary>
    private const long FirstDomainsDay = 7_670;

    private static readonly CheckOdds UnitedStates = new(0.80, 0.03, 0.95, 0.08, 0.025);
    private static readonly CheckOdds Authenticating = new(0.30, 0.01, 0.95, 0.58, 0.03);
    private static readonly CheckOdds Elsewhere = new(0.25, 0.02, 0.92, 0.3, 0.05);

    private static readonly string[] DeclineCodes = ["insufficient_funds", "do_not_honor", "generic_decline", "incorrect_cvc", "card_velocity_exceeded"];

    public static Signup Compose(RandomSource random, string signupId, long atMs, Situation situation)
    {
        var person = situation.Person;
        var machine = situation.Machine;
        var missing = situation.Missing;
        var signup = new Signup
        {
            SignupId = signupId,
            OccurredAt = Time(atMs),
            Event = Event(random, situation),
            Subject = Subject(random, signupId, atMs, situation),
            Email = new EmailAddress { Address = person.Email },
            Network = Network(random, situation, atMs),
            Device = Device(random, situation, atMs),
        };
        if (random.Chance(situation.EmailVerified)) signup.Email.VerifiedAt = WhileFilling(random, atMs, situation);
        if (person.Phone is { } phone)
        {
            signup.Phone = new PhoneNumber { Number = phone };
            if (random.Chance(situation.PhoneVerified)) signup.Phone.VerifiedAt = WhileFilling(random, atMs, situation);
        }
        if (situation.Provider is { } provider)
            signup.ExternalIdentity = new ExternalIdentity { Provider = provider, Subject = Digits(random, provider), EmailVerified = true };
        if (situation.Card is { } card) signup.Payment = Payment(random, card, situation);
        if (person.DomainAgeDays is { } age && !random.Chance(0.22 * missing)) signup.Email.DomainRegisteredAt = Time(Registered(atMs, age));
        if (machine.Browser == Browser.App) signup.Device.AppVersion = string.Create(CultureInfo.InvariantCulture, $"{machine.Major(atMs)}.{machine.Minor(atMs)}.0");
        return signup;
    }

    private static Event Event(RandomSource random, Situation situation)
    {
        var @event = new Event { Channel = situation.Channel, Product = "lumen" };
        if (situation.MarketingCampaign is { } campaign) @event.Campaign = campaign;
        if (situation.ReferralCode is { } code) @event.ReferralCode = code;
        if (random.Chance(0.9)) @event.Mode = Mode.Enforce;
        return @event;
    }

    private static Subject Subject(RandomSource random, string signupId, long atMs, Situation situation)
    {
        var person = situation.Person;
        var machine = situation.Machine;
        var subject = new Subject { AccountId = "acc_" + signupId, AccountType = situation.AccountType };
        // Some forms ask for one name, some for two, and some people give neither.
        switch (random.Below(20))
        {
            case < 11:
                subject.GivenName = person.Given.Written;
                subject.FamilyName = person.Family.Written;
                break;
            case < 18:
                subject.FullName = person.FullName;
                break;
        }
        if (random.Chance(0.3)) subject.Username = person.Email[..person.Email.IndexOf('@', StringComparison.Ordinal)];
        if (random.Chance(0.35)) subject.Age = (uint)Math.Max(13, DateTimeOffset.FromUnixTimeMilliseconds(atMs).Year - person.BirthYear);
        if (random.Chance(0.7)) subject.Language = Language(machine.Languages);
        if (random.Chance(0.78)) subject.Country = situation.DeclaredCountry ?? person.Country.Code;
        if (situation.Organisation is { } organisation) subject.Organisation = organisation;
        if (situation.DeclaredUse is { } use) subject.DeclaredUse = use;
        return subject;
    }

    private static Network Network(RandomSource random, Situation situation, long atMs)
    {
        var connection = situation.Connection;
        var machine = situation.Machine;
        var missing = situation.Missing;
        var network = new Network { Ip = connection.Ip };
        if (!random.Chance(0.3)) network.Port = (uint)random.Between(1024, 65535);
        if (!random.Chance(0.14 * missing)) network.Ja4 = machine.Ja4(atMs);
        if (machine.Browser != Browser.App && !random.Chance(0.3 * missing)) network.Ja4H = Ja4h(random, machine, atMs);
        if (!random.Chance(0.12))
        {
            network.Edge = new EdgeIpIntelligence
            {
                Country = connection.Network.Country,
                Asn = connection.Network.Asn,
                AsnOrganisation = connection.Network.Organisation,
            };
            if (!random.Chance(0.14)) network.Edge.NetworkClass = connection.SeenClass;
            if (connection.SeenAnonymiser is { } anonymiser) network.Edge.Anonymiser = anonymiser;
            if (connection.SeenProxyConfidence is { } confidence) network.Edge.ResidentialProxyConfidence = confidence;
        }
        if (random.Chance(0.06)) network.ForwardedFor.Add(connection.Ip);
        return network;
    }

    private static Device Device(RandomSource random, Situation situation, long atMs)
    {
        var machine = situation.Machine;
        var missing = situation.Missing;
        var app = machine.Browser == Browser.App;
        var hand = situation.Hand;
        var device = new Device();
        if (!random.Chance((app ? 0.03 : 0.33) * missing)) device.DeviceId = machine.DeviceId;
        if (!random.Chance(0.1 * missing)) device.Fingerprint = machine.Fingerprint(atMs);
        if (!random.Chance(0.02)) device.UserAgent = machine.UserAgent(atMs);
        if (!random.Chance(0.05 * missing)) device.AcceptLanguage = machine.Languages;
        if (machine.SendsHints && !random.Chance(0.1 * missing)) AddHints(random, device, machine, atMs);
        if (machine.Platform is { } platform) device.Platform = platform;
        if (!random.Chance(0.1 * missing))
        {
            device.ScreenWidth = (uint)machine.Screen.Width;
            device.ScreenHeight = (uint)machine.Screen.Height;
        }
        var zone = situation.Zone ?? machine.Zone;
        if (!random.Chance(0.1 * missing)) device.TimeZone = zone;
        if (!random.Chance(0.12 * missing)) device.UtcOffsetMinutes = Zones.OffsetMinutes(zone, atMs);
        if (!random.Chance(0.12))
        {
            if (app)
            {
                device.Emulator = machine.Emulator;
                device.Rooted = machine.Rooted;
            }
            else
            {
                device.Automation = machine.Automation;
            }
        }
        if (!random.Chance(0.2))
        {
            device.SessionId = random.Hex(24);
            device.SessionAgeSeconds = hand.SessionSeconds;
        }
        if (!random.Chance(0.15 * missing))
        {
            device.FormSeconds = hand.FormSeconds;
            device.Pasted = hand.Pasted;
            if (!random.Chance(0.2)) device.TypingIntervalMs = hand.TypingMs;
        }
        if (!random.Chance(0.2)) device.HoneypotFilled = hand.Honeypot;
        return device;
    }

    private static void AddHints(RandomSource random, Device device, Machine machine, long atMs)
    {
        // Quoted as in the headers.
        device.ClientHints["platform"] = machine.System switch
        {
            MachineSystem.Windows => "\"Windows\"",
            MachineSystem.MacOs => "\"macOS\"",
            MachineSystem.Linux => "\"Linux\"",
            _ => "\"Android\"",
        };
        device.ClientHints["mobile"] = machine.Mobile ? "?1" : "?0";
        // The detailed ones are sent only after the server asked for them.
        if (random.Chance(0.25)) return;
        device.ClientHints["platform-version"] = machine.System == MachineSystem.Android ? $"\"{machine.SystemVersion}.0.0\"" : $"\"{machine.SystemVersion}\"";
        if (machine.Mobile) device.ClientHints["model"] = $"\"{machine.Model}\"";
        device.ClientHints["full-version-list"] = machine.Brands(atMs);
    }

    private static Payment Payment(RandomSource random, Card card, Situation situation)
    {
        var range = card.Range;
        var odds = situation.Checks ?? range.Country switch
        {
            "US" or "CA" => UnitedStates,
            "GB" or "DE" or "FR" or "ES" or "IT" or "NL" or "PL" or "SE" or "CH" or "IN" => Authenticating,
            _ => Elsewhere,
        };
        var payment = new Payment
        {
            InstrumentFingerprint = card.Fingerprint,
            Kind = card.Wallet is null ? PaymentKind.Card : PaymentKind.Wallet,
            Bin = range.Bin,
            LastFour = card.LastFour,
            ExpiryMonth = (uint)card.ExpiryMonth,
            ExpiryYear = (uint)card.ExpiryYear,
            Brand = range.Brand,
            Issuer = range.Issuer,
            IssuerCountry = range.Country,
        };
        if (!random.Chance(0.06)) payment.Funding = range.Funding;
        if (card.Wallet is { } wallet) payment.Wallet = wallet;
        // Processors know about half of the virtual ranges.
        if (range.Virtual ? random.Chance(0.5) : random.Chance(0.4)) payment.Virtual = range.Virtual;
        if (!random.Chance(0.12)) payment.HolderName = card.Holder;
        if (!random.Chance(0.22)) payment.BillingAddress = card.Billing.Clone();
        var roll = random.Unit();
        if (roll < odds.AvsMatch) payment.AvsResult = CheckResult.Match;
        else if (roll < odds.AvsMatch + odds.AvsMismatch) payment.AvsResult = CheckResult.Mismatch;
        else payment.AvsResult = random.Chance(0.12) ? CheckResult.Partial : CheckResult.Unavailable;
        if (card.Wallet is null)
            payment.CvvResult = random.Chance(odds.CvvMatch) ? CheckResult.Match : random.Chance(0.8) ? CheckResult.Unavailable : CheckResult.Mismatch;
        if (random.Chance(odds.Authenticated)) payment.ThreeDSecure = ThreeDSecureResult.Authenticated;
        else if (random.Chance(0.4)) payment.ThreeDSecure = random.Chance(0.3) ? ThreeDSecureResult.Attempted : ThreeDSecureResult.Unavailable;
        var declined = random.Chance(odds.Declined);
        payment.Authorised = !declined;
        if (declined) payment.DeclineCode = random.Pick(DeclineCodes);
        return payment;
    }

    private static string Ja4h(RandomSource random, Machine machine, long atMs)
    {
        var headers = RandomSource.Mix((ulong)machine.Browser * 31 + (ulong)machine.System + 1);
        var language = machine.Languages.AsSpan(0, Math.Min(5, machine.Languages.AsSpan().IndexOfAny(',', ';') is var end and > 0 ? end : machine.Languages.Length));
        Span<char> tag = stackalloc char[4];
        tag.Fill('0');
        var written = 0;
        foreach (var c in language)
            if (c != '-' && written < 4) tag[written++] = char.ToLowerInvariant(c);
        var cookies = random.Chance(0.85);
        var cookieNames = cookies ? RandomSource.Mix(headers + (ulong)random.Below(6)) & 0xFFFFFFFFFFFF : 0;
        var cookieValues = cookies ? random.Next() & 0xFFFFFFFFFFFF : 0;
        var version = machine.Quic ? "30" : "20";
        var count = 12 + (int)(headers % 7);
        headers &= 0xFFFFFFFFFFFF;
        return string.Create(CultureInfo.InvariantCulture, $"po{version}{(cookies ? 'c' : 'n')}r{count}{tag}_{headers:x12}_{cookieNames:x12}_{cookieValues:x12}");
    }

    /// <summary>The first language of an Accept-Language header.</summary>
    private static string Language(string acceptLanguage)
    {
        var end = acceptLanguage.AsSpan().IndexOfAny(',', ';');
        return end < 0 ? acceptLanguage : acceptLanguage[..end];
    }

    private static string Digits(RandomSource random, string provider) => provider switch
    {
        "google" => "1" + PeopleMaker.Digits(random, "####################"),
        "github" => PeopleMaker.Digits(random, "1########"),
        _ => $"{PeopleMaker.Digits(random, "00####")}.{random.Hex(32)}.{PeopleMaker.Digits(random, "####")}",
    };

    /// <summary>Midnight of the day a domain was registered; the oldest are spread over the first years of the web.</summary>
    private static long Registered(long atMs, int ageDays)
    {
        var day = atMs / DayMs - ageDays;
        return (day >= FirstDomainsDay ? day : FirstDomainsDay + ageDays % 1_500) * DayMs;
    }

    /// <summary>Some seconds before the form was sent.</summary>
    private static Timestamp WhileFilling(RandomSource random, long atMs, Situation situation) =>
        Time(atMs - (long)(1000 * random.Between(2.0, Math.Max(4, situation.Hand.FormSeconds))));

    private static Timestamp Time(long ms)
    {
        var seconds = Math.DivRem(ms, 1000, out var rest);
        return new Timestamp { Seconds = seconds, Nanos = (int)rest * 1_000_000 };
    }
}
