using BenchmarkDotNet.Attributes;
using SignupGuard.Cel;

namespace SignupGuard.Benchmarks.Cel;

/// <summary>One evaluation of one rule over facts whose readers look like the policy's: a signal that may be absent, a value in it that may be absent.</summary>
[MemoryDiagnoser]
public class RuleEvaluation
{
    private const string FreeMailBurst = "email.free && email.digit_ratio > 0.5 && link.ip.last_1h > 8.0";
    private const string Hosting = "ip.hosting && !(has(ip.tor) && ip.tor)";
    private const string Regions = "email.domain in ['a.example', 'b.example', 'c.example', 'd.example', 'e.example', 'mail.example']";
    private const string Pattern = "email.domain.matches('^[a-z]+[.]example$')";
    private const string Comprehension = "tags.exists(tag, tag == 'c' || tag == 'd')";

    public sealed record Email(string? Domain, bool? Free, double? DigitRatio);

    public sealed record Ip(bool? Hosting, bool? Tor);

    public sealed record Link(double LastHour);

    public sealed record Facts(Email? Email, Ip? Ip, Link? Link, CelValue Tags);

    private static readonly Facts Full = new(
        new Email("mail.example", true, 0.7),
        new Ip(true, false),
        new Link(12),
        CelValue.From([CelValue.From("a"), CelValue.From("b"), CelValue.From("c")]));

    private static readonly Facts Empty = new(null, null, null, CelValue.Missing("tags"));

    private static readonly CelEnvironment<Facts> Environment = CelEnvironment<Facts>.Create()
        .Field("email.domain", CelType.String, facts => CelValue.From(facts.Email?.Domain, "email.domain"), "")
        .Field("email.free", CelType.Bool, facts => CelValue.From(facts.Email?.Free, "email.free"), "")
        .Field("email.digit_ratio", CelType.Double, facts => CelValue.From(facts.Email?.DigitRatio, "email.digit_ratio"), "")
        .Field("ip.hosting", CelType.Bool, facts => CelValue.From(facts.Ip?.Hosting, "ip.hosting"), "")
        .Field("ip.tor", CelType.Bool, facts => CelValue.From(facts.Ip?.Tor, "ip.tor"), "")
        .Field("link.ip.last_1h", CelType.Double, facts => CelValue.From(facts.Link?.LastHour, "link.ip.last_1h"), "")
        .Field("tags", CelType.List(CelType.String), facts => facts.Tags, "")
        .Build();

    private CelProgram<Facts> _program = null!;

    [Params(FreeMailBurst, Hosting, Regions, Pattern, Comprehension)]
    public string Rule { get; set; } = FreeMailBurst;

    [GlobalSetup]
    public void Compile() => _program = Environment.Compile(Rule, CelType.Bool).Program!;

    [Benchmark]
    public CelValue Known() => _program.Evaluate(Full);

    [Benchmark]
    public CelValue Missing() => _program.Evaluate(Empty);
}
