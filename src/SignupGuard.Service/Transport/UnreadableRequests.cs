using Microsoft.AspNetCore.Http;

namespace SignupGuard.Service.Transport;

internal sealed class UnreadableRequests(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) => next(context);
}
