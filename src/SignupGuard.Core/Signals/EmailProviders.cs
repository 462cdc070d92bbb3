using System.Collections.Frozen;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace SignupGuard.Core.Signals;

/// <summary>How one mail provider reads the local part of its addresses.</summary>
/// <param name="Fold">The domain that all of the provider's domains mean for one mailbox; null where each has its own mailboxes.</param>
/// <param name="Ignore">Characters that do not count.</param>
/// <param name="Same">Pairs: the first character is read as the second.</param>
/// <param name="Tags">Characters that start a tag.</param>
/// <param name="Subdomain">anything@user.domain reaches user@domain.</param>
/// <param name="Free">Anybody can open a mailbox.</param>
public sealed record EmailProvider(string? Fold, string Ignore, IReadOnlyList<(char From, char To)> Same, string Tags, bool Subdomain, bool Free)
{
    /// <summary>Any other provider: a plus starts a tag, every character counts.</summary>
    public static readonly EmailProvider General = new(null, "", [], "+", false, false);
}

/// <summary>What is known of mail providers by heart: their rules, the privacy relays and the role accounts of <c>email-providers.yaml</c>.</summary>
public sealed class EmailProviders
{
    private EmailProviders(FrozenDictionary<string, EmailProvider> byDomain, FrozenSet<string> relays, FrozenSet<string> roles) =>
        (ByDomain, Relays, Roles) = (byDomain, relays, roles);

    /// <summary>The list that ships with this assembly.</summary>
    public static EmailProviders Default { get; } = ReadDefault();

    public FrozenDictionary<string, EmailProvider> ByDomain { get; }

    /// <summary>Domains whose addresses (and those of their subdomains) forward to a hidden mailbox.</summary>
    public FrozenSet<string> Relays { get; }

    public FrozenSet<string> Roles { get; }

    /// <summary>Reads the YAML described at the head of <c>email-providers.yaml</c>.</summary>
    /// <exception cref="FormatException">A domain twice, or a pair that is not two characters.</exception>
    public static EmailProviders Read(string yaml)
    {
        var document = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).Build().Deserialize<Document>(yaml);
        var byDomain = new Dictionary<string, EmailProvider>(StringComparer.Ordinal);
        foreach (var entry in document.Providers)
        {
            var same = entry.Same.ConvertAll(pair => pair.Length == 2 ? (pair[0], pair[1]) : throw new FormatException($"'{pair}' is not a pair of characters."));
            var provider = new EmailProvider(entry.Fold, entry.Ignore, same, entry.Tags, entry.Subdomain, entry.Free);
            foreach (var domain in entry.Domains)
            {
                if (!byDomain.TryAdd(domain, provider)) throw new FormatException($"The provider '{domain}' is listed twice.");
            }
        }
        return new EmailProviders(
            byDomain.ToFrozenDictionary(StringComparer.Ordinal),
            document.Relays.ToFrozenSet(StringComparer.Ordinal),
            document.Roles.ToFrozenSet(StringComparer.Ordinal));
    }

    private static EmailProviders ReadDefault()
    {
        using var stream = typeof(EmailProviders).Assembly.GetManifestResourceStream("email-providers.yaml")
            ?? throw new InvalidOperationException("email-providers.yaml is not in the assembly.");
        using var reader = new StreamReader(stream);
        return Read(reader.ReadToEnd());
    }

    private sealed class Document
    {
        public List<Entry> Providers { get; set; } = [];

        public List<string> Relays { get; set; } = [];

        public List<string> Roles { get; set; } = [];
    }

    private sealed class Entry
    {
        public List<string> Domains { get; set; } = [];

        public string? Fold { get; set; }

        public string Ignore { get; set; } = "";

        public List<string> Same { get; set; } = [];

        public string Tags { get; set; } = "+";

        public bool Subdomain { get; set; }

        public bool Free { get; set; }
    }
}
