using SignupGuard.Core.Binary;

namespace SignupGuard.Core.Linkage;

/// <summary>
/// Key and lane states as stored: little-endian, variable-length numbers, a version byte first. A key seen once takes about 16 bytes.
/// </summary>
public static class StateCodec
{
    /// <summary>Bytes that hold any key state: 32 members of at most 29 bytes, and the rest.</summary>
    public const int KeyBytesMax = 1_536;

    private const byte KeyVersion = 1;
    private const byte LaneVersion = 1;

    [Flags]
    private enum KeyFlags : byte
    {
        None = 0,
        Promoted = 1,
        History = 2,
        Windows = 4,
        Labels = 8,
        Registered = 16,
    }

    [Flags]
    private enum MemberFlags : byte
    {
        None = 0,
        Counted = 1,
        Anomalous = 2,
        Organisation = 4,
    }

    /// <summary>The state's bytes. <see cref="KeyState.Cluster"/> is not among them: it has a column of its own.</summary>
    public static byte[] Encode(in KeyState state)
    {
        Span<byte> buffer = stackalloc byte[KeyBytesMax];
        var writer = new ByteWriter(buffer);
        writer.Byte(KeyVersion);
        var history = state.History;
        writer.Byte((byte)(
            (state.Promoted ? KeyFlags.Promoted : 0)
            | (history is null ? 0 : KeyFlags.History)
            | (history?.Windows is null ? 0 : KeyFlags.Windows)
            | (history is { Bad: 0, Good: 0 } or null ? 0 : KeyFlags.Labels)
            | (history?.RegisteredMs is null ? 0 : KeyFlags.Registered)));
        if (history is null)
        {
            WriteMember(ref writer, state.First, 0, 0);
            return writer.ToArray();
        }
        writer.Number(state.Accounts);
        writer.Double(state.Count);
        writer.Double(state.Anomalous);
        writer.Number(state.FirstSeenMs);
        writer.Number(state.LastSeenMs - state.FirstSeenMs);
        if (history is not { Bad: 0, Good: 0 })
        {
            writer.Double(history.Bad);
            writer.Double(history.Good);
        }
        if (history.RegisteredMs is { } registered) writer.Number(registered);
        writer.Number(history.SpreadCount);
        foreach (var value in history.SpreadValues) writer.Int32(value);
        writer.Number(history.Organisations.Length);
        foreach (var (organisation, accounts) in history.Organisations)
        {
            writer.Int32(organisation);
            writer.Number(accounts);
        }
        writer.Number(history.MemberCount);
        var (ordinal, atMs) = (0L, 0L);
        for (var i = 0; i < history.MemberCount; i++)
        {
            var member = history.MemberAt(i);
            WriteMember(ref writer, member, ordinal, atMs);
            (ordinal, atMs) = (member.Ordinal, member.AtMs);
        }
        if (history.Windows is { } windows)
        {
            WriteWindow(ref writer, windows.TenMinutes);
            WriteWindow(ref writer, windows.Hour);
            WriteWindow(ref writer, windows.Day);
        }
        return writer.ToArray();
    }

    /// <summary>Reads what <see cref="Encode(in KeyState)"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Another version, or damaged: such a row must not be taken for an unseen key.</exception>
    public static KeyState DecodeKey(ReadOnlySpan<byte> bytes, long cluster)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != KeyVersion) throw Damaged();
        var flags = (KeyFlags)reader.Byte();
        var state = new KeyState { Promoted = flags.HasFlag(KeyFlags.Promoted), Cluster = cluster };
        if (!flags.HasFlag(KeyFlags.History))
        {
            var member = ReadMember(ref reader, 0, 0);
            state.First = member;
            state.Accounts = 1;
            state.FirstSeenMs = state.LastSeenMs = member.AtMs;
            state.Count = member.Counted ? 1 : 0;
            state.Anomalous = member is { Counted: true, Anomalous: true } ? 1 : 0;
            return reader.AtEnd ? state : throw Damaged();
        }
        state.Accounts = reader.Count(int.MaxValue);
        state.Count = reader.Double();
        state.Anomalous = reader.Double();
        state.FirstSeenMs = reader.Number();
        state.LastSeenMs = state.FirstSeenMs + reader.Number();
        var (bad, good) = flags.HasFlag(KeyFlags.Labels) ? (reader.Double(), reader.Double()) : (0d, 0d);
        var registered = flags.HasFlag(KeyFlags.Registered) ? reader.Number() : (long?)null;
        var spread = new int[reader.Count(KeyHistory.SpreadMax)];
        for (var i = 0; i < spread.Length; i++) spread[i] = reader.Int32();
        var organisations = new (int, int)[reader.Count(KeyHistory.OrganisationsMax)];
        for (var i = 0; i < organisations.Length; i++) organisations[i] = (reader.Int32(), reader.Count(int.MaxValue));
        var members = new KeyMember[reader.Count(KeyState.MembersMax)];
        var (ordinal, atMs) = (0L, 0L);
        for (var i = 0; i < members.Length; i++)
        {
            members[i] = ReadMember(ref reader, ordinal, atMs);
            (ordinal, atMs) = (members[i].Ordinal, members[i].AtMs);
        }
        state.History = new KeyHistory(members)
        {
            Bad = bad,
            Good = good,
            RegisteredMs = registered,
            SpreadValues = spread,
            Organisations = organisations,
        };
        if (flags.HasFlag(KeyFlags.Windows))
        {
            var windows = new KeyWindows();
            windows.TenMinutes = ReadWindow(ref reader);
            windows.Hour = ReadWindow(ref reader);
            windows.Day = ReadWindow(ref reader);
            state.History.Windows = windows;
        }
        return reader.AtEnd ? state : throw Damaged();
    }

    public static byte[] Encode(LaneState lane)
    {
        var buffer = new byte[2 + 10 + 10 + (LaneState.HoursOfWeek * 8) + (LaneState.TotalsMax * 32)];
        var writer = new ByteWriter(buffer);
        writer.Byte(LaneVersion);
        writer.Number(lane.SeasonHour);
        foreach (var count in lane.Season) writer.Double(count);
        writer.Number(lane.Totals.Count);
        foreach (var (halfLifeDays, total) in lane.Totals.OrderBy(pair => pair.Key))
        {
            writer.Double(halfLifeDays);
            writer.Double(total.Count);
            writer.Number(total.AtMs);
        }
        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">Another version, or damaged.</exception>
    public static LaneState DecodeLane(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (reader.Byte() != LaneVersion) throw Damaged();
        var lane = new LaneState { SeasonHour = reader.Number() };
        for (var i = 0; i < lane.Season.Length; i++) lane.Season[i] = reader.Double();
        for (var left = reader.Count(LaneState.TotalsMax); left > 0; left--)
        {
            var halfLifeDays = reader.Double();
            lane.Totals[halfLifeDays] = (reader.Double(), reader.Number());
        }
        return reader.AtEnd ? lane : throw Damaged();
    }

    private static void WriteMember(ref ByteWriter writer, in KeyMember member, long ordinal, long atMs)
    {
        writer.Byte((byte)((member.Counted ? MemberFlags.Counted : 0) | (member.Anomalous ? MemberFlags.Anomalous : 0) | (member.Organisation != 0 ? MemberFlags.Organisation : 0)));
        writer.Number(member.Ordinal - ordinal);
        writer.Number(member.AtMs - atMs);
        writer.Int32(member.Account);
        if (member.Organisation != 0) writer.Int32(member.Organisation);
    }

    private static KeyMember ReadMember(ref ByteReader reader, long ordinal, long atMs)
    {
        var flags = (MemberFlags)reader.Byte();
        return new KeyMember(
            ordinal + reader.Number(),
            atMs + reader.Number(),
            reader.Int32(),
            flags.HasFlag(MemberFlags.Organisation) ? reader.Int32() : 0,
            flags.HasFlag(MemberFlags.Counted),
            flags.HasFlag(MemberFlags.Anomalous));
    }

    private static void WriteWindow(ref ByteWriter writer, in WindowCount window)
    {
        writer.Number(window.StartMs);
        writer.Number(window.Running);
        writer.Number(window.Previous);
    }

    private static WindowCount ReadWindow(ref ByteReader reader) => new()
    {
        StartMs = reader.Number(),
        Running = reader.Count(int.MaxValue),
        Previous = reader.Count(int.MaxValue),
    };

    private static InvalidDataException Damaged() => ByteReader.Damaged();
}
