using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation.People;

/// <summary>Somebody with a name and a mailbox; real or made up by an attacker.</summary>
internal sealed record Person
{
    public required Country Country { get; init; }

    public required Name Given { get; init; }

    public required Name Family { get; init; }

    public required int BirthYear { get; init; }

    public required string Email { get; init; }

    /// <summary>Days since the e-mail's domain was registered, for domains that are not a mail provider's.</summary>
    public int? DomainAgeDays { get; init; }

    /// <summary>E.164; null when none was given.</summary>
    public string? Phone { get; init; }

    public string FullName => $"{Given.Written} {Family.Written}";
}

/// <summary>A company, school or front with a domain of its own.</summary>
internal sealed record Organisation(string Name, string Domain, int DomainAgeDays, Country Country);
