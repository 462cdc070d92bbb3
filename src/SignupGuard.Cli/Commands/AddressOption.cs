using System.CommandLine;

namespace SignupGuard.Cli.Commands;

/// <summary><c>--address</c>: where a running service is. The command-line library reads no addresses by itself.</summary>
internal static class AddressOption
{
    public static Option<Uri?> Create(string description) => new("--address")
    {
        Description = description,
        CustomParser = argument =>
        {
            var text = argument.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https") return address;
            argument.AddError($"--address is http://HOST:PORT or https://HOST:PORT, not {text}.");
            return null;
        },
    };
}
