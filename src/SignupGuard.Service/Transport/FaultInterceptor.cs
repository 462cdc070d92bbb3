using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using SignupGuard.Service.Screening;

namespace SignupGuard.Service.Transport;

/// <summary>
/// The one place where an exception becomes a status. What callers may expect is thrown as a status already; of anything else they hear
/// a reference, and the log gets types and places, never a message: messages quote what they were given.
/// </summary>
internal sealed class FaultInterceptor(ILogger<FaultInterceptor> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            UnreadableRequests.MarkRead(context.GetHttpContext());
            return await continuation(request, context);
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw Translate(failure, context);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            UnreadableRequests.MarkRead(context.GetHttpContext());
            return await continuation(requestStream, context);
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw Translate(failure, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            UnreadableRequests.MarkRead(context.GetHttpContext());
            await continuation(request, responseStream, context);
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw Translate(failure, context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            UnreadableRequests.MarkRead(context.GetHttpContext());
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw Translate(failure, context);
        }
    }

    private RpcException Translate(Exception failure, ServerCallContext context)
    {
        switch (failure)
        {
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                return context.Deadline <= DateTime.UtcNow
                    ? new RpcException(new Status(StatusCode.DeadlineExceeded, "The caller's deadline passed. Send the same signup again: it is counted once."))
                    : new RpcException(new Status(StatusCode.Cancelled, "The caller went away."));
            case InvalidProtocolBufferException:
                return Refusal.Unreadable("A message is no valid protobuf of this contract: cut off, or text that is no UTF-8.").ToRpcException();
            case var _ when Fault.IsPassing(failure):
                TransportLog.DatabaseUnavailable(log, context.Method, Fault.Describe(failure));
                return Refusal.Unavailable().ToRpcException();
            default:
                var reference = Fault.NewReference();
                TransportLog.CallFailed(log, context.Method, reference, Fault.Describe(failure));
                return Refusal.Internal(reference).ToRpcException();
        }
    }
}
