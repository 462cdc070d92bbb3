namespace SignupGuard.Storage;

/// <summary>
/// The database role the service works under, whoever it logs in as: it reads and writes rows, and changes or removes nothing of the audit.
/// It owns no table. Made by the migrations, a group role without a log-in of its own.
/// </summary>
public static class ServiceRole
{
    public const string Name = "signupguard_service";
}
