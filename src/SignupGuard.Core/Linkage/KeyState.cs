using System.Buffers.Binary;

namespace SignupGuard.Core.Linkage;

/// <summary>
/// A sliding count over one window: the running bucket plus the share of the previous one still inside.
/// Buckets start at the first account seen, so counts are exact until a bucket is full, and an estimate (assuming an even spread of
/// the previous bucket) after. Never negative; a late event counts in the running bucket.
/// </summary>
public struct WindowCount
{
    public long StartMs { get; set; }

    public int Running { get; set; }

    public int Previous { get; set; }

    public void Add(long atMs, long lengthMs)
    {
        Advance(atMs, lengthMs);
        Running++;
    }

    public readonly double At(long atMs, long lengthMs)
    {
        var copy = this;
        copy.Advance(atMs, lengthMs);
        var passed = Math.Clamp((double)(atMs - copy.StartMs) / lengthMs, 0, 1);
        return copy.Running + (copy.Previous * (1 - passed));
    }

    private void Advance(long atMs, long lengthMs)
    {
        if (Running == 0 && Previous == 0)
        {
            StartMs = atMs;
            return;
        }
        var buckets = (atMs - StartMs) / lengthMs;
        if (atMs < StartMs || buckets == 0) return;
        Previous = buckets == 1 ? Running : 0;
        Running = 0;
        StartMs += buckets * lengthMs;
    }
}

/// <summary>
/// What is known of one link key. Decayed counts are as of <see cref="LastSeenMs"/>; times are Unix milliseconds of the signups' own time.
/// An account counts once per key as long as it is among the key's last <see cref="MembersMax"/> accounts.
/// </summary>
public sealed class KeyState
{
    /// <summary>Most recent accounts a key remembers: exact distinctness and the members a promotion finds.</summary>
    public const int MembersMax = 64;

    public const long TenMinutesMs = 10 * 60_000L;
    public const long HourMs = 60 * 60_000L;
    public const long DayMs = 24 * HourMs;

    private const byte CodecVersion = 1;

    /// <summary>Distinct accounts ever.</summary>
    public long Accounts { get; set; }

    /// <summary>Distinct accounts, decayed by the rule's half-life.</summary>
    public double Count { get; set; }

    /// <summary>Of these, on anonymous or inconsistent connections.</summary>
    public double Anomalous { get; set; }

    /// <summary>Of these, not explained by one organisation.</summary>
    public double Unexplained { get; set; }

    /// <summary>Accounts confirmed bad or good by outcome or review; not decayed.</summary>
    public double ConfirmedBad { get; set; }

    public double ConfirmedGood { get; set; }

    public long FirstSeenMs { get; set; }

    public long LastSeenMs { get; set; }

    // Fields, not properties: they are structs counted up in place.
    private WindowCount _tenMinutes;
    private WindowCount _hour;
    private WindowCount _day;

    public double TenMinutesAt(long atMs) => _tenMinutes.At(atMs, TenMinutesMs);

    public double HourAt(long atMs) => _hour.At(atMs, HourMs);

    public double DayAt(long atMs) => _day.At(atMs, DayMs);

    /// <summary>The cluster this key ties together; 0 while none.</summary>
    public long Cluster { get; set; }

    /// <summary>Ordinals of the key's latest accounts' signups, oldest first.</summary>
    private Member[] _members = [];
    private int _memberCount;
    private int _memberStart;

    /// <summary>One account on a key: a hash of the account and the ordinal of its signup.</summary>
    public readonly record struct Member(long Account, long Ordinal);

    public int MemberCount => _memberCount;

    /// <param name="index">0 is the oldest remembered.</param>
    public Member MemberAt(int index) => _members[(_memberStart + index) % _members.Length];

    public bool Holds(long account)
    {
        for (var i = 0; i < _memberCount; i++)
        {
            if (MemberAt(i).Account == account) return true;
        }
        return false;
    }

    /// <summary>2^(−age/half-life); 1 for a signup older than the last one seen.</summary>
    public static double Decay(long fromMs, long toMs, double halfLifeDays) =>
        toMs <= fromMs ? 1 : double.Exp2((fromMs - toMs) / (halfLifeDays * DayMs));

    /// <summary>Counts one account, unless it is remembered. Late signups are added decayed to the newest time seen.</summary>
    /// <returns>False when the account was already on the key.</returns>
    public bool Add(in Member member, long atMs, double halfLifeDays, bool anomalous, bool unexplained)
    {
        if (Holds(member.Account)) return false;
        if (Accounts == 0)
        {
            FirstSeenMs = LastSeenMs = atMs;
        }
        var decay = Decay(LastSeenMs, atMs, halfLifeDays);
        var weight = Decay(atMs, LastSeenMs, halfLifeDays);
        Count = (Count * decay) + weight;
        Anomalous = (Anomalous * decay) + (anomalous ? weight : 0);
        Unexplained = (Unexplained * decay) + (unexplained ? weight : 0);
        FirstSeenMs = Math.Min(FirstSeenMs, atMs);
        LastSeenMs = Math.Max(LastSeenMs, atMs);
        Accounts++;
        _tenMinutes.Add(atMs, TenMinutesMs);
        _hour.Add(atMs, HourMs);
        _day.Add(atMs, DayMs);
        Remember(member);
        return true;
    }

    public double CountAt(long atMs, double halfLifeDays) => Count * Decay(LastSeenMs, atMs, halfLifeDays);

    public double UnexplainedAt(long atMs, double halfLifeDays) => Unexplained * Decay(LastSeenMs, atMs, halfLifeDays);

    public double AnomalousAt(long atMs, double halfLifeDays) => Anomalous * Decay(LastSeenMs, atMs, halfLifeDays);

    private void Remember(in Member member)
    {
        if (_memberCount == _members.Length && _members.Length < MembersMax)
        {
            var grown = new Member[Math.Min(MembersMax, Math.Max(1, _members.Length * 4))];
            for (var i = 0; i < _memberCount; i++) grown[i] = MemberAt(i);
            _members = grown;
            _memberStart = 0;
        }
        if (_memberCount < _members.Length)
        {
            _members[(_memberStart + _memberCount++) % _members.Length] = member;
        }
        else
        {
            _members[_memberStart] = member;
            _memberStart = (_memberStart + 1) % _members.Length;
        }
    }

    /// <summary>The state as stored: fixed layout, little-endian, a version byte first.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[1 + 8 + (5 * 8) + 16 + (3 * 16) + 8 + 1 + (_memberCount * 16)];
        var at = 0;
        bytes[at++] = CodecVersion;
        Long(Accounts);
        Double(Count);
        Double(Anomalous);
        Double(Unexplained);
        Double(ConfirmedBad);
        Double(ConfirmedGood);
        Long(FirstSeenMs);
        Long(LastSeenMs);
        Window(_tenMinutes);
        Window(_hour);
        Window(_day);
        Long(Cluster);
        bytes[at++] = (byte)_memberCount;
        for (var i = 0; i < _memberCount; i++)
        {
            Long(MemberAt(i).Account);
            Long(MemberAt(i).Ordinal);
        }
        return bytes;

        void Long(long value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
            at += 8;
        }

        void Double(double value)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(at), value);
            at += 8;
        }

        void Window(in WindowCount window)
        {
            Long(window.StartMs);
            Long(((long)window.Running << 32) | (uint)window.Previous);
        }
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Another version, or cut off: the row is damaged and must not be taken for an unseen key.</exception>
    public static KeyState Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 122 || bytes[0] != CodecVersion || bytes.Length != 122 + (bytes[121] * 16))
            throw new InvalidDataException("A link key's stored state is damaged or of an unknown version.");
        var at = 1;
        var state = new KeyState
        {
            Accounts = Long(bytes),
            Count = Double(bytes),
            Anomalous = Double(bytes),
            Unexplained = Double(bytes),
            ConfirmedBad = Double(bytes),
            ConfirmedGood = Double(bytes),
            FirstSeenMs = Long(bytes),
            LastSeenMs = Long(bytes),
            _tenMinutes = Window(bytes),
            _hour = Window(bytes),
            _day = Window(bytes),
            Cluster = Long(bytes),
        };
        var count = bytes[at++];
        state._members = new Member[count];
        for (var i = 0; i < count; i++) state._members[i] = new Member(Long(bytes), Long(bytes));
        state._memberCount = count;
        return state;

        long Long(ReadOnlySpan<byte> source)
        {
            var value = BinaryPrimitives.ReadInt64LittleEndian(source[at..]);
            at += 8;
            return value;
        }

        double Double(ReadOnlySpan<byte> source)
        {
            var value = BinaryPrimitives.ReadDoubleLittleEndian(source[at..]);
            at += 8;
            return value;
        }

        WindowCount Window(ReadOnlySpan<byte> source)
        {
            var start = Long(source);
            var counts = Long(source);
            return new WindowCount { StartMs = start, Running = (int)(counts >> 32), Previous = (int)counts };
        }
    }
}
