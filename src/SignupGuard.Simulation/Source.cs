namespace SignupGuard.Simulation;

/// <summary>Somebody who makes signups in order of time: a population or a campaign.</summary>
internal abstract class Source
{
    /// <summary>Unix milliseconds of the next signup; <see cref="long.MaxValue"/> when there is none.</summary>
    public abstract long NextAtMs { get; }

    /// <summary>Makes the next signup.</summary>
    public abstract SimulatedSignup Emit(string signupId);
}
