//! Rate-distortion curves as SVG.

use crate::markup::{escape, push};

/// What a curve is of; it decides how it is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This program's own: thick.
    Own,
    /// Another codec, measured: thin.
    Rival,
    /// Published figures: dashed, and without say in the extent of the axes.
    Published,
}

/// A line with its name.
pub struct Curve {
    /// For the legend.
    pub name: String,
    /// How it is drawn.
    pub kind: Kind,
    /// Bits per pixel, above 0, and the metric; by rising size.
    pub points: Vec<(f64, f64)>,
}

/// Sizes in the units of the drawing.
const WIDTH: f64 = 1100.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 40.0;
const PLOT_WIDTH: f64 = 760.0;
const BELOW: f64 = 50.0;
const LOWEST_PLOT: f64 = 460.0;
const LEGEND_ROW: f64 = 17.0;

/// Ticks of bits per pixel.
const RATES: [f64; 12] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0];

/// Where values lie on the drawing.
struct Axes {
    rates: (f64, f64),
    values: (f64, f64),
    height: f64,
}

impl Axes {
    /// Room for all measured points, or for the published ones when nothing was measured.
    fn new(curves: &[Curve]) -> Option<Self> {
        let measured = curves.iter().any(|curve| curve.kind != Kind::Published);
        let counted = curves
            .iter()
            .filter(|curve| !measured || curve.kind != Kind::Published);
        let points = || counted.clone().flat_map(drawable);
        let extent = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let rates = extent(&mut points().map(|(rate, _)| rate));
        let values = extent(&mut points().map(|(_, value)| value));
        if rates.0 > rates.1 {
            return None;
        }
        let space = ((values.1 - values.0) * 0.04).max(1e-6);
        Some(Self {
            rates: (rates.0 / 1.1, rates.1 * 1.1),
            values: (values.0 - space, values.1 + space),
            height: LOWEST_PLOT.max(curves.len() as f64 * LEGEND_ROW),
        })
    }

    fn x(&self, rate: f64) -> f64 {
        let (low, high) = self.rates;
        LEFT + PLOT_WIDTH * (rate / low).ln() / (high / low).ln()
    }

    fn y(&self, value: f64) -> f64 {
        let (low, high) = self.values;
        TOP + self.height * (high - value) / (high - low)
    }

    /// Round values along the vertical axis, with the decimals that they need.
    fn ticks(&self) -> (Vec<f64>, usize) {
        let (low, high) = self.values;
        let rough = (high - low) / 8.0;
        let power = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = steps
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(steps[3]);
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        ((first..=last).map(|i| i as f64 * step).collect(), decimals)
    }
}

fn drawable(curve: &Curve) -> impl Iterator<Item = (f64, f64)> {
    let points = curve.points.iter().copied();
    points.filter(|(rate, value)| *rate > 0.0 && rate.is_finite() && value.is_finite())
}

/// A drawing of `curves`, with bits per pixel on a logarithmic axis; `value` names the other axis and `span`, in bits
/// per pixel, is shaded.
pub fn svg(title: &str, value: &str, span: (f64, f64), curves: &[Curve]) -> String {
    let Some(axes) = Axes::new(curves) else {
        return r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>"#.into();
    };
    let height = TOP + axes.height + BELOW;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="{LEFT}" y="22" font-size="15">{}</text>
"##,
        escape(title)
    );
    grid(&mut svg, &axes, value, span);
    // A drawing inside the drawing cuts off what lies beyond the axes, without a name that two plots could share.
    let tall = axes.height;
    push(
        &mut svg,
        format_args!(
            r#"<svg x="{LEFT}" y="{TOP}" width="{PLOT_WIDTH}" height="{tall}" viewBox="{LEFT} {TOP} {PLOT_WIDTH} {tall}">
"#
        ),
    );
    for (i, curve) in curves.iter().enumerate() {
        draw(&mut svg, &axes, curve, i);
    }
    svg.push_str("</svg>\n");
    for (i, curve) in curves.iter().enumerate() {
        legend(&mut svg, curve, i);
    }
    svg.push_str("</svg>\n");
    svg
}

fn grid(svg: &mut String, axes: &Axes, value: &str, span: (f64, f64)) {
    let (right, bottom) = (LEFT + PLOT_WIDTH, TOP + axes.height);
    let [from, to] = [span.0, span.1].map(|rate| axes.x(rate).clamp(LEFT, right));
    push(
        svg,
        format_args!(
            r##"<rect x="{from:.1}" y="{TOP}" width="{:.1}" height="{:.1}" fill="#f3f5f8"/>"##,
            to - from,
            axes.height
        ),
    );
    let rates = RATES
        .iter()
        .filter(|rate| (axes.rates.0..=axes.rates.1).contains(rate));
    for rate in rates {
        let (x, below) = (axes.x(*rate), bottom + 17.0);
        push(
            svg,
            format_args!(
                r##"<path d="M{x:.1} {TOP}V{bottom:.1}" stroke="#ddd"/><text x="{x:.1}" y="{below:.1}" text-anchor="middle">{rate}</text>"##
            ),
        );
    }
    let (ticks, decimals) = axes.ticks();
    for tick in ticks {
        let (y, before) = (axes.y(tick), LEFT - 6.0);
        push(
            svg,
            format_args!(
                r##"<path d="M{LEFT} {y:.1}H{right}" stroke="#ddd"/><text x="{before}" y="{:.1}" text-anchor="end">{tick:.decimals$}</text>"##,
                y + 4.0
            ),
        );
    }
    push(
        svg,
        format_args!(
            r##"<rect x="{LEFT}" y="{TOP}" width="{PLOT_WIDTH}" height="{:.1}" fill="none" stroke="#888"/>"##,
            axes.height
        ),
    );
    push(
        svg,
        format_args!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">bits per pixel</text>"#,
            LEFT + PLOT_WIDTH / 2.0,
            bottom + 38.0
        ),
    );
    push(
        svg,
        format_args!(
            r#"<text transform="translate(16 {:.1}) rotate(-90)" text-anchor="middle">{}</text>"#,
            TOP + axes.height / 2.0,
            escape(value)
        ),
    );
}

/// Colour and attributes of a line.
fn style(curve: &Curve, place: usize) -> (String, &'static str) {
    // The golden angle keeps neighbours apart however many there are.
    let hue = (place as f64 * 137.508) % 360.0;
    match curve.kind {
        Kind::Own => (format!("hsl({hue:.0},90%,40%)"), r#"stroke-width="3""#),
        Kind::Rival => (format!("hsl({hue:.0},65%,45%)"), r#"stroke-width="1.8""#),
        Kind::Published => (
            format!("hsl({hue:.0},35%,60%)"),
            r#"stroke-width="1.1" stroke-dasharray="5 3""#,
        ),
    }
}

fn draw(svg: &mut String, axes: &Axes, curve: &Curve, place: usize) {
    let (colour, style) = style(curve, place);
    let mut line = String::new();
    let mut dots = String::new();
    for (rate, value) in drawable(curve) {
        let (x, y) = (axes.x(rate), axes.y(value));
        let start = if line.is_empty() { 'M' } else { 'L' };
        push(&mut line, format_args!("{start}{x:.1} {y:.1}"));
        let dot = format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="2.5" fill="{colour}"/>"#);
        if curve.kind != Kind::Published {
            push(&mut dots, dot);
        }
    }
    let path =
        format_args!("<path d=\"{line}\" fill=\"none\" stroke=\"{colour}\" {style}/>{dots}\n");
    push(svg, path);
}

fn legend(svg: &mut String, curve: &Curve, place: usize) {
    let (colour, style) = style(curve, place);
    let left = LEFT + PLOT_WIDTH + 14.0;
    let y = TOP + 8.0 + place as f64 * LEGEND_ROW;
    push(
        svg,
        format_args!(
            "<path d=\"M{left} {y:.1}h24\" stroke=\"{colour}\" {style}/><text x=\"{}\" y=\"{:.1}\">{}</text>\n",
            left + 30.0,
            y + 4.0,
            escape(&curve.name)
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str, kind: Kind, points: &[(f64, f64)]) -> Curve {
        Curve {
            name: name.into(),
            kind,
            points: points.to_vec(),
        }
    }

    #[test]
    fn names_are_escaped_and_lossless_points_left_out() {
        let points = [(0.1, 25.0), (1.0, 35.0), (9.0, f64::INFINITY)];
        let drawn = svg("t", "dB", (0.2, 2.0), &[curve("<a&b>", Kind::Own, &points)]);
        assert!(drawn.contains("&lt;a&amp;b&gt;"));
        assert!(!drawn.contains("inf") && !drawn.contains("NaN"), "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 2);
    }

    #[test]
    fn published_curves_do_not_widen_the_axes() {
        let own = || curve("a", Kind::Own, &[(0.1, 25.0), (1.0, 35.0)]);
        let far = curve("b", Kind::Published, &[(0.001, 5.0), (90.0, 99.0)]);
        let [alone, both] = [vec![own()], vec![own(), far]]
            .map(|curves| Axes::new(&curves).expect("there are points"));
        assert_eq!((alone.rates, alone.values), (both.rates, both.values));
    }

    #[test]
    fn nothing_to_draw_and_a_single_point_are_drawn_without_failing() {
        assert!(svg("t", "dB", (0.2, 2.0), &[]).starts_with("<svg"));
        let one = [curve("a", Kind::Rival, &[(0.5, 30.0)])];
        assert!(!svg("t", "dB", (0.2, 2.0), &one).contains("NaN"));
    }
}
