using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Signals;

/// <summary>The lists that an address is held against. A list that is not at hand is null: what it would tell is missing, not false.</summary>
public sealed record EmailReference
{
    public EmailProviders Providers { get; init; } = EmailProviders.Default;

    /// <summary>Domains where anybody can open a mailbox.</summary>
    public FrozenSet<string>? Free { get; init; }

    /// <summary>Disposable-address domains; each stands for its subdomains.</summary>
    public FrozenSet<string>? Disposable { get; init; }

    /// <summary>More privacy relays than <see cref="EmailProviders.Relays"/>, from operators.</summary>
    public FrozenSet<string> Relays { get; init; } = FrozenSet<string>.Empty;

    public PublicSuffixes? Suffixes { get; init; }
}

/// <summary>Derives what an e-mail address tells. Pure; the canonical form is idempotent.</summary>
public static class EmailDerivation
{
    public const string NotGiven = "NOT_GIVEN";

    /// <summary>No local part, or one over 64 characters.</summary>
    public const string InvalidAddress = "INVALID_ADDRESS";

    /// <summary>What follows the @ is no domain name.</summary>
    public const string InvalidDomain = "INVALID_DOMAIN";

    /// <summary>Characters of a local part (RFC 5321).</summary>
    public const int LocalMax = 64;

    public static Signal<EmailSignals> Derive(EmailInput? email, Subject subject, EmailReference reference)
    {
        if (email is null || string.IsNullOrWhiteSpace(email.Address)) return Signal<EmailSignals>.Missing(NotGiven);
        if (!TryCanonicalise(email.Address, reference.Providers, out var address, out var problem)) return Signal<EmailSignals>.Missing(problem);

        var (domain, local, shape) = (address.Domain, address.Local, address.Untagged);
        var registrable = Registrable(domain, reference.Suffixes);
        var dot = domain.LastIndexOf('.');
        var digits = Digits(local);
        var relay = On(domain, registrable, reference.Providers.Relays) || On(domain, registrable, reference.Relays);
        var free = !relay && ((reference.Providers.ByDomain.GetValueOrDefault(address.MailboxDomain)?.Free ?? false) || (reference.Free?.Contains(domain) ?? false));
        var internationalised = DomainName.IsInternationalised(domain);
        return Signal<EmailSignals>.Present(new EmailSignals
        {
            Canonical = address.Canonical,
            Local = local,
            Domain = domain,
            RegistrableDomain = registrable,
            TopLevelDomain = domain[(dot + 1)..],
            // A provider known by heart is known to be free without the list; "not free" needs the list.
            Free = free ? true : reference.Free is null ? null : false,
            Disposable = relay ? false : reference.Disposable is { } disposable ? On(domain, registrable, disposable) : null,
            Relay = relay,
            Tagged = address.Tagged,
            Skeleton = Skeleton(shape),
            Length = local.Length,
            Digits = digits,
            DigitRatio = (double)digits / local.Length,
            Entropy = Entropy(local),
            Role = reference.Providers.Roles.Contains(local) || reference.Providers.Roles.Contains(shape),
            Internationalised = internationalised,
            MixedScript = internationalised && MixesScripts(domain),
            Verified = email.VerifiedAt is not null,
            MatchesName = PersonName.InLocalPart(subject, shape),
        });
    }

    /// <summary>The canonical form of an address ("An.Na+x@googlemail.com" is "anna@gmail.com"), or null when it is no address.</summary>
    public static string? Canonicalise(string address, EmailProviders providers) =>
        TryCanonicalise(address, providers, out var canonical, out _) ? canonical.Canonical : null;

    /// <summary>Runs of letters folded to 'a', runs of digits to '9', other characters kept.</summary>
    public static string Skeleton(ReadOnlySpan<char> text)
    {
        Span<char> shape = text.Length <= LocalMax ? stackalloc char[LocalMax] : new char[text.Length];
        var length = 0;
        foreach (var character in text)
        {
            var kind = char.IsLetter(character) || char.IsSurrogate(character) ? 'a' : char.IsDigit(character) ? '9' : character;
            if (kind is 'a' or '9' && length > 0 && shape[length - 1] == kind) continue;
            shape[length++] = kind;
        }
        return shape[..length].ToString();
    }

    /// <summary>Shannon entropy of the characters, in bits per character; 0 for none.</summary>
    public static double Entropy(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return 0;
        Span<char> sorted = text.Length <= LocalMax ? stackalloc char[LocalMax] : new char[text.Length];
        sorted = sorted[..text.Length];
        text.CopyTo(sorted);
        sorted.Sort();
        var bits = 0.0;
        for (var i = 0; i < sorted.Length;)
        {
            var next = i + 1;
            while (next < sorted.Length && sorted[next] == sorted[i]) next++;
            var share = (double)(next - i) / sorted.Length;
            bits -= share * Math.Log2(share);
            i = next;
        }
        return bits;
    }

    /// <summary>The registrable part of a domain; null when it has none or there is no list.</summary>
    public static string? Registrable(string domain, PublicSuffixes? suffixes) =>
        suffixes?.RegistrableStart(domain) switch
        {
            null or < 0 => null,
            0 => domain,
            { } start => domain[start..],
        };

    private static bool TryCanonicalise(string address, EmailProviders providers, out CanonicalAddress canonical, out string problem)
    {
        canonical = default;
        var text = address.AsSpan().Trim();
        var at = text.LastIndexOf('@');
        problem = InvalidAddress;
        if (at < 1 || at > LocalMax) return false;
        var local = Readable(Unquoted(text[..at]));
        if (local.Length is 0 or > LocalMax) return false;
        problem = InvalidDomain;
        if (DomainName.ToAscii(text[(at + 1)..]) is not { } domain) return false;

        var mailboxDomain = domain;
        var tagged = false;
        if (!providers.ByDomain.TryGetValue(domain, out var provider))
        {
            provider = EmailProvider.General;
            var dot = domain.IndexOf('.', StringComparison.Ordinal);
            if (providers.ByDomain.TryGetValue(domain[(dot + 1)..], out var parent) && parent.Subdomain)
            {
                (provider, tagged) = (parent, true);
                local = domain[..dot];
                mailboxDomain = domain[(dot + 1)..];
            }
        }
        var tag = provider.Tags.Length == 0 ? -1 : local.AsSpan().IndexOfAny(provider.Tags);
        var untagged = tag > 0 ? local[..tag] : local;
        var mailbox = Folded(untagged, provider);
        canonical = new CanonicalAddress(domain, mailboxDomain, mailbox, untagged, $"{mailbox}@{provider.Fold ?? mailboxDomain}", tagged || tag > 0);
        return true;
    }

    private static ReadOnlySpan<char> Unquoted(ReadOnlySpan<char> local) =>
        local.Length > 2 && local[0] == '"' && local[^1] == '"' ? local[1..^1].ToString().Replace("\\", "", StringComparison.Ordinal) : local;

    /// <summary>Lower case and compatibility-normalised, without the characters that one can't see.</summary>
    private static string Readable(ReadOnlySpan<char> local)
    {
        Span<char> lower = stackalloc char[LocalMax];
        if (local.Length > LocalMax) return "";
        if (Ascii.IsValid(local) && local.IndexOfAnyInRange('\0', ' ') < 0 && !local.Contains('\u007f'))
        {
            local.ToLowerInvariant(lower);
            return lower[..local.Length].ToString();
        }
        var text = local.ToString();
        // Lower case can undo a normal form and the other way round; both settle within a few rounds.
        for (var round = 0; round < 4; round++)
        {
            var next = Visible(Normalised(text).ToLowerInvariant());
            if (string.Equals(next, text, StringComparison.Ordinal)) break;
            text = next;
        }
        return text;
    }

    private static string Normalised(string text)
    {
        try
        {
            return text.Normalize(NormalizationForm.FormKC);
        }
        catch (ArgumentException)
        {
            // Unpaired surrogates have no normal form; they stay as they are.
            return text;
        }
    }

    private static string Visible(string text)
    {
        var visible = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (char.IsControl(character) || char.IsWhiteSpace(character) || char.GetUnicodeCategory(character) == UnicodeCategory.Format) continue;
            visible.Append(character);
        }
        return visible.ToString();
    }

    private static string Folded(string local, EmailProvider provider)
    {
        if (provider.Ignore.Length == 0 && provider.Same.Count == 0) return local;
        Span<char> kept = stackalloc char[LocalMax];
        var length = 0;
        foreach (var character in local)
        {
            if (provider.Ignore.Contains(character, StringComparison.Ordinal)) continue;
            var read = character;
            foreach (var (from, to) in provider.Same)
            {
                if (character == from) read = to;
            }
            kept[length++] = read;
        }
        // Nothing but ignored characters is no mailbox; kept as it is, so that it stays distinct.
        return length == 0 || kept[..length].SequenceEqual(local) ? local : kept[..length].ToString();
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        var digits = 0;
        foreach (var character in text)
        {
            if (char.IsDigit(character)) digits++;
        }
        return digits;
    }

    /// <summary>Whether a domain or a parent of it, down to the registrable one, is on a list.</summary>
    private static bool On(string domain, string? registrable, FrozenSet<string> list)
    {
        if (list.Contains(domain)) return true;
        var lookup = list.GetAlternateLookup<ReadOnlySpan<char>>();
        // Without the suffix list a parent of two labels is as far as one can go ("co.uk" is on no list).
        var shortest = registrable?.Length ?? 0;
        for (var rest = domain.AsSpan(); ;)
        {
            var dot = rest.IndexOf('.');
            if (dot < 0) return false;
            rest = rest[(dot + 1)..];
            if (rest.Length < shortest || !rest.Contains('.')) return false;
            if (lookup.Contains(rest)) return true;
        }
    }

    private static bool MixesScripts(string domain)
    {
        if (DomainName.ToUnicode(domain) is not { } unicode) return false;
        foreach (var range in unicode.AsSpan().Split('.'))
        {
            if (Scripts.Mixed(unicode.AsSpan(range))) return true;
        }
        return false;
    }

    private readonly record struct CanonicalAddress(string Domain, string MailboxDomain, string Local, string Untagged, string Canonical, bool Tagged);
}
