namespace SignupGuard.Core.Policies;

/// <summary>The policy shipped with the product.</summary>
public static class DefaultPolicy
{
    /// <summary>Its YAML, as stored as version 1 of a new installation.</summary>
    public static string Yaml { get; } = Load();

    private static string Load()
    {
        using var stream = typeof(DefaultPolicy).Assembly.GetManifestResourceStream("default-policy.yaml")
            ?? throw new InvalidOperationException("The default policy is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
