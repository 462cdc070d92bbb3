using System.Globalization;
using System.Text;
using CsCheck;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Policies;

/// <summary>
/// Policies by people who mean ill. Each is refused, and where it is wrong is said; the work for that is bounded by the reader's and the compiler's own
/// limits. What is measured here is memory, which one bad bound would let grow a thousandfold: time on a busy machine proves nothing.
/// </summary>
public sealed class HostilePolicyTests
{
    private const string Head = "name: x\nbase_rate: 0.1\nthresholds: { review: 50, deny: 90 }\nfailure_verdict: review\n";

    /// <summary>Bytes that reading a refused policy may allocate: some copies of the longest document.</summary>
    private const long BytesMax = 96L * 1024 * 1024;

    private static PolicyReading Read(string yaml)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var reading = PolicyReader.Read(yaml, 1);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(BytesMax));
        return reading;
    }

    private static PolicyReading Rule(string when) => Read($"{Head}rules:\n  - {{ id: a, points: 1, code: A, text: t, when: {Quoted(when)} }}\n");

    private static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    private static void Refuses(PolicyReading reading, string path, string? message = null)
    {
        Assert.That(reading.Policy, Is.Null);
        Assert.That(reading.Issues, Is.Not.Empty);
        Assert.That(reading.Issues[0].Path, Is.EqualTo(path));
        if (message is not null) Assert.That(reading.Issues[0].Message, Does.Contain(message));
        // An issue is read by people and sent over the wire.
        Assert.That(reading.Issues.Sum(issue => issue.Message.Length), Is.LessThan(64 * 1024));
    }

    [Test]
    public void Anchors_that_expand_are_refused_before_they_do()
    {
        var yaml = new StringBuilder(Head).Append("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (var letter = 'b'; letter <= 'z'; letter++) yaml.Append(CultureInfo.InvariantCulture, $"{letter}: &{letter} [{string.Join(", ", Enumerable.Repeat($"*{(char)(letter - 1)}", 9))}]\n");
        Refuses(Read(yaml.ToString()), "line 5", "Anchors");
        Refuses(Read($"{Head}rules: [*a]\n"), "line 5", "Aliases");
        Refuses(Read($"{Head}rules:\n  - &r {{ id: a, when: 'true', points: 1, code: A, text: t }}\n  - *r\n"), "line 6", "Anchors");
    }

    [Test]
    public void A_document_nested_without_end_is_refused_at_its_depth()
    {
        Refuses(Read(Head + "rules: " + new string('[', 900_000)), "line 5", "inside one another");
        Refuses(Read(Head + "rules: " + string.Concat(Enumerable.Repeat("{a: ", 200_000))), "line 5", "inside one another");
        var blocks = new StringBuilder(Head).Append("rules:\n");
        for (var depth = 1; depth <= 1_000; depth++) blocks.Append(' ', depth).Append("a:\n");
        Refuses(Read(blocks.ToString()), "line 21", "inside one another");
    }

    [TestCase("rules: !!System.Diagnostics.Process [x]")]
    [TestCase("rules: !<tag:yaml.org,2002:System.IO.FileInfo> /etc/passwd")]
    [TestCase("name: !!binary aGk=")]
    [TestCase("rules: !ruby/object:Gem::Installer {}")]
    public void A_document_does_not_choose_types(string line) => Refuses(Read($"base_rate: 0.1\n{line}\n"), "line 2", "Tags");

    [Test]
    public void A_second_document_behind_the_first_is_refused() => Refuses(Read($"{Head}---\n{Head}"), "line 5", "one document");

    [Test]
    public void A_document_too_long_is_not_read_at_all() => Refuses(Read(new string('#', PolicyReader.DocumentCharactersMax + 1)), "");

    [TestCase("\u202e", 5)]
    [TestCase("\u200b", 5)]
    [TestCase("\u2066", 5)]
    [TestCase("\u00ad", 5)]
    [TestCase("\u0007", 5)]
    [TestCase("\u2028", 5)]
    [TestCase("\ufeff", 5)]
    public void A_character_that_hides_what_a_rule_says_is_refused_in_rules_and_comments_and_behind_escapes(string hidden, int line)
    {
        Refuses(Read($"{Head}# deny {hidden} everyone\n"), $"line {line}", "can't be seen");
        Refuses(Read($"{Head}rules: [{{ id: a, when: 'email.free && \"{hidden}\" == \"\"', points: 1, code: A, text: t }}]\n"), $"line {line}", "can't be seen");
        Refuses(Read($"{Head}rules: [{{ id: a, when: 'true', points: 1, code: A, text: \"\\u{(int)hidden[0]:x4}\" }}]\n"), $"line {line}", "can't be seen");
    }

    [Test]
    public void Names_that_only_look_like_a_field_are_no_field()
    {
        // Cyrillic, full width, and a letter with an accent of its own.
        foreach (var name in new[] { "еmail.free", "ｅmail.free", "email.fre\u0301e", "email․free" }) Refuses(Rule(name), "rules[0].when");
        Refuses(Read($"{Head}rules: [{{ id: аdmin, when: 'true', points: 1, code: A, text: t }}]\n"), "rules[0].id");
    }

    [TestCase("''.GetType()")]
    [TestCase("email.domain.GetType().Assembly")]
    [TestCase("type(email).Assembly.Load('x')")]
    [TestCase("System.IO.File.ReadAllText('/etc/passwd') == ''")]
    [TestCase("email.__proto__ == null")]
    [TestCase("signup.SignupId == ''")]
    [TestCase("facts.Signals == null")]
    [TestCase("custom.constructor.prototype()")]
    [TestCase("google.protobuf.Struct{} == null")]
    [TestCase("email.Canonical == ''")]
    [TestCase("Policy.Rules.size() > 0")]
    [TestCase("this.Linkage == null")]
    [TestCase("string(email) == ''")]
    [TestCase("list.hits.size() > 0")]
    public void A_rule_reaches_nothing_but_its_facts(string when) => Refuses(Rule(when), "rules[0].when");

    [Test]
    public void Expressions_beyond_the_compilers_limits_are_refused_with_a_place()
    {
        foreach (var when in new[]
        {
            new string('(', 4_000) + "true" + new string(')', 4_000),
            string.Concat(Enumerable.Repeat("!", 5_000)) + "true",
            string.Concat(Enumerable.Repeat("[", 3_000)),
            "true" + string.Concat(Enumerable.Repeat(" ? true : true", 500)),
            "email.local == '" + new string('a', 100_000) + "'",
            "email.digits == 9" + new string('9', 400),
            "[" + string.Join(',', Enumerable.Repeat("1", 3_000)) + "].size() > 0",
            "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, true))))",
            "email.local.matches('(a{1,200}){1,200}{1,200}')",
            "email.local.matches('" + new string('a', 600) + "')",
            "email.local.matches('(?<=a)b')",
            "email.local.matches('(a)\\\\1')",
            "email.local.matches(email.domain)",
            string.Join(" || ", Enumerable.Repeat("email.local.matches('a+')", 17)),
            "custom.all(a, b, custom.all(c, d, custom.all(e, f, custom.size() > 0)))",
        })
        {
            Refuses(Rule(when), "rules[0].when");
            Assert.That(Rule(when).Issues[0].ToString(), Does.Match("[0-9]+:[0-9]+: "), when[..Math.Min(when.Length, 60)]);
        }
    }

    [Test]
    public void A_catastrophic_pattern_costs_no_more_than_any_other()
    {
        // These take a backtracking engine until the end of time; here they are linear, so that they may stand.
        foreach (var pattern in new[] { "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(x+x+)+y", "^(.*a){12}$" })
        {
            var reading = Rule($"email.local.matches('{pattern}')");
            Assert.That(reading.Issues, Is.Empty, pattern);
            var signup = new Signup
            {
                SignupId = "s",
                OccurredAt = DateTimeOffset.UnixEpoch,
                Email = new EmailInput(new string('a', 63) + "!@example.org", null),
            };
            var judgement = reading.Policy!.Judge(new Facts(signup, Signals(signup), new LinkSet([]), null));
            Assert.That(judgement.Undecided, Is.Empty, pattern);
        }
    }

    [Test]
    public void A_thousand_rules_are_read_and_judged_and_more_than_may_be_are_refused()
    {
        static string Rules(int count) => Head + "rules:\n" + string.Concat(Enumerable.Range(0, count).Select(i =>
            string.Create(CultureInfo.InvariantCulture, $"  - {{ id: r{i}, when: 'email.length > {i % 40} && email.domain != \"d{i}.example\"', points: 0.01, code: R{i}, text: t }}\n")));
        var reading = PolicyReader.Read(Rules(1_000), 1);
        Assert.That(reading.Issues, Is.Empty);
        var signup = new Signup
        {
            SignupId = "s",
            OccurredAt = DateTimeOffset.UnixEpoch,
            Email = new EmailInput("anna.maria@example.org", null),
        };
        Assert.That(reading.Policy!.Judge(new Facts(signup, Signals(signup), new LinkSet([]), null)).Reasons, Has.Count.EqualTo(250));
        Refuses(PolicyReader.Read(Rules(PolicyReader.RulesMax + 1), 1), "rules");
    }

    [TestCase("labels: ['two words']", "labels")]
    [TestCase("labels: [\"<script>\"]", "labels")]
    [TestCase("labels: ['']", "labels")]
    [TestCase("obligations: [require:phone, 'x\u00e9']", "obligations")]
    public void Labels_and_obligations_are_words_for_programs(string part, string field) =>
        Refuses(Read($"{Head}rules: [{{ id: a, when: 'true', points: 1, code: A, text: t, {part} }}]\n"), $"rules[0].{field}");

    [Test]
    public void Numbers_that_are_none_are_refused_everywhere()
    {
        foreach (var number in new[] { ".nan", ".inf", "-.inf", "1e999", "-1e999" })
        {
            Assert.That(Read(Head.Replace("0.1", number, StringComparison.Ordinal)).Policy, Is.Null, number);
            Assert.That(Read($"{Head}rules: [{{ id: a, when: 'true', points: {number}, code: A, text: t }}]\n").Policy, Is.Null, number);
            Assert.That(Read($"{Head}linkage: {{ keys: [{{ key: card, class: hard, half_life_days: {number} }}] }}\n").Policy, Is.Null, number);
            Assert.That(Read($"{Head}linkage: {{ soft: {{ weight: {number} }} }}\n").Policy, Is.Null, number);
            Assert.That(Read($"{Head}safeguard: {{ organisation_share: {number} }}\n").Policy, Is.Null, number);
        }
    }

    private static readonly string[] Pieces = ["[", "]", "{", "}", ":", "- ", "\n", "  ", "'", "\"", "&a ", "*a", "!!t ", "---\n", "|\n", ">-\n", "#", "\t", "\0", "\u202e", "rules:", "when: ", "0", "1e9", "null", "~", "true", "((((", "email.", ".all(x, "];

    /// <summary>The shipped policy with pieces cut out, doubled and thrown in.</summary>
    [Test]
    public void A_damaged_policy_is_read_or_refused_and_never_throws() =>
        Gen.Select(Gen.Double[0, 1], Gen.Int[0, 400], Gen.Int[0, Pieces.Length - 1], Gen.Int[0, 2]).Array[1, 6].Sample(edits =>
        {
            var yaml = DefaultPolicy.Yaml;
            foreach (var (place, length, piece, what) in edits)
            {
                var at = (int)(place * yaml.Length);
                var cut = Math.Min(length, yaml.Length - at);
                yaml = what switch
                {
                    0 => yaml.Remove(at, cut),
                    1 => yaml.Insert(at, yaml.Substring(at, cut)),
                    _ => yaml.Insert(at, Pieces[piece]),
                };
            }
            var reading = PolicyReader.Read(yaml, 1);
            return reading.Policy is null == reading.Issues.Count > 0;
        }, iter: 300);

    private static SignupSignals Signals(Signup signup) => new()
    {
        Email = EmailDerivation.Derive(signup.Email, Subject.None, new EmailReference()),
        Phone = Signal<PhoneSignals>.Missing("NONE"),
        Ip = Signal<IpSignals>.Missing("NONE"),
        Device = Signal<DeviceSignals>.Missing("NONE"),
        Payment = Signal<PaymentSignals>.Missing("NONE"),
    };
}
