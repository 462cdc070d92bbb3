using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;
using SignupGuard.Service.Screening.Collectors;

namespace SignupGuard.IntegrationTests.Signals;

public sealed class ReferenceDataTests
{
    [Test]
    public void The_build_restores_every_part()
    {
        var status = SignalFixture.Restored.Status;
        foreach (var part in status.Parts) TestContext.Out.WriteLine(part);
        Assert.That(status.Parts.Where(part => part.State != ReferencePartState.Loaded), Is.Empty);
        Assert.That(status.Parts.Select(part => part.Version), Has.All.Not.Null);
        Assert.That(status.Complete);
        var data = SignalFixture.Restored.Current;
        // Far fewer would mean a file cut off or of another form.
        Assert.That((data.Asns!.Ranges4, data.Asns.Ranges6), Is.GreaterThan((300_000, 80_000)));
        Assert.That(data.Email.Disposable!, Has.Count.GreaterThan(100_000));
        Assert.That(data.Email.Free!, Has.Count.GreaterThan(4_000));
        Assert.That(data.Email.Suffixes!.Count, Is.GreaterThan(9_000));
        Assert.That(data.UserAgents!.Patterns, Is.GreaterThan(2_000));
        Assert.That((data.Geography.Zones, data.Geography.Countries), Is.GreaterThan((500, 240)));
    }

    [Test]
    public void No_provider_of_ordinary_mailboxes_and_no_relay_is_disposable()
    {
        foreach (var domain in EmailProviders.Default.ByDomain.Keys.Concat(EmailProviders.Default.Relays))
            Assert.That(Email($"anna@{domain}").Disposable, Is.False, domain);
        foreach (var (domain, provider) in EmailProviders.Default.ByDomain)
            Assert.That(Email($"anna@{domain}").Free, Is.EqualTo(provider.Free), domain);
    }

    [TestCase("a@mailinator.com", true, "mailinator.com")]
    [TestCase("a@any.mailinator.com", true, "mailinator.com")]
    [TestCase("a@yopmail.com", true, "yopmail.com")]
    [TestCase("a@guerrillamail.com", true, "guerrillamail.com")]
    [TestCase("a@microsoft.com", false, "microsoft.com")]
    [TestCase("a@cs.ox.ac.uk", false, "ox.ac.uk")]
    [TestCase("a@mail.city.kawasaki.jp", false, "city.kawasaki.jp")]
    [TestCase("a@someone.github.io", false, "someone.github.io")]
    public void Domains_are_known_by_the_restored_lists(string address, bool disposable, string registrable)
    {
        var email = Email(address);
        Assert.That((email.Disposable, email.RegistrableDomain), Is.EqualTo(((bool?)disposable, registrable)));
    }

    [Test]
    public async Task A_host_has_the_signals_after_one_line_and_checks_their_options()
    {
        using var host = Host("25");
        await host.StartAsync();
        Assert.That(host.Services.GetRequiredService<SignalCollection>().Collect(SignalFixture.From("73.162.10.20")).Ip.State, Is.EqualTo(SignalState.Present).Or.EqualTo(SignalState.Stale));
        Assert.That(host.Services.GetRequiredService<ReferenceDataStore>().Status.Missing, Is.Empty);
        await host.StopAsync();

        using var wrong = Host("0");
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => wrong.StartAsync());
        Assert.That(refused!.Message, Does.Contain(nameof(SignalOptions.DeadlineMilliseconds)));
    }

    private static IHost Host(string deadline)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Signals:DeadlineMilliseconds"] = deadline });
        builder.Services.AddSignals(builder.Configuration);
        return builder.Build();
    }

    private static EmailSignals Email(string address) =>
        SignalFixture.Signals.Collect(SignalFixture.Signup() with { Email = new EmailInput(address, null) }).Email.Value!;
}
