using System.Collections.Frozen;
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
        private static readonly FrozenDictionary<T, string> ByValue = Read();

        public static readonly FrozenDictionary<string, T> ByWord = ByValue.ToFrozenDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

        public static string? Of(T value) => ByValue.GetValueOrDefault(value);

        private static FrozenDictionary<T, string> Read()
        {
            var all = Enum.GetValues<T>().ToDictionary(value => value, OriginalName);
            // Every value carries the enumeration's name as prefix; the zero value shows it.
            var prefix = all[default][..^"UNSPECIFIED".Length];
            all.Remove(default);
            return all.ToFrozenDictionary(pair => pair.Key, pair => pair.Value[prefix.Length..].ToLowerInvariant());
        }

        private static string OriginalName(T value) =>
            ((OriginalNameAttribute)typeof(T).GetField(value.ToString())!.GetCustomAttributes(typeof(OriginalNameAttribute), false)[0]).Name;
    }
}
