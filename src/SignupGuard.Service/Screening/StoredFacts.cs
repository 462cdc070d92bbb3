using SignupGuard.Service.Transport;
using SignupGuard.Storage.Clusters;

namespace SignupGuard.Service.Screening;

/// <summary>A signup's stored facts, back as the core's own records.</summary>
internal static class StoredFacts
{
    /// <exception cref="InvalidDataException">They can't be opened: damaged, or sealed under a key that is not at hand.</exception>
    public static OpenedFacts Open(FactsCipher cipher, string tenant, byte[] stored)
    {
        var facts = cipher.Open(tenant, stored);
        return new OpenedFacts(SignupMap.ToCore(V1.Signup.Parser.ParseFrom(facts.Signup)), facts.Signals);
    }

    /// <summary>For those who go on without one that can't be opened, and say so.</summary>
    /// <returns>Null when they can't be opened.</returns>
    public static OpenedFacts? TryOpen(FactsCipher cipher, string tenant, byte[] stored)
    {
        try
        {
            return Open(cipher, tenant, stored);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
