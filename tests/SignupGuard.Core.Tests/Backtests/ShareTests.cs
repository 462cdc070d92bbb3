using CsCheck;
using SignupGuard.Core.Backtests;

namespace SignupGuard.Core.Tests.Backtests;

public sealed class ShareTests
{
    // By Wilson's formula with z = 1.96, worked out by hand.
    [TestCase(0, 10, 0, 0, 0.2775)]
    [TestCase(5, 10, 0.5, 0.2366, 0.7634)]
    [TestCase(10, 10, 1, 0.7225, 1)]
    [TestCase(1, 1, 1, 0.2065, 1)]
    [TestCase(30, 100, 0.3, 0.2189, 0.3958)]
    public void The_interval_is_wilsons(long count, long of, double value, double low, double high)
    {
        var share = Share.Wilson(count, of)!;
        Assert.That((share.Value, share.Of), Is.EqualTo((value, of)));
        Assert.That(share.Low, Is.EqualTo(low).Within(0.0001));
        Assert.That(share.High, Is.EqualTo(high).Within(0.0001));
    }

    [Test]
    public void Of_nothing_nothing_is_known() => Assert.That(Share.Wilson(0, 0), Is.Null);

    [Test]
    public void The_interval_holds_the_share_and_stays_within_0_and_1() =>
        Gen.Select(Gen.Long[1, 10_000_000], Gen.Double[0, 1]).Sample((of, part) =>
        {
            var share = Share.Wilson((long)(part * of), of)!;
            return share.Low >= 0 && share.Low <= share.Value && share.Value <= share.High && share.High <= 1;
        });
}
