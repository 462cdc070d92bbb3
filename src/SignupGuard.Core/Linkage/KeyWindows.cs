namespace SignupGuard.Core.Linkage;

/// <summary>
/// A sliding count over one window: the running bucket plus the share of the previous one still inside.
/// Buckets start at the first account counted, so counts are exact until a bucket is full, and an estimate (assuming an even spread of
/// the previous bucket) after. Never negative; a late event counts in the running bucket.
/// </summary>
public struct WindowCount
{
    public long StartMs { get; set; }

    public int Running { get; set; }

    public int Previous { get; set; }

    public void Add(long atMs, long lengthMs)
    {
        Advance(atMs, lengthMs);
        Running++;
    }

    public readonly double At(long atMs, long lengthMs)
    {
        var copy = this;
        copy.Advance(atMs, lengthMs);
        var passed = Math.Clamp((double)(atMs - copy.StartMs) / lengthMs, 0, 1);
        return copy.Running + (copy.Previous * (1 - passed));
    }

    private void Advance(long atMs, long lengthMs)
    {
        if (Running == 0 && Previous == 0)
        {
            StartMs = atMs;
            return;
        }
        if (atMs - StartMs < lengthMs) return;
        var buckets = (atMs - StartMs) / lengthMs;
        Previous = buckets == 1 ? Running : 0;
        Running = 0;
        StartMs += buckets * lengthMs;
    }
}

/// <summary>The windows of a key with more accounts than it remembers.</summary>
internal sealed class KeyWindows
{
    private WindowCount _tenMinutes;
    private WindowCount _hour;
    private WindowCount _day;

    public ref WindowCount TenMinutes => ref _tenMinutes;

    public ref WindowCount Hour => ref _hour;

    public ref WindowCount Day => ref _day;

    public void Add(long atMs)
    {
        _tenMinutes.Add(atMs, KeyState.TenMinutesMs);
        _hour.Add(atMs, KeyState.HourMs);
        _day.Add(atMs, KeyState.DayMs);
    }
}
