using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace SignupGuard.Storage.Screening;

/// <summary>Parameters of the hot path's SQL: typed, so that nothing is boxed or looked up by name.</summary>
internal static class Sql
{
    public static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static NpgsqlParameter<T[]> Array<T>(T[] values) => new() { TypedValue = values };

    public static NpgsqlParameter<List<T>> Array<T>(List<T> values) => new() { TypedValue = values };

    public static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    /// <summary>A value that may be missing: null is NULL.</summary>
    public static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) => new()
    {
        Value = value ?? DBNull.Value,
        NpgsqlDbType = type,
    };

    /// <summary>A time as timestamptz keeps it: in whole microseconds.</summary>
    public static DateTimeOffset Stored(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));
}
