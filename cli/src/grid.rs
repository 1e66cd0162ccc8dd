//! Grids of pictures as PNG.

use anyhow::Result;
use inr::{Depth, FileFormat, Layout, Metadata, Picture, write_picture};

const GAP: usize = 6;

/// Red, green and blue of a square cell, 0.0..=1.0.
pub type Cell = Vec<f32>;

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
    let written = write_picture(&picture?, FileFormat::Png, None);
    Ok(written?.bytes)
}
