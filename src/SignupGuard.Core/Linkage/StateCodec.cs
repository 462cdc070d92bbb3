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

    /// <summary>Accounts a key can take on after it was read before it has to grow.</summary>
    private const int RoomForMore = 2;

    [Flags]
    private enum KeyFlags : byte
    {
        None = 0,
        Promoted = 1,
        History = 2,
        Windows = 4,
        Labels = 8,
        Registered = 16,

        /// <summary>The one account has a value of the spread attribute.</summary>
        Spread = 32,

        /// <summary>The one account is counted to its organisation.</summary>
        Organised = 64,
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
        var details = history?.Details;
        var (spreadOne, organised) = state.One;
        writer.Byte((byte)(
            (state.Promoted ? KeyFlags.Promoted : 0)
            | (history is null ? 0 : KeyFlags.History)
            | (details?.Windows is null ? 0 : KeyFlags.Windows)
            | (details is { Bad: 0, Good: 0 } or null ? 0 : KeyFlags.Labels)
            | (details?.RegisteredMs is null ? 0 : KeyFlags.Registered)
            | (spreadOne is null ? 0 : KeyFlags.Spread)
            | (organised ? KeyFlags.Organised : 0)));
        if (history is null)
        {
            WriteMember(ref writer, state.MemberAt(0), 0, 0);
            if (spreadOne is { } value) writer.Int32(value);
            return writer.ToArray();
        }
        writer.Number(state.Accounts);
        writer.Double(state.Count);
        writer.Double(state.Anomalous);
        writer.Number(state.FirstSeenMs);
        writer.Number(state.LastSeenMs - state.FirstSeenMs);
        if (details is { Bad: not 0 } or { Good: not 0 })
        {
            writer.Double(details.Bad);
            writer.Double(details.Good);
        }
        if (details?.RegisteredMs is { } registered) writer.Number(registered);
        writer.Number(history.SpreadCount);
        foreach (var value in details?.SpreadValues ?? []) writer.Int32(value);
        writer.Number(details?.Organisations.Length ?? 0);
        foreach (var (organisation, accounts) in details?.Organisations ?? [])
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
        if (details?.Windows is { } windows)
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
        var state = new KeyState { Promoted = (flags & KeyFlags.Promoted) != 0 };
        if ((flags & KeyFlags.History) == 0)
        {
            var member = ReadMember(ref reader, 0, 0);
            state.First(member, (flags & KeyFlags.Spread) != 0 ? reader.Int32() : null, (flags & KeyFlags.Organised) != 0);
            state.Cluster = cluster;
            return reader.AtEnd ? state : throw Damaged();
        }
        var accounts = reader.Count(int.MaxValue);
        var (count, anomalous) = (reader.Double(), reader.Double());
        var firstSeenMs = reader.Number();
        state.See(firstSeenMs + reader.Number());
        var (bad, good) = (flags & KeyFlags.Labels) != 0 ? (reader.Double(), reader.Double()) : (0d, 0d);
        var registered = (flags & KeyFlags.Registered) != 0 ? reader.Number() : (long?)null;
        int[] spread = reader.Count(KeyHistory.SpreadMax) is > 0 and var values ? new int[values] : [];
        for (var i = 0; i < spread.Length; i++) spread[i] = reader.Int32();
        (int, int)[] organisations = reader.Count(KeyHistory.OrganisationsMax) is > 0 and var known ? new (int, int)[known] : [];
        for (var i = 0; i < organisations.Length; i++) organisations[i] = (reader.Int32(), reader.Count(int.MaxValue));
        var members = reader.Count(KeyState.MembersMax);
        // A key read back is about to be counted on: room for some more accounts.
        var history = new KeyHistory(members + RoomForMore)
        {
            Accounts = accounts,
            Count = count,
            Anomalous = anomalous,
            FirstSeenMs = firstSeenMs,
            Cluster = cluster,
        };
        state.History = history;
        var (ordinal, atMs) = (0L, 0L);
        for (; members > 0; members--)
        {
            var member = ReadMember(ref reader, ordinal, atMs);
            history.Remember(member);
            (ordinal, atMs) = (member.Ordinal, member.AtMs);
        }
        if (bad != 0 || good != 0) (history.Detailed.Bad, history.Detailed.Good) = (bad, good);
        if (registered is not null) history.Detailed.RegisteredMs = registered;
        if (spread.Length > 0) history.Detailed.SpreadValues = spread;
        if (organisations.Length > 0) history.Detailed.Organisations = organisations;
        if ((flags & KeyFlags.Windows) != 0)
        {
            var windows = history.Detailed.Windows = new KeyWindows();
            windows.TenMinutes = ReadWindow(ref reader);
            windows.Hour = ReadWindow(ref reader);
            windows.Day = ReadWindow(ref reader);
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
        foreach (var total in lane.Totals)
        {
            writer.Double(total.HalfLifeDays);
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
            lane.Totals.Add(new LaneTotal(reader.Double(), reader.Double(), reader.Number()));
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
            (flags & MemberFlags.Organisation) != 0 ? reader.Int32() : 0,
            (flags & MemberFlags.Counted) != 0,
            (flags & MemberFlags.Anomalous) != 0);
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
