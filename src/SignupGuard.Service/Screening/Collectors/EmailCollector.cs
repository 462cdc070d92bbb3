using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;
using SignupGuard.Service.ReferenceData;

namespace SignupGuard.Service.Screening.Collectors;

/// <summary>What the e-mail address tells; without a list the parts that need it are missing.</summary>
internal static class EmailCollector
{
    public static Signal<EmailSignals> Collect(Signup signup, ReferenceSnapshot data) => EmailDerivation.Derive(signup.Email, signup.Subject, data.Email);
}
