using SignupGuard.Core.Binary;
using SignupGuard.Core.Clusters;
using SignupGuard.Core.Linkage;
using SignupGuard.Core.Lists;
using SignupGuard.Core.Policies;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Decisions;

/// <summary>
/// What a decision was made from besides the signup and its signals: its links, its network and its lists, exactly as they were. Stored with the
/// decision, so that it can be explained and replayed to the same answer, under its own policy or another.
/// </summary>
public sealed record DecisionFacts(IReadOnlyDictionary<KeyKind, Link> Links, ClusterFacts? Cluster)
{
    private const byte Version = 1;
    private const int LinkBytesMax = 160;

    /// <summary>Set in the second byte of facts that hold lists: those who need the lists alone can ask for few facts.</summary>
    public const byte ListsPart = 2;

    /// <summary>Of one list hit: effect, type, key, and two texts with their lengths.</summary>
    private const int HitBytesMax = 2 + 16 + (2 * (10 + (3 * ListHits.TextCharactersMax)));

    /// <summary>The lists the signup was on.</summary>
    public ListHits Lists { get; init; } = ListHits.None;

    /// <summary>What follows the version.</summary>
    [Flags]
    private enum Parts : byte
    {
        None = 0,
        Cluster = 1,
        Lists = ListsPart,
    }

    /// <summary>Puts the stored links where a policy's rules look for them. Keys the decision had not are missing.</summary>
    public void Fill(LinkSet links)
    {
        links.Clear();
        foreach (var rule in links.Rules)
        {
            if (Links.TryGetValue(rule.Kind, out var link)) links[rule.Index] = link;
        }
    }

    /// <summary>
    /// Replay: judges the signup again from what was known then. Under the policy version that decided, the judgement is the stored one.
    /// </summary>
    public Judgement Judge(Policy policy, Signup signup, SignupSignals signals)
    {
        var links = new LinkSet(policy.Linkage.Rules);
        Fill(links);
        return policy.Judge(new Facts(signup, signals, links, Cluster, Lists));
    }

    public static byte[] Encode(LinkSet links, ClusterFacts? cluster, ListHits? lists = null)
    {
        lists ??= ListHits.None;
        var buffer = new byte[16 + 96 + (links.Count * LinkBytesMax) + (lists.All.Count * HitBytesMax)];
        var writer = new ByteWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)((cluster is null ? Parts.None : Parts.Cluster) | (lists.All.Count == 0 ? Parts.None : Parts.Lists)));
        if (cluster is not null)
        {
            writer.Number(cluster.Id);
            writer.Number(cluster.Size);
            writer.Number(cluster.Denied);
            writer.Number(cluster.ConfirmedBad);
            writer.Number(cluster.ConfirmedGood);
            writer.Double(cluster.LastHour);
            writer.Byte((byte)cluster.Groups);
            writer.Number(cluster.FirstSeenMs);
            writer.Number(cluster.LastSeenMs);
        }
        if (lists.All.Count > 0) Write(ref writer, lists);
        foreach (var rule in links.Rules)
        {
            ref readonly var link = ref links[rule.Index];
            if (link.Present) Write(ref writer, rule.Kind, link);
        }
        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">Damaged, or of an unknown version.</exception>
    public static DecisionFacts Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != Version) throw ByteReader.Damaged();
        var parts = (Parts)reader.Byte();
        var cluster = (parts & Parts.Cluster) == 0
            ? null
            : new ClusterFacts
            {
                Id = reader.Number(),
                Size = reader.Number(),
                Denied = reader.Number(),
                ConfirmedBad = reader.Number(),
                ConfirmedGood = reader.Number(),
                LastHour = reader.Double(),
                Groups = (KeyGroups)reader.Byte(),
                FirstSeenMs = reader.Number(),
                LastSeenMs = reader.Number(),
            };
        var lists = (parts & Parts.Lists) != 0 ? ReadLists(ref reader) : ListHits.None;
        var links = new Dictionary<KeyKind, Link>();
        while (!reader.AtEnd) Read(ref reader, links);
        return new DecisionFacts(links, cluster) { Lists = lists };
    }

    private static void Write(ref ByteWriter writer, ListHits lists)
    {
        writer.Number(lists.All.Count);
        foreach (var hit in lists.All)
        {
            writer.Byte((byte)hit.Effect);
            writer.Byte((byte)hit.Type);
            writer.UInt128(hit.Entry.Bits);
            writer.Text(hit.List);
            writer.Text(hit.Reason ?? "");
        }
    }

    private static ListHits ReadLists(ref ByteReader reader)
    {
        var hits = new ListHit[reader.Count(ushort.MaxValue)];
        for (var i = 0; i < hits.Length; i++)
        {
            var (effect, type, key) = ((ListEffect)reader.Byte(), (ListType)reader.Byte(), new ListKey(reader.UInt128()));
            var (list, reason) = (reader.Text(), reader.Text());
            hits[i] = new ListHit(list, effect, type, key, reason.Length == 0 ? null : reason);
        }
        return ListHits.Of(hits);
    }

    [Flags]
    private enum LinkFlags : byte
    {
        None = 0,
        Promoted = 1,
        Burst = 2,

        /// <summary>More than this one account: counts follow.</summary>
        Shared = 4,

        /// <summary>Soft evidence follows.</summary>
        Tested = 8,
        Labelled = 16,
        Registered = 32,
    }

    // A key nobody else has, as most are, takes 19 bytes; the key itself is kept so that evidence can be followed.
    private static void Write(ref ByteWriter writer, KeyKind kind, in Link link)
    {
        var shared = link is not { Accounts: 1, AgeMs: 0, Others: 0, Spread: 0 or 1, Cluster: 0 };
        var tested = !double.IsNaN(link.Expected) || link.Surprise != 0 || link.Gate != 0;
        var labelled = link is not { Bad: 0, Good: 0 };
        writer.Byte((byte)(
            (link.Promoted ? LinkFlags.Promoted : 0)
            | (link.IsBurst ? LinkFlags.Burst : 0)
            | (shared ? LinkFlags.Shared : 0)
            | (tested ? LinkFlags.Tested : 0)
            | (labelled ? LinkFlags.Labelled : 0)
            | (link.RegisteredMs != 0 ? LinkFlags.Registered : 0)));
        writer.Number(kind.Code);
        writer.UInt128(link.Key.Hash);
        writer.Number(link.Spread);
        if (link.RegisteredMs != 0) writer.Number(link.RegisteredMs);
        if (shared)
        {
            writer.Number(link.Accounts);
            Count(ref writer, link.TenMinutes);
            Count(ref writer, link.Hour);
            Count(ref writer, link.Day);
            writer.Double(link.Others);
            writer.Double(link.Evidence);
            writer.Number(link.AgeMs);
            writer.Number(link.Cluster);
        }
        if (tested)
        {
            writer.Double(link.Expected);
            writer.Double(link.Surprise);
            writer.Double(link.Gate);
        }
        if (labelled)
        {
            writer.Double(link.Bad);
            writer.Double(link.Good);
        }
    }

    private static void Read(ref ByteReader reader, Dictionary<KeyKind, Link> links)
    {
        var flags = (LinkFlags)reader.Byte();
        var kind = new KeyKind((short)reader.Number());
        var link = new Link
        {
            Present = true,
            Promoted = (flags & LinkFlags.Promoted) != 0,
            IsBurst = (flags & LinkFlags.Burst) != 0,
            Key = new LinkKey(reader.UInt128()),
            Spread = (int)reader.Number(),
            Accounts = 1,
            TenMinutes = 1,
            Hour = 1,
            Day = 1,
            Expected = double.NaN,
        };
        if ((flags & LinkFlags.Registered) != 0) link.RegisteredMs = reader.Number();
        if ((flags & LinkFlags.Shared) != 0)
        {
            link.Accounts = reader.Number();
            link.TenMinutes = Count(ref reader);
            link.Hour = Count(ref reader);
            link.Day = Count(ref reader);
            link.Others = reader.Double();
            link.Evidence = reader.Double();
            link.AgeMs = reader.Number();
            link.Cluster = reader.Number();
        }
        if ((flags & LinkFlags.Tested) != 0)
        {
            link.Expected = reader.Double();
            link.Surprise = reader.Double();
            link.Gate = reader.Double();
        }
        if ((flags & LinkFlags.Labelled) != 0)
        {
            link.Bad = reader.Double();
            link.Good = reader.Double();
        }
        links[kind] = link;
    }

    // Window counts are whole up to the accounts a key remembers: those take a byte, estimates nine.
    private static void Count(ref ByteWriter writer, double value)
    {
        var whole = value == Math.Floor(value);
        writer.Number(whole ? (long)value : -1);
        if (!whole) writer.Double(value);
    }

    private static double Count(ref ByteReader reader)
    {
        var whole = reader.Number();
        return whole >= 0 ? whole : reader.Double();
    }
}
