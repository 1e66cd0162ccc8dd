//! Grids of pictures as PNG.

use anyhow::Result;
use inr::{
    Depth, Derivative, FileFormat, InrPicture, Layout, Metadata, OutputSize, Picture,
    RenderOptions, write_picture,
};

use super::source::Grey;

const GAP: usize = 6;

/// Red, green and blue of a square cell, 0.0..=1.0.
pub type Cell = Vec<f32>;

/// A grey picture as a cell.
pub fn cell(picture: &Grey, side: usize) -> Result<Cell> {
    let sized = if picture.side == side {
        picture.clone()
    } else {
        picture.resized(side)?
    };
    let samples = sized.clipped().samples;
    Ok(samples.into_iter().flat_map(|v| [v; 3]).collect())
}

/// A picture of a field's derivative as a cell.
pub fn derivative(
    field: &InrPicture,
    derivative: Derivative,
    range: f64,
    side: usize,
) -> Result<Cell> {
    let options = RenderOptions {
        size: OutputSize::Exact(side as u32, side as u32),
        depth: Some(Depth::U16),
        ..RenderOptions::default()
    };
    let shown = field.render_derivative(derivative, Some(range), &options)?;
    Ok(shown.picture.into_colour().to_f32())
}

/// The magnitude of a field's derivative that all but 1 in 200 pixels stay below.
pub fn usual_range(field: &InrPicture, of: Derivative, side: usize) -> Result<f64> {
    let options = RenderOptions {
        size: OutputSize::Exact(side as u32, side as u32),
        depth: Some(Depth::F32),
        ..RenderOptions::default()
    };
    let shown = field.render_derivative(of, None, &options)?;
    let mut magnitudes: Vec<f32> = shown.picture.to_f32().iter().map(|v| v.abs()).collect();
    magnitudes.sort_by(f32::total_cmp);
    let usual = magnitudes[magnitudes.len() - 1 - magnitudes.len() / 200];
    Ok(f64::from(usual).max(1e-9))
}

/// Rows of cells of `side` pixels, on white, as a PNG file.
pub fn png(rows: &[Vec<Cell>], side: usize) -> Result<Vec<u8>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let extent = |count: usize| count * side + (count + 1) * GAP;
    let (width, height) = (extent(columns), extent(rows.len().max(1)));
    let mut samples = vec![1.0_f32; width * height * 3];
    for (y, row) in rows.iter().enumerate() {
        for (x, cell) in row.iter().enumerate() {
            let (left, top) = (GAP + x * (side + GAP), GAP + y * (side + GAP));
            for (line, pixels) in cell.chunks_exact(side * 3).enumerate() {
                let start = ((top + line) * width + left) * 3;
                samples[start..start + side * 3].copy_from_slice(pixels);
            }
        }
    }
    let picture = Picture::from_f32(
        width as u32,
        height as u32,
        Layout::Rgb,
        Depth::U8,
        &samples,
        Metadata::default(),
    );
    let written = write_picture(&picture.map_err(inr::Error::from)?, FileFormat::Png, None);
    Ok(written.map_err(inr::Error::from)?.bytes)
}
