using SignupGuard.Simulation.Randomness;

namespace SignupGuard.Simulation.Campaigns;

/// <summary>
/// One number of a family's ways. Each campaign draws its own value, from the default range for tuning or from the held-out range for measuring.
/// </summary>
public sealed record Parameter(string Name, string Meaning, ParameterRange Default, ParameterRange HeldOut)
{
    private static readonly List<Parameter> Known = [];

    /// <summary>Every parameter there is, in the order of the families.</summary>
    public static IReadOnlyList<Parameter> All
    {
        get
        {
            System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(Parameters).TypeHandle);
            return Known;
        }
    }

    /// <summary>The range in force under the options.</summary>
    public ParameterRange Range(SimulationOptions options) =>
        options.ParameterOverrides.TryGetValue(Name, out var range) ? range : options.Parameters == ParameterSet.HeldOut ? HeldOut : Default;

    internal static Parameter Define(string name, string meaning, (double Low, double High) tuning, (double Low, double High) heldOut)
    {
        var parameter = new Parameter(name, meaning, new ParameterRange(tuning.Low, tuning.High), new ParameterRange(heldOut.Low, heldOut.High));
        Known.Add(parameter);
        return parameter;
    }

    internal static Parameter CampaignSize(string family) => All.First(parameter => parameter.Name == family + ".accounts");
}

/// <summary>The families' parameters. Judgement after public reports; the held-out ranges reach beyond the tuned ones on both sides.</summary>
internal static class Parameters
{
    public static readonly Parameter ProxyOnCustomerLines = Define(
        "proxies.on_customer_lines", "share of residential proxy exits that are the line of a recent real customer", (0.04, 0.12), (0.02, 0.2));
    public static readonly Parameter ProxyKnown = Define("proxies.known", "share of residential proxy exits the edge's provider knows", (0.15, 0.4), (0.08, 0.5));
    public static readonly Parameter ZoneMatched = Define(
        "tools.zone_matched", "share of accounts whose machine's time zone is set to the exit's country", (0.6, 0.95), (0.45, 0.99));
    public static readonly Parameter ToolHandshake = Define(
        "tools.handshake_shows", "share of tool sets whose TLS handshake is not that of the browser they claim", (0.1, 0.3), (0.05, 0.45));

    public static readonly Parameter ToolCloned = Define(
        "tools.cloned", "share of tool sets whose profiles copy the fingerprints of ordinary machines", (0.1, 0.35), (0.05, 0.5));

    public static readonly Parameter DatacentreAccounts = Define("datacentre_script.accounts", "accounts a campaign", (150, 700), (80, 1200));
    public static readonly Parameter DatacentreHours = Define("datacentre_script.hours", "length, hours", (3, 40), (1, 90));
    public static readonly Parameter DatacentrePerIp = Define("datacentre_script.accounts_per_ip", "accounts an address", (3, 16), (1.5, 30));
    public static readonly Parameter DatacentreFingerprints = Define("datacentre_script.fingerprints", "fingerprints of the script", (1, 5), (1, 10));
    public static readonly Parameter DatacentreAutomation = Define(
        "datacentre_script.automation_seen", "share of accounts where the page notices automation", (0.1, 0.5), (0.02, 0.6));

    public static readonly Parameter ResidentialAccounts = Define("residential_cards.accounts", "accounts a campaign", (200, 900), (100, 1500));
    public static readonly Parameter ResidentialDays = Define("residential_cards.days", "length, days", (2, 9), (1, 14));
    public static readonly Parameter ResidentialPerIp = Define("residential_cards.accounts_per_ip", "accounts an address", (1, 2.5), (1, 4));
    public static readonly Parameter ResidentialPerCard = Define("residential_cards.accounts_per_card", "accounts a stolen card", (2, 5), (1.4, 7));
    public static readonly Parameter ResidentialPerFingerprint = Define(
        "residential_cards.accounts_per_fingerprint", "accounts a browser profile", (10, 35), (5, 60));
    public static readonly Parameter ResidentialBins = Define("residential_cards.bins", "card ranges", (4, 14), (3, 24));

    public static readonly Parameter VirtualAccounts = Define("virtual_bin.accounts", "accounts a campaign", (150, 800), (80, 1400));
    public static readonly Parameter VirtualDays = Define("virtual_bin.days", "length, days", (1, 7), (0.5, 12));
    public static readonly Parameter VirtualBins = Define("virtual_bin.bins", "virtual-card ranges", (1, 2), (1, 4));
    public static readonly Parameter VirtualPerIp = Define("virtual_bin.accounts_per_ip", "accounts an address", (1, 3), (1, 5));
    public static readonly Parameter VirtualPerFingerprint = Define("virtual_bin.accounts_per_fingerprint", "accounts a browser profile", (8, 30), (4, 50));
    public static readonly Parameter VirtualSequence = Define("virtual_bin.accounts_per_stem", "addresses numbered from one stem", (20, 120), (8, 200));

    public static readonly Parameter FarmAccounts = Define("device_farm.accounts", "accounts a campaign", (120, 500), (60, 900));
    public static readonly Parameter FarmDays = Define("device_farm.days", "length, days", (2, 8), (1, 13));
    public static readonly Parameter FarmPhones = Define("device_farm.phones", "phones", (12, 60), (6, 120));
    public static readonly Parameter FarmPerReset = Define(
        "device_farm.accounts_per_reset", "accounts on a phone before it is reset to a new device id", (2, 7), (1, 12));
    public static readonly Parameter FarmAddresses = Define("device_farm.addresses", "public carrier addresses the farm comes out of", (3, 10), (2, 24));
    public static readonly Parameter FarmPrefixes = Define("device_farm.number_blocks", "blocks of 1,000 numbers the SIM cards are from", (1, 4), (1, 10));

    public static readonly Parameter CatchAllAccounts = Define("catch_all.accounts", "accounts a campaign", (150, 700), (80, 1200));
    public static readonly Parameter CatchAllDays = Define("catch_all.days", "length, days", (2, 9), (1, 14));
    public static readonly Parameter CatchAllPerDomain = Define("catch_all.accounts_per_domain", "accounts a domain", (10, 40), (4, 80));
    public static readonly Parameter CatchAllDomainAge = Define("catch_all.domain_age_days", "days since a domain was registered", (5, 400), (1, 1200));
    public static readonly Parameter CatchAllPerFingerprint = Define("catch_all.accounts_per_fingerprint", "accounts a browser profile", (6, 25), (3, 45));

    public static readonly Parameter AliasAccounts = Define("mail_aliases.accounts", "accounts a campaign", (80, 400), (40, 700));
    public static readonly Parameter AliasDays = Define("mail_aliases.days", "length, days", (1, 8), (0.5, 13));
    public static readonly Parameter AliasPerMailbox = Define("mail_aliases.accounts_per_mailbox", "aliases a mailbox", (5, 30), (2, 60));
    public static readonly Parameter AliasRelays = Define(
        "mail_aliases.relays", "share of aliases at a relay, which no one can tie to the mailbox", (0.2, 0.5), (0.1, 0.7));
    public static readonly Parameter AliasPerFingerprint = Define("mail_aliases.accounts_per_fingerprint", "accounts a browser profile", (5, 20), (3, 40));

    public static readonly Parameter DripAccounts = Define("slow_drip.accounts", "accounts a campaign", (60, 250), (30, 400));
    public static readonly Parameter DripPerIp = Define("slow_drip.accounts_per_ip", "accounts an address of the subnet", (1, 3), (1, 5));
    public static readonly Parameter DripPerFingerprint = Define("slow_drip.accounts_per_fingerprint", "accounts a browser profile", (3, 10), (2, 18));
    public static readonly Parameter DripPerCard = Define("slow_drip.accounts_per_card", "accounts a card", (2, 4), (1.3, 6));

    public static readonly Parameter HydraAccounts = Define("hydra.accounts", "accounts a campaign", (800, 4000), (500, 7000));
    public static readonly Parameter HydraPerIp = Define("hydra.accounts_per_ip", "accounts an address", (3.2, 4.8), (2, 7));
    public static readonly Parameter HydraPerFingerprint = Define("hydra.accounts_per_fingerprint", "accounts a browser profile", (24, 36), (14, 50));
    public static readonly Parameter HydraPerCard = Define("hydra.accounts_per_card", "accounts a card", (4, 6), (2.5, 8));
    public static readonly Parameter HydraBins = Define("hydra.bins", "card ranges", (2, 3), (2, 5));
    public static readonly Parameter HydraReplaceMinutes = Define("hydra.replace_minutes", "mean minutes from a denial to its replacement", (3, 9), (1.5, 20));

    public static readonly Parameter ProgrammeAccounts = Define("programme_abuse.accounts", "accounts a campaign", (100, 500), (50, 800));
    public static readonly Parameter ProgrammeDays = Define("programme_abuse.days", "length, days", (2, 10), (1, 14));
    public static readonly Parameter ProgrammePerIp = Define("programme_abuse.accounts_per_ip", "accounts a VPN exit", (3, 10), (1.5, 18));
    public static readonly Parameter ProgrammeDomains = Define("programme_abuse.domains", "school or start-up domains whose mailboxes were bought", (2, 8), (1, 20));
    public static readonly Parameter ProgrammePerFingerprint = Define("programme_abuse.accounts_per_fingerprint", "accounts a browser profile", (8, 30), (4, 50));

    public static readonly Parameter CrowdAccounts = Define("crowd_workers.accounts", "accounts a campaign", (60, 300), (30, 500));

    public static readonly Parameter FrontAccounts = Define("company_front.accounts", "accounts a front", (12, 60), (8, 100));
    public static readonly Parameter FrontDomainAge = Define("company_front.domain_age_days", "days since the front's domain was registered", (30, 900), (10, 2500));
    public static readonly Parameter FrontDays = Define("company_front.days", "length, days", (1, 8), (0.3, 13));

    public static readonly Parameter DoorsAccounts = Define("several_doors.accounts", "accounts a campaign", (100, 400), (60, 700));
    public static readonly Parameter DoorsPerCard = Define("several_doors.accounts_per_card", "accounts a card, whatever the door", (3, 6), (2, 8));
    public static readonly Parameter DoorsPerFingerprint = Define(
        "several_doors.accounts_per_fingerprint", "accounts a browser profile, whatever the door", (10, 30), (5, 50));

    public static readonly Parameter AdaptiveAccounts = Define("adaptive.accounts", "accounts a campaign", (150, 600), (80, 1000));
    public static readonly Parameter AdaptiveRotate = Define("adaptive.rotate_every", "accounts between changes of one habit, without feedback", (20, 60), (10, 90));
    public static readonly Parameter AdaptivePerCard = Define("adaptive.accounts_per_card", "accounts a card", (2, 5), (1.4, 7));
    public static readonly Parameter AdaptivePerFingerprint = Define("adaptive.accounts_per_fingerprint", "accounts a browser profile", (8, 25), (4, 45));

    public static readonly Parameter PoisonerAccounts = Define("poisoner.accounts", "accounts a campaign", (15, 60), (10, 110));
    public static readonly Parameter PoisonerVisits = Define("poisoner.visits", "visits to the campus", (2, 5), (1, 8));

    private static Parameter Define(string name, string meaning, (double Low, double High) tuning, (double Low, double High) heldOut) =>
        Parameter.Define(name, meaning, tuning, heldOut);

    public static double Draw(this Parameter parameter, SimulationOptions options, RandomSource random)
    {
        var range = parameter.Range(options);
        return random.Between(range.Low, range.High);
    }
}
