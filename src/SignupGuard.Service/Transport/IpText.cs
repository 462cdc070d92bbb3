using System.Net;
using System.Net.Sockets;

namespace SignupGuard.Service.Transport;

/// <summary>Reads addresses strictly: what <see cref="IPAddress.TryParse(string, out IPAddress)"/> also takes ("1", "0x7f.1", "127.1", "[::1]:80") is no address of a client.</summary>
internal static class IpText
{
    public const int CharactersMax = 45;

    public static bool TryParse(string text, out IPAddress address)
    {
        address = IPAddress.None;
        if (text.Length > CharactersMax || !IPAddress.TryParse(text, out var parsed)) return false;
        address = parsed;
        if (parsed.AddressFamily != AddressFamily.InterNetwork) return text.AsSpan().IndexOfAny("[]%/") < 0;
        Span<char> canonical = stackalloc char[CharactersMax];
        return parsed.TryFormat(canonical, out var written) && text.AsSpan().SequenceEqual(canonical[..written]);
    }
}
