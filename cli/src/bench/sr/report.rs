//! The results as CSV files, pictures of crops, and one HTML file that needs no other.

use std::path::Path;

use anyhow::Result;

use super::figures::{self, Measured};
use super::method::Method;
use crate::args::SrArgs;
use crate::grid::{self, Cell};
use crate::markup::{base64, escape, push};
use crate::output::write_over;
use crate::table::Table;

/// Side of the crops in pixels of the picture, and on the sheet.
const SIDES: [usize; 2] = [64, 192];
/// Pictures on a sheet, at most.
const MOST: usize = 16;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Enlargements</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 1540px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd; }
figure { margin: 1em 0; } figcaption { color: #555; font-size: 14px; }
img { max-width: 100%; height: auto; image-rendering: pixelated; }
</style></head><body>
<h1>Enlargements</h1>
"#;

/// Crops of every picture at one scale, with every method, where the picture has most detail.
pub struct Crops {
    scale: u32,
    columns: Vec<String>,
    pictures: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Crops {
    /// No crops yet.
    pub fn new(scale: u32, methods: &[Method]) -> Self {
        let names = methods.iter().map(|method| method.name().to_owned());
        Self {
            scale,
            columns: std::iter::once("original".to_owned())
                .chain(names)
                .collect(),
            pictures: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// A row: the picture of `size` and its enlargements, RGB.
    pub fn add(&mut self, name: &str, [width, height]: [u32; 2], pictures: &[Vec<f32>]) {
        let (width, height) = (width as usize, height as usize);
        let side = SIDES[0].min(width).min(height);
        let Some(original) = pictures.first().filter(|_| self.rows.len() < MOST) else {
            return;
        };
        let corner = busiest(original, [width, height], side);
        self.pictures.push(name.to_owned());
        let cells = pictures.iter().map(|picture| {
            let place = |at: usize| at * side / SIDES[1];
            let pixels = (0..SIDES[1]).flat_map(|y| (0..SIDES[1]).map(move |x| (x, y)));
            pixels
                .flat_map(|(x, y)| {
                    let at = (corner[1] + place(y)) * width + corner[0] + place(x);
                    picture[3 * at..3 * at + 3].iter().copied()
                })
                .collect()
        });
        self.rows.push(cells.collect());
    }
}

/// Left and top of the square of `side` pixels, of those on a coarse grid, with the largest differences.
fn busiest(samples: &[f32], [width, height]: [usize; 2], side: usize) -> [usize; 2] {
    let starts = |length: usize| (0..=length - side).step_by((side / 2).max(1));
    let corners = starts(height).flat_map(|top| starts(width).map(move |left| [left, top]));
    let detail = |[left, top]: [usize; 2]| -> f64 {
        let rows = (top..top + side).map(|y| &samples[3 * (y * width + left)..][..3 * side]);
        let steps = rows.flat_map(|row| row.windows(4).map(|w| f64::from((w[3] - w[0]).abs())));
        steps.sum()
    };
    let best = corners.map(|corner| (detail(corner), corner));
    best.max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or([0, 0], |(_, corner)| corner)
}

/// Writes everything into `folder`.
pub fn write(folder: &Path, args: &SrArgs, measured: &[Measured], sheets: &[Crops]) -> Result<()> {
    let (all, means) = (figures::all(measured), figures::means(measured));
    let mut html = String::from(HEAD);
    let known = if args.blind { "unknown" } else { "known" };
    let note = format!(
        "Reduced by {}, {known} to the methods; effort {}.",
        described(args),
        args.effort
    );
    push(
        &mut html,
        format_args!("<p>{}</p>\n<h2>Means</h2>\n", escape(&note)),
    );
    html.push_str(&means.html());
    for crops in sheets {
        let png = grid::png(&crops.rows, SIDES[1])?;
        write_over(&folder.join(format!("crops-x{}.png", crops.scale)), &png)?;
        push(
            &mut html,
            format_args!(
                "<h2>Scale {}</h2>\n<figure><img alt=\"crops\" src=\"data:image/png;base64,{}\"><figcaption>Columns: {}. Rows: {}.</figcaption></figure>\n",
                crops.scale,
                base64(&png),
                escape(&crops.columns.join(", ")),
                escape(&crops.pictures.join(", "))
            ),
        );
    }
    html.push_str("<h2>Pictures</h2>\n");
    html.push_str(&all.html());
    html.push_str("</body></html>\n");
    write_over(&folder.join("results.csv"), csv(&all).as_bytes())?;
    write_over(&folder.join("means.csv"), csv(&means).as_bytes())?;
    write_over(&folder.join("report.html"), html.as_bytes())
}

fn described(args: &SrArgs) -> String {
    let noise = if args.noise > 0.0 {
        format!(" with noise of {} steps", args.noise)
    } else {
        String::new()
    };
    let jpeg = args.jpeg.map_or(String::new(), |quality| {
        format!(", as JPEG of quality {quality}")
    });
    let crop = match (args.crop, args.quick) {
        (Some(side), _) => format!(", the middle {side} x {side} pixels"),
        (None, true) => ", the middle of every picture".into(),
        (None, false) => String::new(),
    };
    format!("{}{noise}{jpeg}{crop}", args.degradation)
}

fn csv(table: &Table) -> String {
    let rows = std::iter::once(&table.headings).chain(&table.rows);
    rows.map(|row| crate::csv::line(row)).collect()
}
