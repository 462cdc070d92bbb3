using SignupGuard.Simulation.Randomness;
using SignupGuard.Simulation.World;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>The attack families and their shares of all attacks in the default mix.</summary>
public static class Families
{
    public const string DatacentreScript = "datacentre_script";
    public const string ResidentialCards = "residential_cards";
    public const string VirtualBin = "virtual_bin";
    public const string DeviceFarm = "device_farm";
    public const string CatchAll = "catch_all";
    public const string MailAliases = "mail_aliases";
    public const string SlowDrip = "slow_drip";
    public const string Hydra = "hydra";
    public const string ProgrammeAbuse = "programme_abuse";
    public const string CrowdWorkers = "crowd_workers";
    public const string CompanyFront = "company_front";
    public const string SeveralDoors = "several_doors";
    public const string Adaptive = "adaptive";
    public const string Poisoner = "poisoner";

    /// <summary>Shares of attack signups in the default mix; together 1.</summary>
    public static readonly IReadOnlyList<(string Name, double Share)> Shares =
    [
        (Hydra, 0.22), (ResidentialCards, 0.12), (VirtualBin, 0.09), (CatchAll, 0.09), (DeviceFarm, 0.08), (DatacentreScript, 0.08), (MailAliases, 0.06),
        (ProgrammeAbuse, 0.06),
        (SlowDrip, 0.05), (Adaptive, 0.04), (CrowdWorkers, 0.04), (SeveralDoors, 0.03), (CompanyFront, 0.03), (Poisoner, 0.01),
    ];

    public static readonly IReadOnlyList<string> All = [.. Shares.Select(family => family.Name)];

    /// <summary>
    /// Families that leave no link by construction, or none that honest customers do not leave too: every crowd worker is another person on an own
    /// line, machine and card; a front looks like a company. They are the control, left out of the "linkable" figures.
    /// </summary>
    public static readonly IReadOnlyList<string> Unlinkable = [CrowdWorkers, CompanyFront];

    /// <summary>Counts of the default mix beside so many benign signups.</summary>
    public static IReadOnlyDictionary<string, int> DefaultMix(int benign)
    {
        var attacks = (int)Math.Round(benign * SimulationOptions.AttackShareDefault / (1 - SimulationOptions.AttackShareDefault));
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var left = attacks;
        foreach (var (name, share) in Shares.Reverse())
        {
            var count = name == Hydra ? left : Math.Min(left, (int)Math.Round(attacks * share));
            counts[name] = count;
            left -= count;
        }
        return counts;
    }

    internal static IEnumerable<Campaign> Make(Surroundings world, SimulationOptions options)
    {
        var counts = options.Families ?? DefaultMix(options.Benign);
        foreach (var family in All)
        {
            if (!counts.TryGetValue(family, out var count) || count == 0) continue;
            var random = RandomSource.For(world.Seed, "family " + family);
            var sizes = Split(random, count, family == Hydra ? 2 : 3, Parameter.CampaignSize(family).Range(options));
            for (var i = 0; i < sizes.Length; i++)
            {
                var setting = new CampaignSetting(world, options, family, $"{family}-{i + 1}", sizes[i], RandomSource.For(world.Seed, family, (ulong)i + 1));
                yield return family switch
                {
                    DatacentreScript => new DatacentreScript(setting),
                    ResidentialCards => new ResidentialCards(setting),
                    VirtualBin => new VirtualBin(setting),
                    DeviceFarm => new DeviceFarm(setting),
                    CatchAll => new CatchAll(setting),
                    MailAliases => new MailAliases(setting),
                    SlowDrip => new SlowDrip(setting),
                    Hydra => new Hydra(setting),
                    ProgrammeAbuse => new ProgrammeAbuse(setting),
                    CrowdWorkers => new CrowdWorkers(setting),
                    CompanyFront => new CompanyFront(setting),
                    SeveralDoors => new SeveralDoors(setting),
                    Adaptive => new Adaptive(setting),
                    Poisoner => new Poisoner(setting),
                    _ => throw new InvalidOperationException($"The family {family} has no campaign."),
                };
            }
        }
    }

    /// <summary>Campaigns of about the size the range says, several where there are accounts for several, together exactly the count.</summary>
    private static int[] Split(RandomSource random, int count, int least, ParameterRange size)
    {
        var campaigns = Math.Max(Math.Min(least, count), (int)Math.Round(count * 2 / (size.Low + size.High)));
        var weights = new double[campaigns];
        for (var i = 0; i < campaigns; i++) weights[i] = random.Between(size.Low, size.High);
        var sum = weights.Sum();
        var sizes = new int[campaigns];
        var left = count;
        for (var i = 0; i < campaigns; i++)
        {
            sizes[i] = i == campaigns - 1 ? left : Math.Clamp((int)Math.Round(count * weights[i] / sum), 1, left - (campaigns - 1 - i));
            left -= sizes[i];
        }
        return sizes;
    }
}
