using System.Collections.Frozen;
using CsCheck;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Signals;

public sealed class EmailDerivationTests
{
    private static readonly EmailReference Reference = new()
    {
        Free = Set("freebie.example"),
        Disposable = Set("mailinator.com", "trash.example.co.uk"),
        Suffixes = PublicSuffixes.Read(["com", "org", "example", "co.uk", "uk", "*.ck", "!www.ck", "рф", "dynhost.example"]),
    };

    private static readonly Gen<string> Local = Gen.String[Gen.Char["abcdefghijklmnopqrstuvwxyz0123456789._-+"], 1, 24].Where(text => text[0] is >= 'a' and <= 'z');

    private static readonly Gen<string> Domain = Among(["gmail.com", "googlemail.com", "outlook.com", "yahoo.com", "proton.me", "protonmail.com", "yandex.ru", "ya.ru", "fastmail.com", "anna.fastmail.com", "icloud.com", "me.com", "rambler.ru", "example.org", "bücher.example"]);

    [TestCase("An.Na+x@googlemail.com", "anna@gmail.com")]
    [TestCase("a.n.n.a@GMAIL.com", "anna@gmail.com")]
    [TestCase("anna+a+b@example.org", "anna@example.org")]
    [TestCase("an.na@example.org", "an.na@example.org")]
    [TestCase("anna-shop@yahoo.com", "anna@yahoo.com")]
    [TestCase("an_na@proton.me", "anna@proton.me")]
    [TestCase("anna@pm.me", "anna@proton.me")]
    [TestCase("an-na@ya.ru", "an.na@yandex.ru")]
    [TestCase("anything@anna.fastmail.com", "anna@fastmail.com")]
    [TestCase("anna+x@rambler.ru", "anna+x@rambler.ru")]
    [TestCase("+anna@example.org", "+anna@example.org")]
    [TestCase("\"an na\"@example.org", "anna@example.org")]
    [TestCase("ａｎｎａ@example.org", "anna@example.org")]
    [TestCase("an\u200bna@example.org", "anna@example.org")]
    [TestCase("anna@BÜCHER.example", "anna@xn--bcher-kva.example")]
    [TestCase("anna@example.org.", "anna@example.org")]
    [TestCase("  anna@example.org ", "anna@example.org")]
    [TestCase("...@gmail.com", "...@gmail.com")]
    public void Addresses_of_one_mailbox_have_one_canonical_form(string address, string canonical) =>
        Assert.That(EmailDerivation.Canonicalise(address, EmailProviders.Default), Is.EqualTo(canonical));

    [TestCase("anna", "INVALID_ADDRESS")]
    [TestCase("@example.org", "INVALID_ADDRESS")]
    [TestCase("anna@", "INVALID_DOMAIN")]
    [TestCase("anna@localhost", "INVALID_DOMAIN")]
    [TestCase("anna@[192.0.2.1]", "INVALID_DOMAIN")]
    [TestCase("anna@exa mple.org", "INVALID_DOMAIN")]
    [TestCase("anna@-example.org", "INVALID_DOMAIN")]
    [TestCase("anna@example..org", "INVALID_DOMAIN")]
    [TestCase("anna@xn--\u00e4.org", "INVALID_DOMAIN")]
    [TestCase("   ", "NOT_GIVEN")]
    public void What_is_no_address_is_missing_and_says_why(string address, string code)
    {
        var signal = Derive(address);
        Assert.That((signal.State, signal.Detail), Is.EqualTo((SignalState.Missing, code)));
    }

    [Test]
    public void An_address_that_was_not_given_is_missing() =>
        Assert.That(EmailDerivation.Derive(null, Subject.None, Reference).Detail, Is.EqualTo("NOT_GIVEN"));

    [Test]
    public void The_canonical_form_is_its_own_canonical_form() =>
        Gen.Select(Local, Domain).Sample((local, domain) =>
        {
            var once = EmailDerivation.Canonicalise($"{local}@{domain}", EmailProviders.Default)!;
            return EmailDerivation.Canonicalise(once, EmailProviders.Default) == once;
        });

    [Test]
    public void Any_text_is_an_address_in_canonical_form_or_none_and_never_a_fault() =>
        Gen.Select(Gen.String[0, 80], Among(["", "@", "@gmail.com", "@example.org", "@пример.рф"]), Gen.String[0, 20]).Sample((start, middle, end) =>
        {
            var canonical = EmailDerivation.Canonicalise(start + middle + end, EmailProviders.Default);
            return canonical is null || EmailDerivation.Canonicalise(canonical, EmailProviders.Default) == canonical;
        }, iter: 3_000);

    [Test]
    public void Dots_tags_and_case_make_no_other_mailbox_at_gmail() =>
        Gen.Select(Gen.String[Gen.Char['a', 'z'], 3, 15], Gen.Int[1, 14], Gen.String[Gen.Char["abc+.-"], 0, 8], Gen.Bool).Sample((name, at, tag, upper) =>
        {
            var dotted = at < name.Length ? name.Insert(at, ".") : name;
            var variant = $"{(upper ? dotted.ToUpperInvariant() : dotted)}+{tag}@googlemail.com";
            return EmailDerivation.Canonicalise(variant, EmailProviders.Default) == EmailDerivation.Canonicalise($"{name}@gmail.com", EmailProviders.Default);
        });

    [Test]
    public void Different_names_at_an_ordinary_provider_stay_different() =>
        Gen.Select(Gen.String[Gen.Char["abc.1"], 1, 8], Gen.String[Gen.Char["abc.1"], 1, 8]).Sample((one, other) =>
            EmailDerivation.Canonicalise($"{one}@example.org", EmailProviders.Default) == EmailDerivation.Canonicalise($"{other}@example.org", EmailProviders.Default) == (one == other));

    [TestCase("anna.b1984", "a.a9")]
    [TestCase("a", "a")]
    [TestCase("x7y8", "a9a9")]
    [TestCase("__", "__")]
    [TestCase("мария22", "a9")]
    public void A_skeleton_folds_runs_of_letters_and_digits(string local, string skeleton) =>
        Assert.That(EmailDerivation.Skeleton(local), Is.EqualTo(skeleton));

    [Test]
    public void A_skeleton_is_its_own_skeleton_and_no_longer_than_the_text() =>
        Gen.String[0, 100].Sample(text =>
        {
            var skeleton = EmailDerivation.Skeleton(text);
            return skeleton.Length <= text.Length && EmailDerivation.Skeleton(skeleton) == skeleton;
        });

    [TestCase("aaaa", 0)]
    [TestCase("abab", 1)]
    [TestCase("abcd", 2)]
    [TestCase("", 0)]
    public void Entropy_is_in_bits_per_character(string text, double bits) =>
        Assert.That(EmailDerivation.Entropy(text), Is.EqualTo(bits).Within(1e-12));

    [Test]
    public void Entropy_lies_between_none_and_all_different() =>
        Gen.String[1, 80].Sample(text => EmailDerivation.Entropy(text) is var bits && bits >= 0 && bits <= Math.Log2(text.Length) + 1e-9);

    [Test]
    public void The_parts_of_an_address_are_told()
    {
        var email = Derive("Anna.B1984+news@Sub.Trash.Example.co.uk", new Subject { FamilyName = "Bär", GivenName = "Anna" }).Value!;
        Assert.That(
            (email.Local, email.Domain, email.RegistrableDomain, email.TopLevelDomain, email.Skeleton, email.Length, email.Digits, email.Tagged, email.MatchesName),
            Is.EqualTo(("anna.b1984", "sub.trash.example.co.uk", "example.co.uk", "uk", "a.a9", 10, 4, true, (bool?)true)));
        Assert.That(email.DigitRatio, Is.EqualTo(0.4));
        Assert.That((email.Disposable, email.Free, email.Relay, email.Role, email.Internationalised, email.MixedScript, email.Verified), Is.EqualTo(((bool?)true, (bool?)false, (bool?)false, false, false, false, false)));
    }

    [TestCase("a@mailinator.com", true)]
    [TestCase("a@x.mailinator.com", true)]
    [TestCase("a@example.co.uk", false)]
    [TestCase("a@notmailinator.com", false)]
    public void A_disposable_domain_stands_for_its_subdomains_and_no_other(string address, bool disposable) =>
        Assert.That(Derive(address).Value!.Disposable, Is.EqualTo(disposable));

    [TestCase("a@gmail.com", true)]
    [TestCase("a@freebie.example", true)]
    [TestCase("a@company.example", false)]
    public void Free_mail_is_known_by_the_providers_and_the_list(string address, bool free) =>
        Assert.That(Derive(address).Value!.Free, Is.EqualTo(free));

    [TestCase("x1@privaterelay.appleid.com")]
    [TestCase("x1@duck.com")]
    [TestCase("x1@mozmail.com")]
    [TestCase("x1@anna.33mail.com")]
    public void A_privacy_relay_is_neither_disposable_nor_free(string address)
    {
        var email = EmailDerivation.Derive(new EmailInput(address, null), Subject.None, Reference with { Disposable = Set("duck.com", "33mail.com", "mozmail.com") }).Value!;
        Assert.That((email.Relay, email.Disposable, email.Free), Is.EqualTo(((bool?)true, (bool?)false, (bool?)false)));
    }

    [Test]
    public void Without_lists_what_they_tell_is_missing_and_not_false()
    {
        var email = EmailDerivation.Derive(new EmailInput("a@company.example", null), Subject.None, new EmailReference()).Value!;
        Assert.That((email.Free, email.Disposable, email.RegistrableDomain), Is.EqualTo(((bool?)null, (bool?)null, (string?)null)));
        Assert.That(EmailDerivation.Derive(new EmailInput("a@gmail.com", null), Subject.None, new EmailReference()).Value!.Free, Is.True);
    }

    [TestCase("info@company.example", true)]
    [TestCase("no-reply@company.example", true)]
    [TestCase("Support+eu@company.example", true)]
    [TestCase("informatik@company.example", false)]
    public void Role_accounts_are_told_from_people(string address, bool role) => Assert.That(Derive(address).Value!.Role, Is.EqualTo(role));

    [TestCase("a@пример.рф", true, false)]
    [TestCase("a@pаypal.com", true, true)]
    [TestCase("a@xn--pypal-4ve.com", true, true)]
    [TestCase("a@bücher.example", true, false)]
    [TestCase("a@日本語サイト.com", true, false)]
    [TestCase("a@company.example", false, false)]
    public void Scripts_mixed_in_one_label_are_seen_behind_punycode(string address, bool internationalised, bool mixed)
    {
        var email = Derive(address).Value!;
        Assert.That((email.Internationalised, email.MixedScript), Is.EqualTo((internationalised, mixed)));
    }

    [TestCase("www.example.co.uk", "example.co.uk")]
    [TestCase("example.co.uk", "example.co.uk")]
    [TestCase("co.uk", null)]
    [TestCase("a.b.c.ck", "b.c.ck")]
    [TestCase("c.ck", null)]
    [TestCase("sub.www.ck", "www.ck")]
    [TestCase("a.b.unlisted", "b.unlisted")]
    [TestCase("me.dynhost.example", "me.dynhost.example")]
    [TestCase("x.xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai")]
    public void The_registrable_domain_follows_the_suffix_list(string domain, string? registrable) =>
        Assert.That(EmailDerivation.Registrable(domain, Reference.Suffixes), Is.EqualTo(registrable));

    [Test]
    public void The_shipped_providers_are_consistent()
    {
        var providers = EmailProviders.Default;
        foreach (var (domain, provider) in providers.ByDomain)
        {
            Assert.That(DomainName.ToAscii(domain), Is.EqualTo(domain));
            // What a provider folds to must be one of its own domains, or canonical forms would not settle.
            if (provider.Fold is { } fold) Assert.That(providers.ByDomain[fold], Is.SameAs(provider));
        }
        Assert.That(providers.Relays.Intersect(providers.ByDomain.Keys), Is.Empty);
        Assert.That(() => EmailProviders.Read("providers:\n  - { domains: [a.example, a.example] }\nrelays: []\nroles: []"), Throws.InstanceOf<FormatException>());
    }

    private static Signal<EmailSignals> Derive(string address, Subject? subject = null) => EmailDerivation.Derive(new EmailInput(address, null), subject ?? Subject.None, Reference);

    private static Gen<string> Among(string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static FrozenSet<string> Set(params string[] values) => values.ToFrozenSet(StringComparer.Ordinal);
}
