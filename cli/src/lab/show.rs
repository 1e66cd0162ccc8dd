//! What a report shows of a group of trials.

use std::path::Path;

use anyhow::Result;
use inr::decode::Derivative;
use inr::{InrPicture, Limits};

use super::activations::{LayerStatistics, arcsine_density, normal_density, statistics};
use super::chart::{self, Axes, Line};
use super::grid;
use super::recipe::{Group, Recipe, Show};
use super::report::Report;
use super::settings::{AnchorName, Settings};
use super::trial::{Fitted, spline};
use super::{Ran, Row};
use crate::grid::Cell;
use crate::table::{Table, number};

/// Side of the cells of grids, at least.
const CELL: usize = 128;
/// Rows of a grid of fields, at most.
const FIELDS: usize = 8;

/// A line for the terminal.
pub fn brief(ran: &Ran) -> String {
    let psnr = figure(ran, "psnr");
    psnr.map_or_else(|| "measured".into(), |psnr| format!("{psnr:.2} dB"))
}

/// The mean of a figure over the seeds.
fn figure(ran: &Ran, name: &str) -> Option<f64> {
    let values = ran
        .fits
        .iter()
        .map(|(_, fit)| fit.done.figures.get(name).copied());
    let values: Option<Vec<f64>> = values.collect();
    values
        .filter(|values| !values.is_empty())
        .map(|values| values.iter().sum::<f64>() / values.len() as f64)
}

/// Adds a group to the report.
pub fn group(
    recipe: &Recipe,
    group: &Group,
    number: usize,
    rows: &[Row],
    folder: &Path,
    report: &mut Report,
) -> Result<()> {
    for row in rows {
        match &row.ran {
            Ok(ran) => report.fits += ran.fits.len(),
            Err(_) => report.not_run += 1,
        }
        record(group, row, report);
    }
    if recipe.show == Show::Activations {
        return activations(group, number, rows, folder, report);
    }
    report.group(&group.title, &group.note, &table(recipe.show, rows));
    let lines = rows.iter().filter_map(|row| {
        let ran = row.ran.as_ref().ok()?;
        let (_, fit) = ran.fits.first()?;
        let points = fit.done.curve.iter().map(|p| (p.epochs, p.psnr));
        Some(Line {
            name: row.trial.name.clone(),
            points: points.collect(),
            reference: false,
        })
    });
    let axes = Axes {
        title: &group.title,
        x: "visits of every pixel",
        y: "PSNR in dB",
        logarithm: false,
    };
    let svg = chart::lines(&axes, &lines.collect::<Vec<_>>())?;
    report.chart(&folder.join(format!("curves-{number}.svg")), &svg)?;
    let path = folder.join(format!("grid-{number}.png"));
    match recipe.show {
        Show::Fields | Show::Poisson => fields(rows, &path, report),
        Show::Enlargements => enlargements(rows, &path, report),
        Show::Curves | Show::Activations => Ok(()),
    }
}

/// Figures and curves for the CSV files.
fn record(group: &Group, row: &Row, report: &mut Report) {
    let published = |index: usize| number(row.trial.published.get(index).copied(), 3);
    let mut line = |seed: String, fit: Option<&Fitted>, note: &str| {
        let of = |name: &str, decimals| {
            let found = fit.and_then(|fit| fit.done.figures.get(name).copied());
            number(found, decimals)
        };
        let mut table = Table::new(&[]);
        table.rows.push(vec![
            row.trial.name.clone(),
            seed,
            of("psnr", 3),
            of("ssim", 4),
            published(0),
            published(1),
            of("psnr_free", 3),
            of("psnr_affine", 3),
            of("contrast", 4),
            of("steps", 0),
            of("epochs", 2),
            of("seconds", 1),
            of("parameters", 0),
            note.to_owned(),
        ]);
        report.result(&table.csv(&group.title));
    };
    match &row.ran {
        Err(why) => line(String::new(), None, why),
        Ok(ran) => {
            for (seed, fit) in &ran.fits {
                line(seed.to_string(), Some(fit), &row.trial.settings.budget());
            }
        }
    }
    for (seed, fit) in row.ran.iter().flat_map(|ran| &ran.fits) {
        for point in &fit.done.curve {
            let (title, name) = (
                group.title.replace(',', ";"),
                row.trial.name.replace(',', ";"),
            );
            let loss = point
                .loss
                .map_or_else(String::new, |loss| format!("{loss:e}"));
            report.curve_point(format_args!(
                "{title},{name},{seed},{},{:.3},{:.2},{loss},{:.3}\n",
                point.step, point.epochs, point.seconds, point.psnr
            ));
        }
    }
}

fn table(show: Show, rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "",
        "PSNR dB",
        "published",
        "difference",
        "SSIM",
        "published SSIM",
        "free",
        "best offset and contrast",
        "contrast",
        "fixed by",
        "seconds",
        "set-up",
    ]);
    for Row { trial, ran } in rows {
        let published = |index: usize| trial.published.get(index).copied();
        let decimals = |index: usize| number(published(index), if index == 0 { 1 } else { 3 });
        let mut cells = vec![String::new(); table.headings.len()];
        cells[0].clone_from(&trial.name);
        cells[2] = decimals(0);
        cells[5] = decimals(1);
        match ran {
            Err(why) => cells[11].clone_from(why),
            Ok(ran) => {
                let psnr = figure(ran, "psnr");
                cells[1] = number(psnr, 2);
                cells[3] = number(psnr.zip(published(0)).map(|(a, b)| a - b), 1);
                cells[4] = number(figure(ran, "ssim"), 3);
                if show == Show::Poisson {
                    cells[6] = number(figure(ran, "psnr_free"), 2);
                    cells[7] = number(figure(ran, "psnr_affine"), 2);
                    cells[8] = number(figure(ran, "contrast"), 3);
                    cells[9] = fixed_by(&trial.settings).into();
                }
                cells[10] = number(figure(ran, "seconds"), 1);
                cells[11] = trial.settings.budget();
            }
        }
        table.rows.push(cells);
    }
    table.without_empty_columns()
}

fn fixed_by(settings: &Settings) -> &'static str {
    match settings.anchor {
        AnchorName::Free => "nothing",
        AnchorName::Mean => "the mean",
        AnchorName::Border => "border values",
        AnchorName::Picture => "a reduced picture",
    }
}

/// The picture, then every field: values, gradients in colours, Laplacians.
fn fields(rows: &[Row], path: &Path, report: &mut Report) -> Result<()> {
    let ran: Vec<(&str, &Ran)> = rows
        .iter()
        .filter_map(|row| Some((row.trial.name.as_str(), row.ran.as_ref().ok()?)))
        .take(FIELDS)
        .collect();
    let Some((_, first)) = ran.first() else {
        return Ok(());
    };
    let side = first.picture.side.max(CELL);
    // The spline through the samples stands for the picture.
    let bytes = spline(&first.picture, 100.0)?;
    let truth = InrPicture::open(&bytes, &Limits::default())?;
    let gradient = grid::usual_range(&truth, Derivative::Magnitude, side)?;
    let laplacian = grid::usual_range(&truth, Derivative::Laplacian, side)?;
    let row = |value: Cell, field: Option<&InrPicture>| -> Result<Vec<Cell>> {
        let mut cells = vec![value];
        if let Some(field) = field {
            let shown = |of, range| grid::derivative(field, of, range, side);
            cells.push(shown(Derivative::GradientHsv, gradient)?);
            cells.push(shown(Derivative::Laplacian, laplacian)?);
        }
        Ok(cells)
    };
    let mut grid_rows = vec![row(grid::cell(&first.picture, side)?, Some(&truth))?];
    let mut names = vec!["the picture"];
    for (name, ran) in &ran {
        if let Some((_, fit)) = ran.fits.first() {
            names.push(name);
            grid_rows.push(row(grid::cell(&fit.result, side)?, fit.field.as_ref())?);
        }
    }
    let caption = format!(
        "Rows from the top: {}. Columns: values, gradient (hue: direction, value: length), Laplacian (grey is 0).",
        names.join("; ")
    );
    report.picture(path, &crate::grid::png(&grid_rows, side)?, &caption)
}

/// The picture and the enlargements, in one row.
fn enlargements(rows: &[Row], path: &Path, report: &mut Report) -> Result<()> {
    let mut cells = Vec::new();
    let mut names = Vec::new();
    let mut side = 0;
    for row in rows {
        let Ok(ran) = &row.ran else { continue };
        let Some((_, fit)) = ran.fits.first() else {
            continue;
        };
        if cells.is_empty() {
            side = ran.picture.side.max(CELL);
            cells.push(grid::cell(&ran.picture, side)?);
            names.push("the picture");
        }
        cells.push(grid::cell(&fit.result, side)?);
        names.push(&row.trial.name);
    }
    if cells.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<Cell>> = cells.chunks(4).map(<[Cell]>::to_vec).collect();
    let caption = format!("From left to right and down: {}.", names.join("; "));
    report.picture(path, &crate::grid::png(&rows, side)?, &caption)
}

/// Tables and plots of what flows through networks before any training.
fn activations(
    group: &Group,
    number: usize,
    rows: &[Row],
    folder: &Path,
    report: &mut Report,
) -> Result<()> {
    let mut table = Table::new(&[
        "",
        "layer",
        "before: mean",
        "deviation",
        "KS to normal",
        "after: mean",
        "deviation",
        "KS to arcsine",
        "set-up",
    ]);
    let mut found: Vec<(&str, Vec<LayerStatistics>)> = Vec::new();
    for Row { trial, .. } in rows {
        let settings = &trial.settings;
        let seed = settings.seeds.first().copied().unwrap_or(0);
        let network = settings.recipe(seed).initial_network(1);
        let layers = statistics(&network);
        for (index, layer) in layers.iter().enumerate() {
            let [before, after] =
                [layer.before, layer.after].map(|all| all.map(|v| format!("{v:.4}")));
            let mut cells = vec![trial.name.clone(), (index + 1).to_string()];
            cells.extend(before);
            cells.extend(after);
            cells.push(format!(
                "{} units, omega0 {} and {}",
                settings.width, settings.omega_first, settings.omega_hidden
            ));
            table.rows.push(cells);
        }
        found.push((&trial.name, layers));
    }
    report.result(&table.csv(&group.title));
    report.group(&group.title, &group.note, &table);
    for (which, what) in ["before", "after"].into_iter().enumerate() {
        for (name, layers) in &found {
            let reach = if which == 0 { 4.0 } else { 0.985 };
            let density = if which == 0 {
                normal_density
            } else {
                arcsine_density
            };
            let reference = (0..=200).map(|k| {
                let value = (f64::from(k) / 100.0 - 1.0) * reach;
                (value, density(value))
            });
            let mut histograms = vec![Line {
                name: if which == 0 { "normal" } else { "arcsine" }.into(),
                points: reference.collect(),
                reference: true,
            }];
            let mut spectra = Vec::new();
            for (index, layer) in layers.iter().enumerate() {
                let line = |points: &Vec<(f64, f64)>| Line {
                    name: format!("layer {}", index + 1),
                    points: points.clone(),
                    reference: false,
                };
                histograms.push(line(&layer.histograms[which]));
                spectra.push(line(&layer.spectra[which]));
            }
            let title = format!("{name}: {what} the activation");
            let mut draw = |kind: &str, x, y, logarithm, lines: &[Line]| -> Result<()> {
                let axes = Axes {
                    title: &title,
                    x,
                    y,
                    logarithm,
                };
                let file = format!("{kind}-{number}-{}-{what}.svg", super::slug(name));
                report.chart(&folder.join(file), &chart::lines(&axes, lines)?)
            };
            draw("histogram", "value", "density", false, &histograms)?;
            draw(
                "spectrum",
                "periods per line",
                "log10 of power",
                true,
                &spectra,
            )?;
        }
    }
    Ok(())
}
