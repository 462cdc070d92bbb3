using System.Net;
using System.Net.Sockets;
using MaxMind.Db;
using MaxMind.GeoIP2;

namespace SignupGuard.Service.ReferenceData;

/// <summary>
/// The restored country database: flat records ("country_code") in one file per address family. The family picks the file: a file of the
/// other family would answer all the same, and wrongly.
/// </summary>
public sealed class CountryDatabase(Reader ipv4, Reader ipv6)
{
    /// <summary>When the older of the two files was built.</summary>
    public DateTimeOffset Built { get; } = Earlier(ipv4.Metadata.BuildDate, ipv6.Metadata.BuildDate);

    /// <summary>Opens both files, and looks some addresses up so that a broken one shows now.</summary>
    /// <exception cref="InvalidDatabaseException">A file is no database, is damaged, or is of the wrong family.</exception>
    public static CountryDatabase Open(string ipv4File, string ipv6File)
    {
        var ipv4 = Open(ipv4File, 4, "8.8.8.8");
        var ipv6 = Open(ipv6File, 6, "2001:4860:4860::8888");
        return new CountryDatabase(ipv4, ipv6);
    }

    /// <summary>ISO 3166-1 alpha-2 of an unwrapped address; null when the database does not know.</summary>
    public string? Country(IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetwork ? ipv4 : ipv6).Find<Record>(address)?.CountryCode is { Length: 2 } code ? code : null;

    private static Reader Open(string file, int version, string probe)
    {
        // A copy in memory: the file can be replaced under a running service in whatever way.
        var reader = new Reader(file, FileAccessMode.Memory);
        if (reader.Metadata.IPVersion != version) throw new InvalidDatabaseException($"{Path.GetFileName(file)} holds IPv{reader.Metadata.IPVersion} and not IPv{version}.");
        _ = reader.Find<Record>(IPAddress.Parse(probe));
        return reader;
    }

    private static DateTimeOffset Earlier(DateTime one, DateTime other) => new(DateTime.SpecifyKind(one < other ? one : other, DateTimeKind.Utc));

    /// <summary>One flat record.</summary>
    public sealed record Record
    {
        [Constructor]
        public Record([MapKey("country_code")] string? countryCode = null) => CountryCode = countryCode;

        public string? CountryCode { get; }
    }
}

/// <summary>What an operator's MaxMind database holds.</summary>
public enum GeoDatabaseKind
{
    Country,
    City,
    Enterprise,
    Asn,
    AnonymousIp,
    ConnectionType,
}

/// <summary>One MaxMind database of the operators.</summary>
public sealed record GeoDatabase(GeoDatabaseKind Kind, string Type, DateTimeOffset Built, DatabaseReader Reader)
{
    // Spread over the address space: a file cut off or overwritten in the middle fails on some of them.
    private static readonly IPAddress[] Probes =
        [.. Enumerable.Range(0, 223).Select(i => new IPAddress([(byte)(i + 1), (byte)(i * 37), (byte)(i * 11), 1]))];

    /// <summary>Opens a file and looks addresses up all over it, so that a broken one shows now and not under a request.</summary>
    /// <exception cref="InvalidDatabaseException">No database, a damaged one, or a type not used here.</exception>
    public static GeoDatabase Open(string file)
    {
        var reader = new DatabaseReader(file, FileAccessMode.Memory);
        var type = reader.Metadata.DatabaseType;
        var kind = KindOf(type) ?? throw new InvalidDatabaseException($"{Path.GetFileName(file)} is a '{type}' database, which is not used here.");
        var database = new GeoDatabase(kind, type, new DateTimeOffset(DateTime.SpecifyKind(reader.Metadata.BuildDate, DateTimeKind.Utc)), reader);
        foreach (var probe in Probes) database.Probe(probe);
        return database;
    }

    private static GeoDatabaseKind? KindOf(string type) => type switch
    {
        _ when type.Contains("Enterprise", StringComparison.Ordinal) => GeoDatabaseKind.Enterprise,
        _ when type.Contains("Anonymous", StringComparison.Ordinal) => GeoDatabaseKind.AnonymousIp,
        _ when type.Contains("Connection-Type", StringComparison.Ordinal) => GeoDatabaseKind.ConnectionType,
        _ when type.Contains("City", StringComparison.Ordinal) => GeoDatabaseKind.City,
        _ when type.Contains("Country", StringComparison.Ordinal) => GeoDatabaseKind.Country,
        _ when type.Contains("ASN", StringComparison.Ordinal) => GeoDatabaseKind.Asn,
        _ => null,
    };

    private void Probe(IPAddress address)
    {
        _ = Kind switch
        {
            GeoDatabaseKind.Country => Reader.TryCountry(address, out _),
            GeoDatabaseKind.City => Reader.TryCity(address, out _),
            GeoDatabaseKind.Enterprise => Reader.TryEnterprise(address, out _),
            GeoDatabaseKind.Asn => Reader.TryAsn(address, out _),
            GeoDatabaseKind.AnonymousIp => Reader.TryAnonymousIP(address, out _),
            _ => Reader.TryConnectionType(address, out _),
        };
    }
}

/// <summary>The operators' databases by kind, the newest of each; null where none is supplied.</summary>
public sealed record GeoDatabases
{
    public static readonly GeoDatabases None = new();

    public GeoDatabase? Country { get; init; }

    public GeoDatabase? City { get; init; }

    public GeoDatabase? Enterprise { get; init; }

    public GeoDatabase? Asn { get; init; }

    public GeoDatabase? AnonymousIp { get; init; }

    public GeoDatabase? ConnectionType { get; init; }

    public static GeoDatabases Of(IEnumerable<GeoDatabase> databases)
    {
        var newest = databases.GroupBy(database => database.Kind).ToDictionary(group => group.Key, group => group.MaxBy(database => database.Built));
        return new GeoDatabases
        {
            Country = newest.GetValueOrDefault(GeoDatabaseKind.Country),
            City = newest.GetValueOrDefault(GeoDatabaseKind.City),
            Enterprise = newest.GetValueOrDefault(GeoDatabaseKind.Enterprise),
            Asn = newest.GetValueOrDefault(GeoDatabaseKind.Asn),
            AnonymousIp = newest.GetValueOrDefault(GeoDatabaseKind.AnonymousIp),
            ConnectionType = newest.GetValueOrDefault(GeoDatabaseKind.ConnectionType),
        };
    }
}
