using SignupGuard.Simulation.Randomness;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>Something an attacker uses for several accounts before it is dropped.</summary>
internal abstract class Slot
{
    public int Left { get; protected set; }

    /// <summary>Denied accounts it was used for, as far as the attacker knows.</summary>
    public int Denials { get; set; }

    /// <summary>Not to be used again.</summary>
    public void Burn() => Left = 0;
}

/// <summary>A supply of addresses, profiles, cards …: a few at a time, each used about so often, then replaced.</summary>
/// <param name="uses">Mean uses of each.</param>
/// <param name="width">How many are in use at a time.</param>
internal sealed class Rotation<T>(RandomSource random, double uses, int width, Func<T> make)
{
    private readonly Supply?[] _slots = new Supply?[width];

    public (T Value, Slot Slot) Take()
    {
        ref var slot = ref _slots[random.Below(_slots.Length)];
        if (slot is not { Left: > 0 }) slot = new Supply(make(), Uses());
        slot.Use();
        return (slot.Value, slot);
    }

    /// <summary>Throws the whole supply away.</summary>
    public void BurnAll() => Array.Clear(_slots);

    /// <summary>About the mean, by a third up or down; fractions by chance.</summary>
    private int Uses()
    {
        var wanted = uses * random.Between(0.67, 1.33);
        var whole = (int)wanted;
        return Math.Max(1, whole + (random.Chance(wanted - whole) ? 1 : 0));
    }

    private sealed class Supply : Slot
    {
        public Supply(T value, int uses)
        {
            Value = value;
            Left = uses;
        }

        public T Value { get; }

        public void Use() => Left--;
    }
}
