using SignupGuard.Core.Linkage;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace SignupGuard.Cli.Policies;

/// <summary>A file of test cases for a policy: given a signup and what is known by then, what it must be decided.</summary>
public sealed class PolicyCases
{
    /// <summary>Characters a file may have.</summary>
    private const int FileCharactersMax = 4_000_000;

    public IList<PolicyCase> Cases { get; set; } = [];

    /// <summary>The cases of a file; null, with the reason, when it is none.</summary>
    public static PolicyCases? Read(string yaml, out string? problem)
    {
        problem = null;
        if (yaml.Length > FileCharactersMax)
        {
            problem = $"A file of cases has at most {FileCharactersMax:N0} characters.";
            return null;
        }
        try
        {
            // Unquoted numbers and flags keep their type: the signup's fields have types too.
            var deserializer = new DeserializerBuilder()
                .WithNamingConvention(UnderscoredNamingConvention.Instance)
                .WithDuplicateKeyChecking()
                .WithAttemptingUnquotedStringTypeDeserialization()
                .Build();
            if (deserializer.Deserialize<PolicyCases?>(yaml) is { Cases: { Count: > 0 } found } cases && !found.Contains(null!)) return cases;
            problem = "The file has no cases.";
        }
        catch (YamlException failure)
        {
            problem = $"line {failure.Start.Line}: {failure.InnerException?.Message ?? failure.Message}";
        }
        return null;
    }
}

/// <summary>One case.</summary>
public sealed class PolicyCase
{
    public string Name { get; set; } = "";

    /// <summary>The signup in the contract's own JSON. Without an id and a time it gets some.</summary>
    public Dictionary<object, object?> Signup { get; set; } = [];

    /// <summary>Signups screened before it, in this order, by the same policy.</summary>
    public IList<EarlierSignups> After { get; set; } = [];

    /// <summary>What its keys are taken to hold, by kind ("card", "fingerprint+bin"), instead of what was screened before.</summary>
    public Dictionary<string, GivenLink> Links { get; set; } = [];

    /// <summary>The network it is taken to belong to.</summary>
    public GivenCluster? Cluster { get; set; }

    /// <summary>Lists it is taken to be on: name to allow, deny or watch.</summary>
    public Dictionary<string, string> Lists { get; set; } = [];

    public Expectation Expect { get; set; } = new();
}

/// <summary>Signups before the one of a case.</summary>
public sealed class EarlierSignups
{
    /// <summary>Most signups one entry stands for.</summary>
    public const int RepeatMax = 10_000;

    /// <summary>How many; in its texts <c>{n}</c> is the number of each, from 1.</summary>
    public int Repeat { get; set; } = 1;

    /// <summary>Seconds from one to the next; the last one is as long before the case's signup.</summary>
    public int ApartSeconds { get; set; } = 60;

    public Dictionary<object, object?> Signup { get; set; } = [];
}

/// <summary>A key as rules see it. Left out: 0, or for counts of accounts as many as <see cref="Accounts"/>.</summary>
public sealed class GivenLink
{
    public long Accounts { get; set; } = 1;

    public double? Others { get; set; }

    [YamlMember(Alias = "last_10m")]
    public double? TenMinutes { get; set; }

    [YamlMember(Alias = "last_1h")]
    public double? Hour { get; set; }

    [YamlMember(Alias = "last_1d")]
    public double? Day { get; set; }

    public double Surprise { get; set; }

    /// <summary>How far the anomaly gate is open, of soft keys.</summary>
    public double Gate { get; set; } = 1;

    public double ConfirmedBad { get; set; }

    public double ConfirmedGood { get; set; }

    public int Spread { get; set; }

    public double AgeDays { get; set; }
}

/// <summary>A network as rules see it.</summary>
public sealed class GivenCluster
{
    public long Size { get; set; } = 1;

    public long Denied { get; set; }

    public long ConfirmedBad { get; set; }

    public long ConfirmedGood { get; set; }

    [YamlMember(Alias = "last_1h")]
    public double Hour { get; set; }

    /// <summary>identity, device, network, payment.</summary>
    public IList<string> KeyGroups { get; set; } = [];

    public double AgeHours { get; set; }
}

/// <summary>What must hold of the decision. What is left out may be anything.</summary>
public sealed class Expectation
{
    /// <summary>allow, review or deny.</summary>
    public string? Verdict { get; set; }

    /// <summary>Reason codes it must have.</summary>
    public IList<string> Reasons { get; set; } = [];

    /// <summary>Reason codes it must not have.</summary>
    public IList<string> Without { get; set; } = [];

    public IList<string> Labels { get; set; } = [];

    public IList<string> Obligations { get; set; } = [];

    public double? ScoreMin { get; set; }

    public double? ScoreMax { get; set; }
}
