using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using SignupGuard.Core.Linkage;

namespace SignupGuard.Service.Screening;

/// <summary>
/// The deployment's keys: 32 random bytes each, in Base64 (<c>openssl rand -base64 32</c>), given as values or as files. All replicas of
/// one database need the same. Section "Secrets". The embedded Postgres makes its own and keeps them in its data folder.
/// </summary>
public sealed class SecretsOptions
{
    public const string Section = "Secrets";

    /// <summary>HMAC key of link keys. Changing it forgets all links.</summary>
    public string? LinkKey { get; set; }

    public string? LinkKeyFile { get; set; }

    /// <summary>Key that new facts are encrypted under.</summary>
    public string? FactsKey { get; set; }

    public string? FactsKeyFile { get; set; }

    /// <summary>Stored with all that is encrypted under <see cref="FactsKey"/>; give a new key a new id. 1 to 255.</summary>
    [Range(1, 255)]
    public int FactsKeyId { get; set; } = 1;

    /// <summary>Former facts keys by id: what was encrypted under them stays readable.</summary>
    public Dictionary<byte, string> RetiredFactsKeys { get; } = [];

    /// <summary>The hasher of link keys, and the cipher of facts.</summary>
    /// <exception cref="OptionsValidationException">A key is missing or is none; the message names the setting.</exception>
    public (KeyHasher Hasher, FactsCipher Cipher) Read()
    {
        var hasher = new KeyHasher(Read(LinkKey, LinkKeyFile, nameof(LinkKey), KeyHasher.KeyBytes));
        var keys = RetiredFactsKeys.ToDictionary(pair => pair.Key, pair => Read(pair.Value, null, $"{nameof(RetiredFactsKeys)}:{pair.Key}", FactsCipher.KeyBytes));
        var id = (byte)FactsKeyId;
        if (!keys.TryAdd(id, Read(FactsKey, FactsKeyFile, nameof(FactsKey), FactsCipher.KeyBytes)))
            throw Invalid($"{Section}:{nameof(FactsKeyId)} {id} is also the id of a retired key. Give the new key a new id.");
        return (hasher, new FactsCipher(id, keys));
    }

    private static byte[] Read(string? value, string? file, string name, int bytes)
    {
        if (value is null && file is null)
            throw Invalid($"{Section}:{name} (or {Section}:{name}File) is not set. Make a key with `openssl rand -base64 {bytes}`, keep it, and give it to every replica.");
        if (value is not null && file is not null) throw Invalid($"{Section}:{name} and {Section}:{name}File are both set. Keep one.");
        try
        {
            var key = Convert.FromBase64String((value ?? File.ReadAllText(file!)).Trim());
            if (key.Length == bytes) return key;
        }
        catch (FormatException)
        {
            // Told below, without the text.
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Invalid($"{Section}:{name}File can't be read: {failure.Message}");
        }
        throw Invalid($"{Section}:{name} is not {bytes} bytes in Base64. Make one with `openssl rand -base64 {bytes}`.");
    }

    private static OptionsValidationException Invalid(string message) => new(Section, typeof(SecretsOptions), [message]);
}

[OptionsValidator]
internal sealed partial class SecretsOptionsValidator : IValidateOptions<SecretsOptions>;
