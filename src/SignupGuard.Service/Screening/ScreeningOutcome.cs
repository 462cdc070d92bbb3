using SignupGuard.Service.Transport.Validation;
using SignupGuard.Storage.Screening;

namespace SignupGuard.Service.Screening;

/// <summary>What became of one signup. Everything that can be expected is a value; none of them but <see cref="Decided"/> lets anybody in.</summary>
public abstract record ScreeningOutcome
{
    private ScreeningOutcome()
    {
    }

    /// <summary>Stored, then answered.</summary>
    /// <param name="Replayed">It had been stored before.</param>
    public sealed record Decided(StoredDecision Decision, bool Replayed) : ScreeningOutcome;

    /// <summary>The request breaks bounds of the contract. Nothing is stored.</summary>
    public sealed record Invalid(IReadOnlyList<FieldViolation> Violations) : ScreeningOutcome;

    /// <summary>The id belongs to a signup of other content.</summary>
    public sealed record IdReused : ScreeningOutcome;

    /// <summary>More signups wait than may. Nothing is stored; the same id may be sent again.</summary>
    public sealed record Overloaded : ScreeningOutcome;

    /// <summary>The database could not be reached in the caller's time. Whether it is stored is not known; the same id may be sent again.</summary>
    public sealed record Unavailable : ScreeningOutcome;

    /// <summary>This one signup can't be screened, for a fault of the service. Nothing is stored; logged where it happened.</summary>
    /// <param name="Reference">Finds the log entry. Not the signup's id, which is the caller's and may be anything.</param>
    public sealed record Failed(string Reference) : ScreeningOutcome;
}
