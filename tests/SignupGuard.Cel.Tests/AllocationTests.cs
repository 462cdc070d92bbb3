namespace SignupGuard.Cel.Tests;

/// <summary>One evaluation of a rule allocates nothing: at a thousand signups a second and a hundred rules, garbage would cost more than the rules.</summary>
public sealed class AllocationTests
{
    private sealed class Facts
    {
        public string? Domain { get; init; } = "mail.example";

        public bool? Free { get; init; } = true;

        public double? Ratio { get; init; } = 0.7;

        public double? LastHour { get; init; } = 12;

        public long? Accounts { get; init; } = 3;

        public CelValue Custom { get; } = CelValue.From(new Dictionary<string, CelValue> { ["tier"] = CelValue.From("gold") });

        public CelValue Regions { get; } = CelValue.From([CelValue.From("DE"), CelValue.From("FR")]);
    }

    private static readonly CelEnvironment<Facts> Environment = CelEnvironment<Facts>.Create()
        .Field("email.domain", CelType.String, facts => CelValue.From(facts.Domain, "email.domain"), "")
        .Field("email.free", CelType.Bool, facts => CelValue.From(facts.Free, "email.free"), "")
        .Field("email.digit_ratio", CelType.Double, facts => CelValue.From(facts.Ratio, "email.digit_ratio"), "")
        .Field("link.ip.last_1h", CelType.Double, facts => CelValue.From(facts.LastHour, "link.ip.last_1h"), "")
        .Field("link.device.accounts", CelType.Int, facts => CelValue.From(facts.Accounts, "link.device.accounts"), "")
        .Field("custom", CelType.Map(CelType.Dyn), facts => facts.Custom, "")
        .Field("regions", CelType.List(CelType.String), facts => facts.Regions, "")
        .Function("velocity", CelType.Double, [CelType.String, CelType.String], (facts, _) => CelValue.From(facts.LastHour!.Value), "")
        .Build();

    private static readonly Facts Full = new();
    private static readonly Facts Sparse = new() { Domain = null, Free = null, Ratio = null, LastHour = null, Accounts = null };

    [TestCase("email.free && email.digit_ratio > 0.5 && link.ip.last_1h > 8.0")]
    [TestCase("email.free && email.digit_ratio > 0.5 && link.ip.last_1h > 8")]
    [TestCase("email.free && !(has(email.domain) && email.domain == 'x')")]
    [TestCase("link.device.accounts >= 4 || email.domain.endsWith('.example') || email.domain.startsWith('x')")]
    [TestCase("email.domain in ['a', 'b', 'c', 'mail.example'] && !(link.device.accounts in [1, 2, 5])")]
    [TestCase("email.domain.matches('^[a-z]+[.]example$')")]
    [TestCase("velocity('ip', '1h') > 5.0 && velocity(email.domain, '1h') > 5.0 || true")]
    [TestCase("link.device.accounts * 2 + 1 > 6 && link.ip.last_1h / 2.0 > 1.0")]
    [TestCase("custom.tier == 'gold' && has(custom.tier) && !has(custom.other)")]
    [TestCase("regions.exists(r, r == 'FR') && regions.all(r, r != 'US') && 'DE' in regions")]
    [TestCase("email.free ? email.digit_ratio > 0.5 : link.ip.last_1h > 8.0")]
    public void A_rule_evaluates_without_allocating(string source)
    {
        var program = Environment.Compile(source, CelType.Bool).Program!;
        foreach (var facts in new[] { Full, Sparse })
        {
            for (var i = 0; i < 1_000; i++) program.Evaluate(facts);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1_000; i++) program.Evaluate(facts);
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        }
    }
}
