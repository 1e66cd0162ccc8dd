//! Pictures and fields as cells of grids.

use anyhow::Result;
use inr::decode::Derivative;
use inr::{Depth, InrPicture, OutputSize, RenderOptions};

use super::source::Grey;
use crate::grid::Cell;

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
    let options = RenderOptions::default()
        .size(OutputSize::Exact(side as u32, side as u32))
        .depth(Depth::U16);
    let shown = field.render_derivative(derivative, Some(range), &options, &mut ())?;
    Ok(shown.picture.into_colour().to_f32())
}

/// The magnitude of a field's derivative that all but 1 in 200 pixels stay below.
pub fn usual_range(field: &InrPicture, of: Derivative, side: usize) -> Result<f64> {
    let options = RenderOptions::default()
        .size(OutputSize::Exact(side as u32, side as u32))
        .depth(Depth::F32);
    let shown = field.render_derivative(of, None, &options, &mut ())?;
    let mut magnitudes: Vec<f32> = shown.picture.to_f32().iter().map(|v| v.abs()).collect();
    magnitudes.sort_by(f32::total_cmp);
    let usual = magnitudes[magnitudes.len() - 1 - magnitudes.len() / 200];
    Ok(f64::from(usual).max(1e-9))
}
