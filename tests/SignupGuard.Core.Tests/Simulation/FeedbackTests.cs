using Google.Protobuf;
using SignupGuard.Simulation;
using SignupGuard.Simulation.Campaigns;

namespace SignupGuard.Core.Tests.Simulation;

/// <summary>Attackers who are told what was denied.</summary>
public sealed class FeedbackTests
{
    private static SimulationOptions Options(string family, int count) => new()
    {
        Seed = 9,
        Benign = 500,
        Days = 6,
        Families = new Dictionary<string, int> { [family] = count },
    };

    private static List<SimulatedSignup> RunDenying(SimulationOptions options, Func<SimulatedSignup, int, bool> deny)
    {
        var run = new SimulationRun(options);
        var signups = new List<SimulatedSignup>();
        var seen = 0;
        foreach (var signup in run.Signups())
        {
            signups.Add(signup);
            if (signup.Fraud && deny(signup, seen++)) run.ReportDenied(signup);
        }
        return signups;
    }

    [Test]
    public void A_denied_hydra_account_is_replaced_within_minutes_and_the_count_stays()
    {
        var options = Options(Families.Hydra, 120);
        var without = SimulationRun.Of(options).Where(s => s.Fraud).ToList();
        // Accounts after which the campaign would have paused for more than an hour.
        var lonely = without.Where(s => Next(without, s) is { } next && next - At(s) > TimeSpan.FromHours(1)).Select(s => s.Signup.SignupId).ToList();
        Assert.That(lonely, Has.Count.GreaterThan(3));

        var with = RunDenying(options, (signup, _) => signup.Signup.SignupId == lonely[1]);
        var fraud = with.Where(s => s.Fraud).ToList();
        Assert.That(fraud, Has.Count.EqualTo(120));
        Assert.That(with.Select(At), Is.Ordered);
        var denied = fraud.Single(s => s.Signup.SignupId == lonely[1]);
        Assert.That(Next(fraud, denied) - At(denied), Is.LessThan(TimeSpan.FromMinutes(45)));

        static DateTimeOffset At(SimulatedSignup s) => s.Signup.OccurredAt.ToDateTimeOffset();
        static DateTimeOffset? Next(List<SimulatedSignup> signups, SimulatedSignup after) =>
            signups.Where(s => s.Campaign == after.Campaign && At(s) > At(after)).Select(s => (DateTimeOffset?)At(s)).Min();
    }

    [Test]
    public void An_adaptive_attacker_drops_what_is_denied()
    {
        var options = Options(Families.Adaptive, 300);
        // Deny everything on a card or a profile that was denied before, as a detector would that learns keys.
        var bad = new HashSet<string>();
        var denied = 0;
        RunDenying(options, (signup, i) =>
        {
            string?[] keys = [signup.Signup.Payment?.InstrumentFingerprint, signup.Signup.Device.Fingerprint];
            var deny = i % 10 == 0 || keys.Any(key => !string.IsNullOrEmpty(key) && bad.Contains(key));
            if (!deny) return false;
            denied++;
            foreach (var key in keys) if (!string.IsNullOrEmpty(key)) bad.Add(key);
            return true;
        });
        var still = new HashSet<string>();
        var blind = 0;
        var count = 0;
        foreach (var signup in SimulationRun.Of(options).Where(s => s.Fraud))
        {
            string?[] keys = [signup.Signup.Payment?.InstrumentFingerprint, signup.Signup.Device.Fingerprint];
            if (count++ % 10 != 0 && !keys.Any(key => !string.IsNullOrEmpty(key) && still.Contains(key))) continue;
            blind++;
            foreach (var key in keys) if (!string.IsNullOrEmpty(key)) still.Add(key);
        }
        Assert.That(denied, Is.LessThan(blind * 0.75), "it gets more through than one who does not look");
    }

    [Test]
    public void The_same_feedback_gives_the_same_bytes_and_telling_twice_changes_nothing()
    {
        var options = Options(Families.Adaptive, 200);
        var once = RunDenying(options, (_, i) => i % 3 == 0).Select(s => s.Signup.ToByteString()).ToList();
        var run = new SimulationRun(options);
        var twice = new List<ByteString>();
        var fraud = 0;
        foreach (var signup in run.Signups())
        {
            twice.Add(signup.Signup.ToByteString());
            if (!signup.Fraud || fraud++ % 3 != 0) continue;
            run.ReportDenied(signup);
            run.ReportDenied(signup);
        }
        Assert.That(twice, Is.EqualTo(once));
    }

    [Test]
    public void Honest_people_do_not_react()
    {
        var options = Options(Families.Hydra, 100);
        var run = new SimulationRun(options);
        var told = new List<ByteString>();
        foreach (var signup in run.Signups())
        {
            told.Add(signup.Signup.ToByteString());
            if (!signup.Fraud) run.ReportDenied(signup);
        }
        Assert.That(told, Is.EqualTo(SimulationRun.Of(options).Select(s => s.Signup.ToByteString())));
    }
}
