using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Tests.Policies;

public sealed class PolicyDiffTests
{
    private static PolicyDocument Document(string? yaml = null) => PolicyReader.Parse(yaml ?? DefaultPolicy.Yaml, out _)!;

    private static string Default => DefaultPolicy.Yaml;

    [Test]
    public void A_document_does_not_differ_from_itself() => Assert.That(PolicyDiff.Between(Document(), Document()), Is.Empty);

    [Test]
    public void Comments_spelling_and_order_are_no_difference()
    {
        const string One = "name: a\nthresholds: { review: 50, deny: 90 }\nrules:\n  - { id: x, when: 'true', points: 1 }\n  - { id: y, when: 'true', points: 2 }\n";
        const string Two = "# other\nname: \"a\"\nthresholds:\n  deny: 90.0\n  review: 50\nrules:\n  - { id: y, points: 2.0, when: 'true', mode: live, labels: [] }\n  - { id: x, points: 1, when: 'true' }\n";
        Assert.That(PolicyDiff.Between(Document(One), Document(Two)), Is.Empty);
    }

    [Test]
    public void Added_removed_and_changed_parts_are_named_with_old_and_new()
    {
        var to = Default;
        foreach (var (pattern, now) in new[]
        {
            (@"\breview: [\d.]+", "review: 12"), ("id: email_random", "id: email_digits"), (@"when: ip\.tor, points: [\d.]+", "when: ip.tor, points: 1.875"),
            (@"key: phone, class: hard, tolerance: \d+", "key: phone, class: hard, tolerance: 7"),
        })
            to = Changed(to, pattern, now);
        var differences = PolicyDiff.Between(Document(), Document(to));
        Assert.That(differences.Select(difference => (difference.Section, difference.Id, difference.Kind)), Is.EquivalentTo(new[]
        {
            ("thresholds", "", DifferenceKind.Changed),
            ("linkage.keys", "phone", DifferenceKind.Changed),
            ("rules", "email_digits", DifferenceKind.Added),
            ("rules", "email_random", DifferenceKind.Removed),
            ("rules", "ip_tor", DifferenceKind.Changed),
        }));
        Assert.That(differences.Single(difference => difference.Id == "ip_tor").Fields.Single() is { Field: "points", Old.Length: > 0, New: "1.875" });
        Assert.That(differences.Single(difference => difference.Section == "thresholds").Fields.Single() is { Field: "review", Old.Length: > 0, New: "12" });
        Assert.That(differences.Single(difference => difference.Id == "email_digits").Fields, Has.Some.Matches<FieldDifference>(field => field is { Field: "points", Old: null, New: not null }));
    }

    /// <summary>Whoever adds a field to the document must compare it, too: a change that no difference shows is one that nobody approves.</summary>
    [Test]
    public void Every_field_of_the_document_is_compared()
    {
        var compared = 0;
        void Check(object part, Action<object> change, string path)
        {
            foreach (var property in part.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
            {
                var to = Document();
                change(to);
                var target = Target(to, path);
                // Sections and lists of rules: their own fields are checked by themselves.
                if (!Others.TryGetValue(property.PropertyType, out var other)) continue;
                property.SetValue(target, other(property.GetValue(target)));
                Assert.That(PolicyDiff.Between(Document(), to), Is.Not.Empty, $"{path}.{property.Name}");
                compared++;
            }
        }
        foreach (var path in (string[])["", "Thresholds", "Calibration", "Safeguard", "Linkage", "Linkage.Soft", "Linkage.Promotion", "Linkage.Keys", "Rules"])
            Check(Target(Document(), path), _ => { }, path);
        Assert.That(compared, Is.GreaterThan(40));
    }

    private static object Target(PolicyDocument document, string path)
    {
        object target = document;
        foreach (var name in path.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            target = target.GetType().GetProperty(name)!.GetValue(target)!;
            if (target is IList list) target = list[0]!;
        }
        return target;
    }

    /// <summary>Another value than a field has.</summary>
    private static readonly Dictionary<Type, Func<object?, object>> Others = new()
    {
        [typeof(string)] = value => value + "x",
        [typeof(double)] = value => (double)value! + 0.125,
        [typeof(double?)] = value => (double)(value ?? 0d) + 0.125,
        [typeof(long)] = value => (long)value! + 1,
        [typeof(int)] = value => (int)value! + 1,
        [typeof(bool)] = value => !(bool)value!,
        [typeof(List<string>)] = _ => new List<string> { "other" },
    };

    [TestCase(@"\breview: [\d.]+", "review: 12", ExpectedResult = 0)]
    [TestCase(@"\bpoints: [\d.]+", "points: 1.875", ExpectedResult = 0)]
    [TestCase(@"organisation_share: [\d.]+", "organisation_share: 0.75", ExpectedResult = 0)]
    [TestCase(@"\{ key: bin\+skeleton, class: soft,", "{ key: bin+skeleton, class: soft, mode: shadow,", ExpectedResult = 0, Description = "counted either way")]
    [TestCase(@"\{ key: bin\+skeleton, class: soft,", "{ key: bin+skeleton, class: soft, mode: off,", ExpectedResult = 1)]
    [TestCase(@"key: phone, class: hard, tolerance: \d+", "key: phone, class: hard, tolerance: 7", ExpectedResult = 1)]
    [TestCase(@"promotion: \{ surprise: [\d.]+", "promotion: { surprise: 2.25", ExpectedResult = 1)]
    [TestCase(@"\bbest: \d+", "best: 9", ExpectedResult = 1)]
    [TestCase(@" +- \{ key: bin\+skeleton,[^}]*\}\n", "", ExpectedResult = 1)]
    [TestCase(@"domain_age_days >= \d+", "domain_age_days >= 91", ExpectedResult = 1)]
    public int A_shadow_covers_what_is_judged_and_not_what_is_counted(string from, string to)
    {
        return PolicyDiff.BeyondShadow(Document(), Document(Changed(Default, from, to))).Count;
    }

    /// <summary>One thing changed, found by pattern: the shipped numbers are not the test's concern.</summary>
    private static string Changed(string yaml, string pattern, string to)
    {
        Assert.That(yaml, Does.Match(pattern));
        return new Regex(pattern).Replace(yaml, to, 1);
    }
}
