using System.Globalization;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation.People;

/// <summary>How the local part of an address is formed.</summary>
internal enum MailStyle : byte
{
    /// <summary>As people do: names, initials, birth years, numbers.</summary>
    Personal,

    /// <summary>given.family, given, g.family: a company's rule.</summary>
    Corporate,

    /// <summary>Letters and digits without meaning.</summary>
    Random,
}

/// <summary>Makes people, organisations, mailboxes and numbers, each taken once in a run.</summary>
internal sealed class PeopleMaker(int year)
{
    private readonly TakenNames _taken = new();

    private static readonly string[] Words =
    [
        "sky", "blue", "star", "moon", "sun", "cat", "fox", "wolf", "red", "king", "queen", "music", "art", "dev", "code", "pixel", "gamer", "lucky", "happy", "magic",
        "shadow", "dragon", "tiger", "rose", "ocean", "river", "storm", "fire", "ice", "snow", "photo", "travel", "design", "studio", "craft", "coffee",
        "panda", "eagle", "hawk", "bear",
        "neo", "alpha", "mega", "super", "crazy", "sweet", "little", "big", "real", "true", "mr", "miss", "dr", "the", "just", "only", "its", "hey", "go", "run",
    ];

    private static readonly string[] FirstWords =
    [
        "North", "Blue", "Bright", "Silver", "Green", "Clear", "Open", "Prime", "Smart", "Swift", "Solid", "True", "Vital", "Urban", "Summit", "Harbor",
        "River", "Stone", "Iron", "Cedar",
        "Maple", "Falcon", "Orbit", "Pixel", "Quantum", "Nova", "Lumin", "Aero", "Terra", "Hydro", "Verde", "Alta", "Luna", "Sol", "Vertex", "Delta", "Kappa",
        "Sigma", "Omni", "Poly",
        "Data", "Cloud", "Logic", "Code", "Byte", "Signal", "Atlas", "Beacon", "Anchor", "Bridge", "Crown", "Ember", "Frost", "Garnet", "Helio", "Indigo",
        "Juniper", "Kite", "Lotus", "Mosaic",
    ];

    private static readonly string[] SecondWords =
    [
        "Systems", "Analytics", "Labs", "Partners", "Consulting", "Logistics", "Foods", "Media", "Design", "Energy", "Robotics", "Health", "Medical",
        "Finance", "Capital", "Legal", "Studios", "Software", "Solutions", "Networks",
        "Engineering", "Works", "Trading", "Textiles", "Marine", "Aviation", "Travel", "Learning", "Research", "Dynamics", "Motors", "Materials", "Pharma",
        "Optics", "Security", "Insurance", "Retail", "Services", "Ventures", "Group",
    ];

    public Person Person(RandomSource random, Country country, Name? family = null, double phoneChance = 0.45)
    {
        var culture = random.Chance(0.9) ? country.Culture : random.Pick(country.OtherCultures);
        var given = Names.Given(random, culture);
        family ??= Names.Family(random, culture);
        var birthYear = year - (int)Math.Clamp(18 + random.LogNormal(14, 0.6), 14, 84);
        return new Person
        {
            Country = country,
            Given = given,
            Family = family,
            BirthYear = birthYear,
            Email = FreeMail(random, country, given, family, birthYear),
            Phone = random.Chance(phoneChance) ? Mobile(random, country) : null,
        };
    }

    /// <summary>An address at a mail provider of the country.</summary>
    public string FreeMail(RandomSource random, Country country, Name given, Name family, int birthYear) =>
        Mailbox(random, country.MailProviders.Pick(random), given, family, birthYear, MailStyle.Personal);

    /// <summary>The person with a mailbox at another domain.</summary>
    public Person At(RandomSource random, Person person, string domain, MailStyle style) =>
        person with { Email = Mailbox(random, domain, person.Given, person.Family, person.BirthYear, style) };

    /// <summary>An address at a domain, not taken before.</summary>
    public string Mailbox(RandomSource random, string domain, Name given, Name family, int birthYear, MailStyle style)
    {
        for (var attempt = 0; ; attempt++)
        {
            var local = style switch
            {
                MailStyle.Corporate => Corporate(random, given.Plain, family.Plain, attempt),
                MailStyle.Random => RandomLocal(random),
                _ => Personal(random, given.Plain, family.Plain, birthYear, attempt),
            };
            var address = $"{local}@{domain}";
            // Where dots don't count, an address is taken with and without them.
            var mailbox = domain == "gmail.com" ? $"{local.Replace(".", "", StringComparison.Ordinal)}@{domain}" : address;
            if (_taken.Take(mailbox) || attempt >= 8) return address;
        }
    }

    /// <summary>Marks an address as taken, for those who choose by a rule of their own.</summary>
    public bool Take(string text) => _taken.Take(text);

    public string Mobile(RandomSource random, Country country)
    {
        for (var attempt = 0; ; attempt++)
        {
            var number = Digits(random, random.Pick(country.Mobiles));
            if (_taken.Take(number) || attempt >= 4) return number;
        }
    }

    /// <summary>A company with a domain of its own; four in five domains are older than a year.</summary>
    public Organisation Company(RandomSource random, Country country, int? domainAgeDays = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var family = Names.Family(random, country.Culture);
            var (name, stem) = random.Below(5) switch
            {
                0 => Join(family.Written, random.Pick(SecondWords), family.Plain),
                1 => Join(random.Pick(FirstWords) + random.Pick(FirstWords).ToLowerInvariant(), random.Pick(SecondWords)),
                2 => Join(family.Written, "& " + Names.Family(random, country.Culture).Written, family.Plain),
                _ => Join(random.Pick(FirstWords), random.Pick(SecondWords)),
            };
            if (attempt > 2) stem += random.Between(2, 99).ToString(CultureInfo.InvariantCulture);
            var domain = $"{stem}.{country.CompanyDomains[random.Rank(country.CompanyDomains.Length, 1)]}";
            if (_taken.Take(domain) || attempt >= 8)
            {
                // Nobody's domain is older than domains are.
                var age = random.Chance(0.08) ? random.Between(5.0, 200) : Math.Min(13_000, random.LogNormal(2_000, 0.8));
                return new Organisation(name, domain, domainAgeDays ?? (int)age, country);
            }
        }
    }

    /// <summary>A domain nobody knows, as bought by the dozen.</summary>
    public string CheapDomain(RandomSource random)
    {
        string[] endings = ["top", "xyz", "site", "online", "shop", "store", "click", "com", "net", "info", "live", "space", "pro", "fun"];
        for (var attempt = 0; ; attempt++)
        {
            var stem = random.Below(3) switch
            {
                0 => random.Pick(Words) + random.Pick(SecondWords).ToLowerInvariant(),
                1 => random.Pick(FirstWords).ToLowerInvariant() + random.Pick(Words) + random.Between(1, 99).ToString(CultureInfo.InvariantCulture),
                _ => Pronounceable(random, random.Between(3, 5)),
            };
            var domain = $"{stem}.{random.Pick(endings)}";
            if (_taken.Take(domain) || attempt >= 8) return domain;
        }
    }

    public static string Digits(RandomSource random, string pattern) => string.Create(pattern.Length, (random, pattern), static (span, state) =>
    {
        for (var i = 0; i < span.Length; i++) span[i] = state.pattern[i] == '#' ? (char)('0' + state.random.Below(10)) : state.pattern[i];
    });

    public static string RandomLocal(RandomSource random)
    {
        var length = random.Between(8, 14);
        return string.Create(length, random, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[i == 0 ? source.Below(26) : source.Below(36)];
        });
    }

    private static (string Name, string Stem) Join(string first, string second, string? plain = null)
    {
        var tail = Names.Plain(second);
        return ($"{first} {second}", (plain ?? Names.Plain(first)) + tail);
    }

    private static string Pronounceable(RandomSource random, int syllables) => string.Create(syllables * 2, random, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++) span[i] = i % 2 == 0 ? "bcdfghklmnprstvz"[source.Below(16)] : "aeiou"[source.Below(5)];
    });

    private static string Corporate(RandomSource random, string given, string family, int attempt)
    {
        var local = attempt == 0 ? $"{given}.{family}" : $"{given}.{family}{random.Between(2, 9)}";
        return Bounded(local);
    }

    private static string Personal(RandomSource random, string given, string family, int birthYear, int attempt)
    {
        var stem = random.Below(100) switch
        {
            < 24 => $"{given}.{family}",
            < 46 => given + family,
            < 54 => given[..1] + family,
            < 60 => $"{family}.{given}",
            < 64 => $"{given}_{family}",
            < 70 => given,
            < 75 => given + family[..1],
            < 80 => family + given[..1],
            < 86 => $"{given}.{family[..1]}",
            < 93 => given + random.Pick(Words),
            _ => random.Pick(Words) + random.Pick(Words),
        };
        // Short and plain names are long gone at the big providers.
        var needsDigits = attempt > 0 || stem.Length < 9 || random.Chance(0.45);
        if (!needsDigits) return Bounded(stem);
        var digits = random.Below(10) switch
        {
            < 2 => (birthYear % 100).ToString("00", CultureInfo.InvariantCulture),
            < 4 => birthYear.ToString(CultureInfo.InvariantCulture),
            < 6 when attempt < 2 => random.Between(1, 99).ToString(CultureInfo.InvariantCulture),
            < 9 => random.Between(100, 999).ToString(CultureInfo.InvariantCulture),
            _ => random.Between(1000, 99999).ToString(CultureInfo.InvariantCulture),
        };
        return Bounded(stem + (random.Chance(0.08) ? "." : "") + digits);
    }

    /// <summary>Local parts have at most 64 characters, and end in a letter or digit.</summary>
    private static string Bounded(string local) => local.Length <= 60 ? local : local[..60].TrimEnd('.', '_');
}
