namespace SignupGuard.Service.Hosting;

/// <summary>The service can't start. The message is for the operator and says what helps.</summary>
public sealed class HostStartException : Exception
{
    public HostStartException()
    {
    }

    public HostStartException(string message)
        : base(message)
    {
    }

    public HostStartException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
