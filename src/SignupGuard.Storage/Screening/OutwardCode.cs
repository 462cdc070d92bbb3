using System.Security.Cryptography;

namespace SignupGuard.Storage.Screening;

/// <summary>The code an applicant may be shown: random, so it tells nothing; without letters that look alike.</summary>
public static class OutwardCode
{
    /// <summary>10 characters of 32: 50 bits, enough that codes can't be guessed and clash once in 30 million signups.</summary>
    public const int Length = 10;

    public static string Create() => RandomNumberGenerator.GetString("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", Length);
}
