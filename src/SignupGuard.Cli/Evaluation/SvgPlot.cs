using System.Globalization;
using System.Text;

namespace SignupGuard.Cli.Evaluation;

/// <summary>Small plots as SVG text: lines or bars over a unit square, with axes, ticks and a title. No script, no foreign reference.</summary>
internal static class SvgPlot
{
    private const int Width = 640;
    private const int Height = 420;
    private const int Margin = 56;
    private static readonly string[] Colours = ["#2563eb", "#dc2626", "#059669", "#9333ea"];

    /// <param name="series">Points with both coordinates from 0 to 1.</param>
    public static string Lines(string title, string xLabel, string yLabel, IReadOnlyList<(string Name, IReadOnlyList<(double X, double Y)> Points)> series)
    {
        var svg = Begin(title, xLabel, yLabel);
        for (var i = 0; i < series.Count; i++)
        {
            var colour = Colours[i % Colours.Length];
            var points = string.Join(' ', series[i].Points.Select(point => $"{N(X(point.X))},{N(Y(point.Y))}"));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill='none' stroke='{colour}' stroke-width='2' points='{points}'/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x='{Width - Margin - 8}' y='{Margin + 16 + (18 * i)}' text-anchor='end' fill='{colour}'>{Escape(series[i].Name)}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>Lines over axes of their own, each from 0 or below; what lies outside is drawn at the edge.</summary>
    public static string Curves(
        string title,
        (string Label, double Min, double Max) x,
        (string Label, double Min, double Max) y,
        IReadOnlyList<(string Name, IReadOnlyList<(double X, double Y)> Points)> series)
    {
        var svg = Begin(title, x.Label, y.Label, (x.Min, x.Max), (y.Min, y.Max));
        for (var i = 0; i < series.Count; i++)
        {
            var colour = Colours[i % Colours.Length];
            var points = string.Join(' ', series[i].Points.Select(point => $"{N(X((point.X - x.Min) / (x.Max - x.Min)))},{N(Y((point.Y - y.Min) / (y.Max - y.Min)))}"));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill='none' stroke='{colour}' stroke-width='2' points='{points}'/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x='{Margin + 8}' y='{Margin + 16 + (18 * i)}' fill='{colour}'>{Escape(series[i].Name)}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    /// <param name="bars">Values from 0 to 1.</param>
    public static string Bars(string title, string yLabel, IReadOnlyList<(string Name, double Value)> bars)
    {
        var rowHeight = 22;
        var height = (2 * Margin) + (rowHeight * bars.Count);
        var left = 190;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns='http://www.w3.org/2000/svg' width='{Width}' height='{height}' viewBox='0 0 {Width} {height}' font-family='sans-serif' font-size='12'>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width='100%' height='100%' fill='white'/><text x='{Width / 2}' y='24' text-anchor='middle' font-size='16'>{Escape(title)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x='{Width / 2}' y='{height - 16}' text-anchor='middle'>{Escape(yLabel)}</text>\n");
        for (var i = 0; i < bars.Count; i++)
        {
            var y = Margin + (rowHeight * i);
            var width = Math.Clamp(bars[i].Value, 0, 1) * (Width - left - 70);
            svg.Append(CultureInfo.InvariantCulture, $"<text x='{left - 8}' y='{y + 14}' text-anchor='end'>{Escape(bars[i].Name)}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<rect x='{left}' y='{y + 3}' width='{N(width)}' height='{rowHeight - 6}' fill='{Colours[0]}'/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x='{N(left + width + 6)}' y='{y + 14}'>{bars[i].Value:0.000}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    private static StringBuilder Begin(string title, string xLabel, string yLabel) => Begin(title, xLabel, yLabel, (0, 1), (0, 1));

    private static StringBuilder Begin(string title, string xLabel, string yLabel, (double Min, double Max) x, (double Min, double Max) y)
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns='http://www.w3.org/2000/svg' width='{Width}' height='{Height}' viewBox='0 0 {Width} {Height}' font-family='sans-serif' font-size='12'>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width='100%' height='100%' fill='white'/><text x='{Width / 2}' y='24' text-anchor='middle' font-size='16'>{Escape(title)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x='{Width / 2}' y='{Height - 12}' text-anchor='middle'>{Escape(xLabel)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x='16' y='{Height / 2}' text-anchor='middle' transform='rotate(-90 16 {Height / 2})'>{Escape(yLabel)}</text>\n");
        for (var tick = 0; tick <= 5; tick++)
        {
            var at = tick / 5.0;
            svg.Append(CultureInfo.InvariantCulture, $"<line x1='{N(X(at))}' y1='{N(Y(0))}' x2='{N(X(at))}' y2='{N(Y(1))}' stroke='#e5e7eb'/>");
            svg.Append(CultureInfo.InvariantCulture, $"<line x1='{N(X(0))}' y1='{N(Y(at))}' x2='{N(X(1))}' y2='{N(Y(at))}' stroke='#e5e7eb'/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x='{N(X(at))}' y='{N(Y(0) + 18)}' text-anchor='middle'>{Tick(x, at)}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x='{N(X(0) - 8)}' y='{N(Y(at) + 4)}' text-anchor='end'>{Tick(y, at)}</text>\n");
        }
        return svg;
    }

    private static double X(double value) => Margin + (Math.Clamp(value, 0, 1) * (Width - (2 * Margin)));

    private static double Y(double value) => Height - Margin - (Math.Clamp(value, 0, 1) * (Height - (2 * Margin)));

    private static string Tick((double Min, double Max) axis, double at) => (axis.Min + (at * (axis.Max - axis.Min))).ToString(axis.Max - axis.Min <= 1 ? "0.0" : "0.#", CultureInfo.InvariantCulture);

    private static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Escape(string text) => System.Security.SecurityElement.Escape(text);
}
