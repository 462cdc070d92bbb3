using System.Text.RegularExpressions;

namespace SignupGuard.Cel.Functions;

/// <summary>A compiled regular expression.</summary>
/// <param name="regex">Made with a timeout.</param>
/// <param name="workPerCharacter">A larger automaton takes more to build, at worst by the square of its size.</param>
internal sealed class Pattern(Regex regex, long workPerCharacter)
{
    private const int SizePerWork = 16;

    public static long WorkOf(long size) => 1 + (size * size / (SizePerWork * SizePerWork));

    public CelValue IsMatch(ref Meter meter, string text)
    {
        if (!meter.Spend(1 + (text.Length * workPerCharacter))) return Errors.TooMuchWork;
        try
        {
            return CelValue.From(regex.IsMatch(text));
        }
        catch (RegexMatchTimeoutException)
        {
            // One such match is all that an evaluation has time for.
            meter.Spend(int.MaxValue);
            return Errors.TooMuchWork;
        }
    }
}
