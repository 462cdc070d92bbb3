using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignupGuard.Service.Embedded;

/// <summary>
/// What an embedded deployment must keep secret, made once and kept in the data folder (mode 0600). Back the file up with the data:
/// without <see cref="FactsKey"/> stored signups can't be read, without <see cref="LinkKey"/> new ones no longer link to them.
/// </summary>
public sealed record EmbeddedSecrets
{
    public const string FileName = "secrets";

    private const int KeyBytes = 32;
    private const int PasswordCharacters = 40;
    private const string PasswordAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>HMAC key of link keys, 32 bytes.</summary>
    [JsonPropertyName("link_key")]
    public required byte[] LinkKey { get; init; }

    /// <summary>Key that stored facts are encrypted under, 32 bytes.</summary>
    [JsonPropertyName("facts_key")]
    public required byte[] FactsKey { get; init; }

    /// <summary>Password of the role that the service logs in as; it owns its database and nothing else.</summary>
    [JsonPropertyName("password")]
    public required string Password { get; init; }

    /// <summary>Password of the role <c>postgres</c>, for an operator's own use.</summary>
    [JsonPropertyName("superuser_password")]
    public required string SuperuserPassword { get; init; }

    /// <summary>Reads the folder's secrets, made on first use. The caller holds the folder's lock.</summary>
    /// <exception cref="EmbeddedPostgresException">There is a file, but it can't be read; it is never replaced.</exception>
    [UnsupportedOSPlatform("windows")]
    internal static EmbeddedSecrets LoadOrCreate(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (File.Exists(path)) return Load(path);
        var created = new EmbeddedSecrets
        {
            LinkKey = RandomNumberGenerator.GetBytes(KeyBytes),
            FactsKey = RandomNumberGenerator.GetBytes(KeyBytes),
            Password = RandomNumberGenerator.GetString(PasswordAlphabet, PasswordCharacters),
            SuperuserPassword = RandomNumberGenerator.GetString(PasswordAlphabet, PasswordCharacters),
        };
        // Whole or not at all, and on the disk before anything is written under these keys.
        var unfinished = path + ".new";
        File.Delete(unfinished);
        using (var file = new FileStream(unfinished, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            JsonSerializer.Serialize(file, created, EmbeddedJson.Default.EmbeddedSecrets);
            file.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path);
        return created;
    }

    private static EmbeddedSecrets Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var secrets = JsonSerializer.Deserialize(file, EmbeddedJson.Default.EmbeddedSecrets);
            if (secrets is { LinkKey.Length: KeyBytes, FactsKey.Length: KeyBytes, Password.Length: > 0, SuperuserPassword.Length: > 0 }) return secrets;
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedPostgresException($"The secrets in {path} can't be read: {failure.Message} Restore the file from a backup; the data can't be read without it.", failure);
        }
        throw new EmbeddedPostgresException($"The secrets in {path} are incomplete. Restore the file from a backup; the data can't be read without it.");
    }

    // The compiler's own would print the keys.
    public override string ToString() => nameof(EmbeddedSecrets);
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(EmbeddedSecrets))]
internal sealed partial class EmbeddedJson : JsonSerializerContext;
