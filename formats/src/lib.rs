//! The .inr container: conversion between bytes and header, weights and metadata.
//!
//! The byte layout is specified in `SPEC.md`. This crate reads and writes it and does not render or fit. Reading never
//! trusts a size that a file declares: see [`Limits`].
//!
//! ```
//! use inr_formats::{Activation, Depth, Grid, Header, InrFile, LayerData, Layout, Limits, Mlp, Model, Sampling, Tensor};
//!
//! let mlp = Mlp {
//!     activation: Activation::Sine,
//!     frequencies: 0,
//!     hidden: vec![2],
//!     omega_first: 30.0,
//!     omega_hidden: 30.0,
//!     grid: Grid::PixelCentre,
//! };
//! let layers = mlp
//!     .layer_shapes(1)
//!     .into_iter()
//!     .map(|(outputs, inputs)| LayerData {
//!         matrix: Tensor::Quantised { step: 0.25, bits: 8, values: vec![3; outputs * inputs] },
//!         bias: Tensor::Float(vec![0.5; outputs]),
//!     })
//!     .collect();
//! let header = Header {
//!     width: 16,
//!     height: 9,
//!     layout: Layout::Grey,
//!     depth: Depth::U8,
//!     value_range: [0.0, 1.0],
//!     sampling: Sampling::Point,
//!     cicp: None,
//!     model: Model::Mlp(mlp),
//! };
//! let file = InrFile::new(header, layers);
//! let bytes = file.write()?;
//! assert_eq!(InrFile::read(&bytes, &Limits::default())?, file);
//! # Ok::<(), inr_formats::FormatError>(())
//! ```
#![forbid(unsafe_code)]

mod blob;
mod chunk;
mod chunk_kind;
mod entropy;
mod error;
mod file;
mod head;
mod header;
mod inspect;
pub mod latents;
mod limits;
mod messagepack;
mod model;
mod opacity;
mod provenance;
mod tensor;
mod weight_coder;
mod weights;

pub use chunk::{Chunk, SIGNATURE, VERSION};
pub use chunk_kind::ChunkKind;
pub use error::{Family, FormatError};
pub use file::InrFile;
pub use header::{Depth, Header, Layout, Sampling};
pub use inspect::{ChunkInfo, inspect};
pub use latents::Latents;
pub use limits::Limits;
pub use model::{Activation, Grid, Mlp, Model};
pub use opacity::{Opacity, OpacityMap};
pub use provenance::Provenance;
pub use tensor::{LayerData, Tensor};
