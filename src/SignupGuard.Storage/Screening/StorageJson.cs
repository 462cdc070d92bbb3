using System.Text.Json.Serialization;
using SignupGuard.Core.Signals;

namespace SignupGuard.Storage.Screening;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(DecisionBody))]
[JsonSerializable(typeof(SignupSignals))]
internal sealed partial class StorageJson : JsonSerializerContext;
