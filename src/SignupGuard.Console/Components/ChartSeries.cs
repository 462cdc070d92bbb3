namespace SignupGuard.Console.Components;

/// <summary>One line of a chart: a value for each label.</summary>
/// <param name="Colour">allow, review, deny, accent or soft.</param>
public sealed record ChartSeries(string Name, string Colour, IReadOnlyList<long> Values);
