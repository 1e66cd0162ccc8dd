//! The filters: their descriptions and implementations.

mod denoise;
mod derivative;
mod entry;
mod gradients;
mod paste;
mod upscale;

use entry::Entry;

/// All filters, in the order of the table.
pub(crate) const ALL: [Entry; 9] = [
    upscale::UPSCALE,
    gradients::SHARPEN,
    gradients::SMOOTH,
    derivative::GRADIENT,
    derivative::LAPLACIAN,
    gradients::EDGE_BOOST,
    gradients::FLATTEN_LIGHT,
    paste::SEAMLESS_PASTE,
    denoise::DENOISE,
];
