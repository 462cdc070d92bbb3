using System.Collections.Frozen;
using System.Globalization;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation.People;

/// <summary>A range of card numbers: what an issuer's cards have in common.</summary>
internal sealed record CardRange(string Bin, string Brand, string Issuer, string Country, Funding Funding, bool Virtual);

/// <summary>A payment card as the processor reports it. Numbers and issuers are made up.</summary>
internal sealed record Card
{
    public required CardRange Range { get; init; }

    /// <summary>The processor's fingerprint of the number.</summary>
    public required string Fingerprint { get; init; }

    public required string LastFour { get; init; }

    public required int ExpiryMonth { get; init; }

    public required int ExpiryYear { get; init; }

    public required string Holder { get; init; }

    public required Address Billing { get; init; }

    /// <summary>Wallet it sits in; null for a plain card.</summary>
    public string? Wallet { get; init; }
}

/// <summary>Card ranges by country: a few big issuers, a long tail, and fintechs whose virtual cards are quickly had.</summary>
internal static class Cards
{
    /// <summary>Fintech ranges per country, used by honest people too.</summary>
    private const int VirtualRangesPerCountry = 5;

    private static readonly string[] BankNames =
    [
        "Meridian", "Commerce", "Union", "Mercantile", "Harbour", "Provident", "Heritage", "Citizens", "Continental", "Pioneer",
        "Alliance", "Capital", "Crescent", "Federal", "Granite", "Horizon", "Keystone", "Liberty", "Sterling", "Unity",
    ];

    private static readonly string[] FintechNames = ["Plasto", "Swipely", "Tokena", "Minto Pay", "Cardly", "Ovolo", "Paymint", "Zesto"];

    private static readonly FrozenDictionary<string, (CardRange[] Ordinary, CardRange[] Virtual)> ByCountry =
        Countries.All.ToFrozenDictionary(country => country.Code, Make, StringComparer.Ordinal);

    /// <summary>A range as cards of a country's people are spread.</summary>
    public static CardRange Range(RandomSource random, Country country)
    {
        var (ordinary, fintech) = ByCountry[country.Code];
        return random.Chance(0.05) ? fintech[random.Rank(fintech.Length, 1)] : ordinary[random.Rank(ordinary.Length, 4)];
    }

    /// <summary>Ranges of virtual cards that are issued with few checks.</summary>
    public static CardRange VirtualRange(RandomSource random, Country country) => random.Pick(ByCountry[country.Code].Virtual);

    public static Card Card(RandomSource random, CardRange range, string holder, Address billing, int year) => new()
    {
        Range = range,
        Fingerprint = random.Hex(24),
        LastFour = PeopleMaker.Digits(random, "####"),
        ExpiryMonth = random.Between(1, 12),
        ExpiryYear = year + 1 + random.Below(4),
        Holder = holder,
        Billing = billing,
    };

    public static Address Home(RandomSource random, Country country)
    {
        var (city, region, postal) = country.Cities[random.Rank(country.Cities.Length, 2)];
        return new Address
        {
            Line1 = string.Create(CultureInfo.InvariantCulture, $"{random.Between(1, 240)} {random.Pick(country.Streets)}"),
            City = city,
            Region = region,
            PostalCode = PeopleMaker.Digits(random, postal),
            Country = country.Code,
        };
    }

    private static (CardRange[] Ordinary, CardRange[] Virtual) Make(Country country)
    {
        var random = RandomSource.For(0, "cards " + country.Code);
        var ordinary = new CardRange[country.Issuers];
        for (var i = 0; i < ordinary.Length; i++) ordinary[i] = Issue(random, country, i % 3 == 2 ? i - 1 : i, random.Chance(country.Prepaid), false);
        var virtuals = new CardRange[VirtualRangesPerCountry];
        for (var i = 0; i < virtuals.Length; i++) virtuals[i] = Issue(random, country, 1000 + i, random.Chance(0.6), true);
        return (ordinary, virtuals);
    }

    private static CardRange Issue(RandomSource random, Country country, int issuer, bool prepaid, bool isVirtual)
    {
        var (brand, first) = random.Below(100) switch
        {
            < 54 => ("visa", "4#####"),
            < 90 => ("mastercard", $"5{random.Between(1, 5)}####"),
            < 96 when country.Code is "US" or "CA" or "GB" or "AU" or "JP" or "MX" => ("amex", random.Chance(0.5) ? "34####" : "37####"),
            _ => ("mastercard", $"2{random.Between(3, 6)}####"),
        };
        // Processors report six digits, or eight where the issuer has moved on.
        var bin = PeopleMaker.Digits(random, random.Chance(0.4) && brand != "amex" ? first + "##" : first);
        var named = RandomSource.For((ulong)issuer, "issuer " + country.Code);
        var city = named.Pick(country.Cities).City;
        var name = isVirtual
            ? $"{named.Pick(FintechNames)} {country.Code}"
            : named.Below(5) switch
            {
                0 => $"{city} Savings Bank",
                1 => $"First Bank of {city}",
                2 => $"{named.Pick(BankNames)} Bank",
                3 => $"{named.Pick(BankNames)} Credit Union",
                _ => $"Banco {named.Pick(BankNames)}",
            };
        var funding = prepaid ? Funding.Prepaid : random.Chance(country.Code is "US" or "CA" or "JP" or "KR" ? 0.55 : 0.3) ? Funding.Credit : Funding.Debit;
        return new CardRange(bin, brand, name, country.Code, funding, isVirtual);
    }
}
