using PhoneNumbers;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Signals;
using SignupGuard.Service.Transport.Validation;

namespace SignupGuard.Service.Lists;

/// <summary>Reads values of lists with what the collectors read signups with.</summary>
internal static class ListValueForms
{
    private static readonly PhoneNumberUtil Numbers = PhoneNumberUtil.GetInstance();

    public static ListValueReader Reader(KeyHasher hasher) => new(hasher, EmailProviders.Default, E164, Countries.Has);

    /// <summary>A list has no region that a number could be read in.</summary>
    private static string? E164(string text)
    {
        try
        {
            return Numbers.Format(Numbers.Parse(text, null), PhoneNumberFormat.E164);
        }
        catch (NumberParseException)
        {
            // The library's only way to say "not a number".
            return null;
        }
    }

    /// <summary>Enough to recognise a value by, for those who know it.</summary>
    public static string Mask(ListType type, string value)
    {
        const int shown = 2;
        if (type == ListType.Email && value.LastIndexOf('@') is > 0 and var at) return $"{value[0]}***{value[at..]}";
        return value.Length < 4 * shown ? "***" : $"{value[..shown]}***{value[^shown..]}";
    }
}
