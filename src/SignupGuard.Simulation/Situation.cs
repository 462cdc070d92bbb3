using SignupGuard.Simulation.Machines;
using SignupGuard.Simulation.People;
using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;
using SignupGuard.V1;

namespace SignupGuard.Simulation;

/// <summary>One signup before it is written down: who, on what, from where, paying how, and how the form was filled.</summary>
internal sealed record Situation
{
    public required Person Person { get; init; }

    public required Machine Machine { get; init; }

    public required Connection Connection { get; init; }

    public Card? Card { get; init; }

    public required Hand Hand { get; init; }

    public Channel Channel { get; init; } = Channel.Web;

    public AccountType AccountType { get; init; } = AccountType.Personal;

    public string? Organisation { get; init; }

    public string? DeclaredUse { get; init; }

    public string? ReferralCode { get; init; }

    public string? MarketingCampaign { get; init; }

    /// <summary>Country stated in the form; null for the person's.</summary>
    public string? DeclaredCountry { get; init; }

    /// <summary>Chance that control of the address was proved before the form was sent.</summary>
    public double EmailVerified { get; init; } = 0.42;

    public double PhoneVerified { get; init; } = 0.6;

    /// <summary>Sign-in provider; null for a password.</summary>
    public string? Provider { get; init; }

    /// <summary>Zone the machine is set to where it is not its own (travellers, tools).</summary>
    public string? Zone { get; init; }

    public bool HolderDiffers { get; init; }

    /// <summary>Chances of the issuer's checks; null for an honest cardholder of the country.</summary>
    public CheckOdds? Checks { get; init; }

    /// <summary>Multiplies the chances that a signal is missing: hardened browsers and tools give less.</summary>
    public double Missing { get; init; } = 1;
}

/// <summary>How issuers answer for a kind of card: shares of 1.</summary>
internal sealed record CheckOdds(double AvsMatch, double AvsMismatch, double CvvMatch, double Authenticated, double Declined);

/// <summary>How a form is filled.</summary>
internal sealed record Hand(double FormSeconds, double TypingMs, bool Pasted, uint SessionSeconds, bool Honeypot)
{
    /// <summary>Somebody at a keyboard or on glass; a quarter let the browser fill in.</summary>
    public static Hand Human(RandomSource random, bool mobile)
    {
        var autofill = random.Chance(0.27);
        var form = Math.Round(Math.Clamp(random.LogNormal(autofill ? 17 : mobile ? 64 : 49, 0.62), 2.5, 7200), 1);
        return new Hand(
            form,
            Math.Round(Math.Clamp(random.LogNormal(mobile ? 235 : 178, 0.34), 45, 1500), 1),
            random.Chance(0.16),
            // A session is at least as old as its form.
            (uint)(form + Math.Clamp(random.LogNormal(170, 1.3), 3, 1_200_000)),
            // Password managers fill what people can't see.
            random.Chance(0.0015));
    }
}
