using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace SignupGuard.Console.Hosting;

/// <summary>The pages' files, which are resources of this assembly. Their addresses carry a hash of their content, so a browser keeps them for good.</summary>
internal static class ConsoleAssets
{
    private const string Prefix = "assets/";
    private const int HashCharacters = 12;

    private static readonly FrozenDictionary<string, Asset> Files = Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .ToFrozenDictionary(name => name[Prefix.Length..], Read, StringComparer.Ordinal);

    /// <summary>Whether the build had it: the graph library comes from npm, which may have been missing.</summary>
    public static bool Has(string name) => Files.ContainsKey(name);

    /// <summary>Where a page finds a file.</summary>
    public static string Address(string name) => $"/{Prefix}{Files[name].Hash}/{name}";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet($"/{Prefix}{{hash}}/{{name}}", Send).AllowAnonymous();

    private static IResult Send(string hash, string name, HttpContext context)
    {
        if (!Files.TryGetValue(name, out var asset) || asset.Hash != hash) return Results.NotFound();
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        context.Response.Headers.Vary = "Accept-Encoding";
        if (!context.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal)) return Results.Bytes(asset.Content, asset.Type);
        context.Response.Headers.ContentEncoding = "br";
        return Results.Bytes(asset.Compressed.Value, asset.Type);
    }

    private static Asset Read(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var type = Path.GetExtension(resource) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "application/octet-stream",
        };
        return new Asset(content, Convert.ToHexStringLower(SHA256.HashData(content))[..HashCharacters], type, new Lazy<byte[]>(() => Compress(content)));
    }

    private static byte[] Compress(byte[] content)
    {
        using var result = new MemoryStream();
        using (var brotli = new BrotliStream(result, CompressionLevel.Optimal)) brotli.Write(content);
        return result.ToArray();
    }

    private sealed record Asset(byte[] Content, string Hash, string Type, Lazy<byte[]> Compressed);
}
