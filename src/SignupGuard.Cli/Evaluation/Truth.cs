using System.Text.Json;
using System.Text.Json.Serialization;
using SignupGuard.Cli.Commands;

namespace SignupGuard.Cli.Evaluation;

/// <summary>What a signup really was.</summary>
internal readonly record struct TrueLabel(bool Fraud, string Group, string? Campaign);

/// <summary>The labels of a stream, by signup id.</summary>
internal static class Truth
{
    /// <exception cref="InvalidDataException">A line is no label; the message names it.</exception>
    public static async Task<Dictionary<string, TrueLabel>> ReadAsync(string path, CancellationToken cancellation)
    {
        var labels = new Dictionary<string, TrueLabel>(StringComparer.Ordinal);
        await using var file = File.OpenRead(path);
        await foreach (var line in JsonLines.ReadAsync(file, cancellation))
        {
            LabelLine? label;
            try
            {
                label = line.TooLong ? null : JsonSerializer.Deserialize(line.Content, TruthJson.Default.LabelLine);
            }
            catch (JsonException)
            {
                label = null;
            }
            if (label is not { SignupId: not null, Label: "fraud" or "benign" }) throw new InvalidDataException($"{path}, line {line.Number}: not a label (signup_id, label fraud or benign, family or population, campaign).");
            labels[label.SignupId] = new TrueLabel(label.Label == "fraud", label.Family ?? label.Population ?? "unnamed", label.Campaign);
        }
        return labels;
    }
}

internal sealed record LabelLine(string? SignupId, string? Label, string? Family, string? Population, string? Campaign);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LabelLine))]
internal sealed partial class TruthJson : JsonSerializerContext;
