using MudBlazor;

namespace SignupGuard.Console.Components;

/// <summary>Colours of both modes; each has at least the contrast WCAG AA asks for on its background. console.css uses them by their variables.</summary>
internal static class ConsoleTheme
{
    private static readonly string[] Fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"];

    public static readonly MudTheme Theme = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#1f4fd8",
            Background = "#f5f6f8",
            Surface = "#ffffff",
            TextPrimary = "#16191f",
            TextSecondary = "#4b5362",
            Success = "#17663a",
            Warning = "#8a4b00",
            Error = "#b3201c",
            Info = "#1f4fd8",
            LinesDefault = "#dcdfe5",
            LinesInputs = "#7b8494",
            Divider = "#dcdfe5",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#8fb0ff",
            PrimaryContrastText = "#0b1020",
            Background = "#101318",
            Surface = "#181c23",
            TextPrimary = "#e8eaee",
            TextSecondary = "#aab2c0",
            Success = "#74d69a",
            SuccessContrastText = "#0b1020",
            Warning = "#f6bb5e",
            WarningContrastText = "#0b1020",
            Error = "#ff8f86",
            ErrorContrastText = "#0b1020",
            Info = "#8fb0ff",
            LinesDefault = "#2c323c",
            LinesInputs = "#7b8494",
            Divider = "#2c323c",
        },
        Typography = new Typography
        {
            Default = new DefaultTypography
            {
                FontFamily = Fonts,
                FontSize = "0.875rem",
                LineHeight = "1.45",
            },
            Button = new ButtonTypography
            {
                FontFamily = Fonts,
                FontSize = "0.875rem",
                TextTransform = "none",
                LetterSpacing = "normal",
            },
        },
    };
}
