using System.Globalization;
using Npgsql;

namespace SignupGuard.Storage.Screening;

/// <summary>Parameters of the hot path's SQL: typed, so that nothing is boxed or looked up by name.</summary>
internal static class Sql
{
    public static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static NpgsqlParameter<T[]> Array<T>(T[] values) => new() { TypedValue = values };

    public static NpgsqlParameter<List<T>> Array<T>(List<T> values) => new() { TypedValue = values };

    public static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    /// <summary>A time as timestamptz keeps it: in whole microseconds.</summary>
    public static DateTimeOffset Stored(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));
}
