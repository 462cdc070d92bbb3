using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace SignupGuard.Service.Hosting;

/// <summary>Where the service listens. Section "Listen".</summary>
public sealed class ListenOptions
{
    public const string Section = "Listen";

    private const int PortMax = 65_535;

    /// <summary>An address of this machine. Only the machine itself by default: there is no authentication yet.</summary>
    [Required]
    [RegularExpression("^[0-9a-fA-F:.]+$", ErrorMessage = "Listen:Address is an IP address (0.0.0.0 and :: mean all).")]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>gRPC over HTTP/2 without TLS (h2c, prior knowledge). 0: any free one.</summary>
    [Range(0, PortMax)]
    public int GrpcPort { get; set; } = 7070;

    /// <summary>JSON over HTTP/1.1, and the health pages. 0: any free one.</summary>
    [Range(0, PortMax)]
    public int HttpPort { get; set; } = 7071;

    /// <summary>The console's pages over HTTP/1.1. 0: any free one.</summary>
    [Range(0, PortMax)]
    public int ConsolePort { get; set; } = 7072;

    /// <summary>Whether this replica serves the console's pages.</summary>
    public bool Console { get; set; } = true;
}

[OptionsValidator]
internal sealed partial class ListenOptionsValidator : IValidateOptions<ListenOptions>;
