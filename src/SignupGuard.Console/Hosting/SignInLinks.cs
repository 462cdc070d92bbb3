using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace SignupGuard.Console.Hosting;

/// <summary>
/// The way in until the deployment has another: a link that works once, printed where the service logs, so that whoever can read the log of the machine
/// can sign in and nobody else. When one is used, the next is printed. Names are what people say; the audit records them as asserted.
/// </summary>
internal sealed partial class SignInLinks(ILogger<SignInLinks> log)
{
    private const int CodeBytes = 24;

    /// <summary>As the service takes an actor: printable ASCII without a comma.</summary>
    public const int NameCharactersMax = 128;

    private readonly Lock _lock = new();
    private string _code = NewCode();
    private Uri? _console;

    /// <summary>The link that works now.</summary>
    public Uri Current
    {
        get
        {
            lock (_lock) return new Uri(_console!, $"/sign-in?code={_code}");
        }
    }

    public void Open(Uri console)
    {
        _console = console;
        Printed(log, Current);
    }

    /// <summary>Whether it was the code of the link that works now; it does not work again.</summary>
    public bool TryUse(string code)
    {
        lock (_lock)
        {
            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(code), Encoding.UTF8.GetBytes(_code))) return false;
            _code = NewCode();
        }
        Printed(log, Current);
        return true;
    }

    public static bool IsName(string name) =>
        name.Length is > 0 and <= NameCharactersMax && !name.AsSpan().ContainsAnyExceptInRange(' ', '~') && !name.Contains(',', StringComparison.Ordinal);

    private static string NewCode() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(CodeBytes));

    [LoggerMessage(4006, LogLevel.Information, "Sign in to the console, once: {Link}")]
    private static partial void Printed(ILogger log, Uri link);
}
