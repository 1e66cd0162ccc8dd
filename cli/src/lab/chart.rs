//! Line charts as SVG.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// A named line.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Thin and grey, for what others are compared with.
    pub reference: bool,
}

/// What is on the axes.
pub struct Axes<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    /// Logarithms of y, to the base of 10.
    pub logarithm: bool,
}

const SIZE: (u32, u32) = (900, 420);
const COLOURS: [RGBColor; 8] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(255, 127, 14),
    RGBColor(148, 103, 189),
    RGBColor(23, 162, 184),
    RGBColor(140, 86, 75),
    RGBColor(227, 119, 194),
];

/// A chart of `lines`; those without points are left out.
///
/// # Errors
/// What the plotting library reports.
pub fn lines(axes: &Axes, lines: &[Line]) -> Result<String> {
    let scaled = |y: f64| {
        if axes.logarithm {
            y.max(1e-12).log10()
        } else {
            y
        }
    };
    let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
    let points = || {
        lines
            .iter()
            .flat_map(|line| line.points.iter().filter(|p| finite(p)))
    };
    let extent = |of: fn(&(f64, f64)) -> f64| {
        points()
            .map(of)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            })
    };
    let (x, y) = (extent(|p| p.0), extent(|p| p.1));
    if x.0 > x.1 {
        return Ok(String::new());
    }
    let y = (scaled(y.0), scaled(y.1));
    let room = ((y.1 - y.0) * 0.04).max(1e-6);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let failed = |error: &dyn std::fmt::Display| anyhow!("cannot draw: {error}");
        root.fill(&WHITE).map_err(|e| failed(&e))?;
        let mut chart = ChartBuilder::on(&root)
            .caption(axes.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(38)
            .y_label_area_size(60)
            .build_cartesian_2d(x.0..x.1.max(x.0 + 1e-9), y.0 - room..y.1 + room)
            .map_err(|e| failed(&e))?;
        chart
            .configure_mesh()
            .x_desc(axes.x)
            .y_desc(axes.y)
            .light_line_style(RGBColor(240, 240, 240))
            .draw()
            .map_err(|e| failed(&e))?;
        for (index, line) in lines.iter().enumerate() {
            let colour = if line.reference {
                RGBColor(120, 120, 120)
            } else {
                COLOURS[index % COLOURS.len()]
            };
            let style = colour.stroke_width(if line.reference { 1 } else { 2 });
            let points = line.points.iter().filter(|p| finite(p));
            let points: Vec<_> = points.map(|(x, y)| (*x, scaled(*y))).collect();
            if points.is_empty() {
                continue;
            }
            chart
                .draw_series(LineSeries::new(points, style))
                .map_err(|e| failed(&e))?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.85))
            .border_style(RGBColor(200, 200, 200))
            .draw()
            .map_err(|e| failed(&e))?;
        root.present().map_err(|e| failed(&e))?;
    }
    Ok(svg)
}
