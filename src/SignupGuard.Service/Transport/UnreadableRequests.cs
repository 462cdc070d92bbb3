using System.Collections.Frozen;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;
using SignupGuard.Service.Transport.Validation;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;
using Status = Google.Rpc.Status;

namespace SignupGuard.Service.Transport;

/// <summary>
/// Answers what no handler ever sees: requests that are no message of the contract. gRPC's own answer to them is UNKNOWN, JSON's names no
/// field and quotes the value; here they get INVALID_ARGUMENT (or RESOURCE_EXHAUSTED when too large) with the same details as everywhere.
/// </summary>
internal sealed class UnreadableRequests(RequestDelegate next, ILogger<UnreadableRequests> log)
{
    /// <summary>Without these the details of an error could not be written as JSON.</summary>
    public static readonly TypeRegistry ErrorDetails = TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor);

    private const string GrpcContentType = "application/grpc";
    private const string GrpcStatus = "grpc-status";
    private const string GrpcMessage = "grpc-message";
    private const string GrpcStatusDetails = "grpc-status-details-bin";

    /// <summary>Every service of the contract.</summary>
    private static readonly FrozenDictionary<string, ServiceDescriptor> Services = typeof(V1.ScreeningService).Assembly.GetTypes()
        .Select(type => type.GetProperty("Descriptor", typeof(ServiceDescriptor))?.GetValue(null))
        .OfType<ServiceDescriptor>()
        .ToFrozenDictionary(service => service.FullName, StringComparer.Ordinal);

    private static readonly object ReadMark = new();
    private static readonly string UnknownCode = ((int)Code.Unknown).ToString(System.Globalization.CultureInfo.InvariantCulture);
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithTypeRegistry(ErrorDetails).WithFormatDefaultValues(true));

    /// <summary>The request was read as its message and has reached the handler.</summary>
    public static void MarkRead(HttpContext context) => context.Items[ReadMark] = true;

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith(GrpcContentType, StringComparison.OrdinalIgnoreCase) ?? false) return InvokeGrpcAsync(context);
        // A GET has no body, whatever type it says it is.
        return context.Request.HasJsonContentType() && !HttpMethods.IsGet(context.Request.Method) && context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is { Method: var method } && Input(method.ServiceName, method.Name) is { } input
            ? InvokeJsonAsync(context, input)
            : next(context);
    }

    private async Task InvokeGrpcAsync(HttpContext context)
    {
        // gRPC bounds each message by itself; a stream has no bound as a whole.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        await next(context);
        // No handler answers UNKNOWN: its failures are translated. So this one came from reading the request, or from writing the answer.
        if (context.Response.HasStarted || context.Response.Headers[GrpcStatus] != UnknownCode) return;
        Status status;
        if (context.Items.ContainsKey(ReadMark))
        {
            var reference = Fault.NewReference();
            TransportLog.AnswerFailed(log, context.Request.Path, reference);
            status = Refusal.Internal(reference);
        }
        else
        {
            TransportLog.Unreadable(log, context.Request.Path);
            status = Refusal.Unreadable("The message is no valid protobuf of this contract: cut off, or text that is no UTF-8.");
        }
        context.Response.Headers[GrpcStatus] = status.Code.ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers[GrpcMessage] = Uri.EscapeDataString(status.Message);
        context.Response.Headers[GrpcStatusDetails] = Convert.ToBase64String(status.ToByteArray());
    }

    private async Task InvokeJsonAsync(HttpContext context, MessageDescriptor input)
    {
        Status refusal;
        try
        {
            context.Request.EnableBuffering(SignupGuardHost.MessageBytesMax);
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            context.Request.Body.Position = 0;
            var violations = JsonShape.Check(input, body.GetBuffer().AsMemory(0, (int)body.Length));
            if (violations.Count == 0)
            {
                await next(context);
                return;
            }
            refusal = Refusal.Invalid(violations);
        }
        catch (JsonException failure)
        {
            refusal = Refusal.Unreadable(failure.Message);
        }
        catch (BadHttpRequestException failure)
        {
            refusal = failure.StatusCode == StatusCodes.Status413PayloadTooLarge ? Refusal.TooLarge() : Refusal.Unreadable("The request is no valid HTTP, or was cut off.");
        }
        context.Response.StatusCode = refusal.Code == (int)Code.ResourceExhausted ? StatusCodes.Status413PayloadTooLarge : StatusCodes.Status400BadRequest;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(Formatter.Format(refusal), context.RequestAborted);
    }

    private static MessageDescriptor? Input(string service, string method) => Services.GetValueOrDefault(service)?.FindMethodByName(method)?.InputType;
}
