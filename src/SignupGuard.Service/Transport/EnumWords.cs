using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Google.Protobuf.Reflection;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport;

/// <summary>The words that the core and the policy use for the contract's enumerations: CHANNEL_WEB is "web". Unspecified has no word.</summary>
internal static class EnumWords
{
    public static string? Word(this Channel value) => Words<Channel>.Of(value);

    public static string? Word(this AccountType value) => Words<AccountType>.Of(value);

    public static string? Word(this LineType value) => Words<LineType>.Of(value);

    public static string? Word(this NetworkClass value) => Words<NetworkClass>.Of(value);

    public static string? Word(this PaymentKind value) => Words<PaymentKind>.Of(value);

    public static string? Word(this Funding value) => Words<Funding>.Of(value);

    public static string? Word(this CheckResult value) => Words<CheckResult>.Of(value);

    public static string? Word(this ThreeDSecureResult value) => Words<ThreeDSecureResult>.Of(value);

    public static string? Word(this OutcomeKind value) => Words<OutcomeKind>.Of(value);

    public static string? Word(this ChangeCause value) => Words<ChangeCause>.Of(value);

    /// <summary>The value of a stored word; unspecified when this version doesn't know it (stored by a newer one).</summary>
    public static T Value<T>(string word)
        where T : struct, Enum => Words<T>.ByWord.GetValueOrDefault(word);

    private static class Words<T>
        where T : struct, Enum
    {
        // By number: the contract's enumerations are small and without gaps.
        private static readonly string?[] ByNumber = Read();

        public static readonly FrozenDictionary<string, T> ByWord =
            Enum.GetValues<T>().Where(value => Of(value) is not null).ToFrozenDictionary(value => Of(value)!, StringComparer.Ordinal);

        public static string? Of(T value)
        {
            var number = Unsafe.BitCast<T, int>(value);
            return (uint)number < (uint)ByNumber.Length ? ByNumber[number] : null;
        }

        private static string?[] Read()
        {
            // Every value carries the enumeration's name as prefix; the zero value shows it.
            var prefix = OriginalName(default)[..^"UNSPECIFIED".Length];
            var words = new string?[Enum.GetValues<T>().Max(value => Unsafe.BitCast<T, int>(value)) + 1];
            foreach (var value in Enum.GetValues<T>())
            {
                if (!value.Equals(default(T))) words[Unsafe.BitCast<T, int>(value)] = OriginalName(value)[prefix.Length..].ToLowerInvariant();
            }
            return words;
        }

        private static string OriginalName(T value) =>
            ((OriginalNameAttribute)typeof(T).GetField(value.ToString())!.GetCustomAttributes(typeof(OriginalNameAttribute), false)[0]).Name;
    }
}
