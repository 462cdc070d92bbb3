using System.Net;
using MaxMind.GeoIP2.Responses;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;

namespace SignupGuard.Service.Screening.Collectors;

/// <summary>What the reference data knows of an address, before anything a caller says. Null is not known.</summary>
public readonly record struct IpFacts
{
    /// <summary>ISO 3166-1 alpha-2.</summary>
    public string? Country { get; init; }

    public string? Region { get; init; }

    public string? City { get; init; }

    public string? TimeZone { get; init; }

    public long? Asn { get; init; }

    public string? Organisation { get; init; }

    /// <summary>residential, carrier, business, education, hosting, vpn, proxy, tor, relay.</summary>
    public string? NetworkClass { get; init; }

    /// <summary>The class is this address's own (a list or a database says so) and not just its autonomous system's.</summary>
    public bool ClassOfAddress { get; init; }

    public bool? Vpn { get; init; }

    public bool? Tor { get; init; }

    public bool? Proxy { get; init; }
}

/// <summary>What the client's address tells: from the operators' databases, else the restored ones, else what the caller's edge says.</summary>
internal static class IpCollector
{
    public const string NotGiven = "NOT_GIVEN";

    /// <summary>Present, from a database past its age limit.</summary>
    public const string OldDatabase = "OLD_DATABASE";

    public static Signal<IpSignals> Collect(Signup signup, ReferenceSnapshot data, DateTimeOffset now)
    {
        if (signup.Network is not { Ip: { } sent } network) return Signal<IpSignals>.Missing(NotGiven);
        var address = AddressSpace.Unwrap(sent);
        if (AddressSpace.SpecialPurpose(address) is { } special) return Signal<IpSignals>.Missing(special);

        var facts = Lookup(address, data);
        var edge = network.Edge;
        var country = facts.Country ?? edge?.Country;
        // Who announces the address is known together or not at all: a number of one source with a name of the other would lie.
        var (asn, organisation) = facts.Asn is not null ? (facts.Asn, facts.Organisation) : (edge?.Asn, edge?.AsnOrganisation);
        var kind = Class(facts, edge, asn, organisation, data.Classes);
        var vpn = facts.Vpn ?? Is(kind, NetworkClasses.Vpn);
        var tor = facts.Tor ?? Is(kind, NetworkClasses.Tor);
        var proxy = facts.Proxy ?? Is(kind, NetworkClasses.Proxy);
        var signals = new IpSignals
        {
            Address = address.ToString(),
            Net = AddressSpace.Net(address),
            Line = AddressSpace.Line(address),
            Version = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 4 : 6,
            Country = country,
            Region = facts.Region,
            City = facts.City,
            TimeZone = facts.TimeZone,
            Asn = asn,
            AsnOrganisation = organisation,
            NetworkClass = kind,
            Hosting = kind is null ? null : kind == NetworkClasses.Hosting,
            Vpn = vpn,
            Tor = tor,
            Proxy = proxy,
            Anonymiser = vpn == true || tor == true || proxy == true || edge?.Anonymiser == true
                ? true
                : vpn is not null && tor is not null && proxy is not null ? false : edge?.Anonymiser,
            ResidentialProxyConfidence = edge?.ResidentialProxyConfidence,
            TimeZoneMatches = data.Geography.ZoneInCountry(signup.Device?.TimeZone, country),
            DeclaredCountryMatches = Country.Same(signup.Subject.Country, country),
            ForwardedHops = network.ForwardedFor.Count,
        };
        return data.GeoStaleFrom is { } limit && now >= limit ? Signal<IpSignals>.Stale(signals, OldDatabase) : Signal<IpSignals>.Present(signals);
    }

    /// <summary>What the data of a snapshot knows of an unwrapped, public address.</summary>
    public static IpFacts Lookup(IPAddress address, ReferenceSnapshot data)
    {
        var operators = data.Operators;
        string? country = null, region = null, city = null, zone = null, userType = null, connection = null, organisation = null;
        long? asn = null;
        if (operators.Enterprise is { } enterprise && enterprise.Reader.TryEnterprise(address, out var whole) && whole is not null)
        {
            (country, region, city, zone) = Place(whole);
            (asn, organisation) = (whole.Traits.AutonomousSystemNumber, whole.Traits.AutonomousSystemOrganization);
            (userType, connection) = (whole.Traits.UserType, whole.Traits.ConnectionType);
        }
        if (country is null && operators.City is { } cities && cities.Reader.TryCity(address, out var place) && place is not null) (country, region, city, zone) = Place(place);
        if (country is null && operators.Country is { } countries && countries.Reader.TryCountry(address, out var land) && land is not null) country = land.Country.IsoCode;
        country ??= data.Countries?.Country(address);

        if (asn is null && operators.Asn is { } systems && systems.Reader.TryAsn(address, out var system) && system is not null)
            (asn, organisation) = (system.AutonomousSystemNumber, system.AutonomousSystemOrganization);
        if (asn is null && data.Asns is { } table && table.TryFind(address, out var number, out var name)) (asn, organisation) = (number, name);

        if (connection is null && operators.ConnectionType is { } connections && connections.Reader.TryConnectionType(address, out var type)) connection = type?.ConnectionType;
        var anonymous = operators.AnonymousIp is { } database ? Anonymous(database, address) : null;

        bool? tor = Or(data.Tor?.Contains(address), anonymous?.IsTorExitNode);
        bool? vpn = Or(data.Vpn?.Contains(address), anonymous?.IsAnonymousVpn);
        bool? proxy = Or(data.Proxy?.Contains(address), anonymous is null ? null : anonymous.IsPublicProxy || anonymous.IsResidentialProxy);
        var own = tor == true ? NetworkClasses.Tor
            : vpn == true ? NetworkClasses.Vpn
            : proxy == true ? NetworkClasses.Proxy
            : data.Hosting?.Contains(address) == true || anonymous?.IsHostingProvider == true ? NetworkClasses.Hosting
            : OfUserType(userType) ?? OfConnection(connection);
        return new IpFacts
        {
            Country = country,
            Region = region,
            City = city,
            TimeZone = zone,
            Asn = asn,
            Organisation = organisation,
            NetworkClass = own ?? data.Classes.Of(asn, organisation),
            ClassOfAddress = own is not null,
            Tor = tor,
            Vpn = vpn,
            Proxy = proxy,
        };
    }

    /// <summary>
    /// The edge saw the address itself, so it outranks what is known of the whole autonomous system, but can't make a hosting network
    /// somebody's home.
    /// </summary>
    private static string? Class(IpFacts facts, EdgeIpIntelligence? edge, long? asn, string? organisation, NetworkClasses classes)
    {
        var known = facts.NetworkClass ?? (facts.Asn is null ? classes.Of(asn, organisation) : null);
        if (facts.ClassOfAddress || edge?.NetworkClass is not { } said) return known;
        var rented = known is NetworkClasses.Hosting or NetworkClasses.Vpn or NetworkClasses.Tor or NetworkClasses.Relay;
        var lived = said is NetworkClasses.Residential or NetworkClasses.Carrier or NetworkClasses.Business or NetworkClasses.Education;
        return rented && lived ? known : said;
    }

    private static (string? Country, string? Region, string? City, string? Zone) Place(AbstractCityResponse place) =>
        (place.Country.IsoCode, place.MostSpecificSubdivision.IsoCode, place.City.Name, place.Location.TimeZone);

    private static AnonymousIPResponse? Anonymous(GeoDatabase database, IPAddress address) =>
        // Not in the database is an answer there: it lists only anonymisers.
        database.Reader.TryAnonymousIP(address, out var found) && found is not null ? found : new AnonymousIPResponse();

    private static bool? Or(bool? one, bool? other) => one == true || other == true ? true : one ?? other;

    private static bool? Is(string? kind, string wanted) => kind == wanted ? true : null;

    private static string? OfUserType(string? type) => type switch
    {
        "cellular" => NetworkClasses.Carrier,
        "college" or "school" => NetworkClasses.Education,
        "hosting" or "content_delivery_network" or "search_engine_spider" => NetworkClasses.Hosting,
        "consumer_privacy_network" => NetworkClasses.Relay,
        "business" or "government" or "military" or "library" or "cafe" or "traveler" => NetworkClasses.Business,
        "residential" or "dialup" => NetworkClasses.Residential,
        _ => null,
    };

    private static string? OfConnection(string? connection) => connection switch
    {
        "Cellular" => NetworkClasses.Carrier,
        "Corporate" => NetworkClasses.Business,
        // Cable/DSL and the rest say how, not who: a server can hang on either.
        _ => null,
    };
}
