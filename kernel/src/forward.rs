//! A network's forward pass over a tile, layer by layer: values alone, or second-order jets.

use inr_formats::Activation;

use crate::backend::Backend;
use crate::evaluate::Linear;
use crate::prepared::{Prepared, PreparedLayer};
use crate::product::{Epilogue, product};
use crate::simd::STRIP;
use crate::simd::{Simd, Work};
use crate::tile::{Streams, Tile};
use crate::trig::sine_cosine;

/// Factor in the activation's second derivative `-curvature * a`: 1 for sine, 0 for ReLU.
pub(super) fn curvature(activation: Activation) -> f32 {
    match activation {
        Activation::Sine => 1.0,
        Activation::Relu => 0.0,
    }
}

/// Activation and its slope.
struct ActivateWithSlope<const SINE: bool> {
    out: *mut f32,
    slopes: *mut f32,
}

impl<S: Simd, const SINE: bool> Epilogue<S> for ActivateWithSlope<SINE> {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        let (value, slope) = if SINE {
            sine_cosine(simd, sums)
        } else {
            let slope = simd.where_positive(sums, simd.splat(1.0));
            (simd.where_positive(sums, sums), slope)
        };
        // SAFETY: `offset` is inside a strip of the product's rows in both buffers.
        unsafe {
            simd.store(self.out.add(offset), value);
            simd.store(self.slopes.add(offset), slope);
        }
    }
}

/// A first derivative: `a_x = slope * z_x`.
struct First {
    slopes: *const f32,
    sums: *mut f32,
    out: *mut f32,
}

impl<S: Simd> Epilogue<S> for First {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        // SAFETY: `offset` is inside a strip of the product's rows in all buffers.
        unsafe {
            simd.store(self.sums.add(offset), sums);
            let slope = simd.load(self.slopes.add(offset));
            simd.store(self.out.add(offset), simd.mul(slope, sums));
        }
    }
}

/// The Laplacian: `slope * lap z - curvature * a * (z_x^2 + z_y^2)`.
struct Laplacian {
    curvature: f32,
    value: *const f32,
    slopes: *const f32,
    x: *const f32,
    y: *const f32,
    sums: *mut f32,
    out: *mut f32,
}

impl<S: Simd> Epilogue<S> for Laplacian {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        // SAFETY: `offset` is inside a strip of the product's rows in all buffers.
        unsafe {
            simd.store(self.sums.add(offset), sums);
            let (x, y) = (simd.load(self.x.add(offset)), simd.load(self.y.add(offset)));
            let squares = simd.mul_add(x, x, simd.mul(y, y));
            let bend = simd.mul(
                simd.splat(self.curvature),
                simd.load(self.value.add(offset)),
            );
            let straight = simd.mul(simd.load(self.slopes.add(offset)), sums);
            simd.store(
                self.out.add(offset),
                simd.neg_mul_add(bend, squares, straight),
            );
        }
    }
}

/// Computes values, or jets, of the points of a tile: see [`Backend::forward`].
pub(super) struct Forward<'a> {
    pub(super) network: &'a Prepared,
    pub(super) tile: &'a mut Tile,
    pub(super) strips: usize,
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(mut self, simd: S) {
        let last = self.network.layers.len() - 1;
        for strip in 0..self.strips {
            for layer in 0..last {
                // SAFETY: `Backend::forward` checked the tile's shape and `strips`.
                unsafe { self.hidden::<S, R, C>(simd, strip, layer) };
            }
            let streams = self.tile.streams.count();
            let PreparedLayer { forward, bias, .. } = &self.network.layers[last];
            for stream in 0..streams {
                let column = strip * streams + stream;
                // SAFETY: as above.
                unsafe {
                    let mut linear = Linear {
                        out: self
                            .tile
                            .outputs
                            .as_mut_ptr()
                            .add(column * forward.rows * STRIP),
                    };
                    let bias = if stream == 0 {
                        bias.as_ptr()
                    } else {
                        std::ptr::null()
                    };
                    let input = self.tile.values[last]
                        .as_ptr()
                        .add(column * forward.inner * STRIP);
                    product::<S, _, R, C, _>(simd, forward, bias, input, &mut linear);
                }
            }
        }
    }
}

impl Forward<'_> {
    /// # Safety
    /// The tile must have the network's shape and `strip` be one of its strips.
    #[inline(always)]
    unsafe fn hidden<S: Simd, const R: usize, const C: usize>(
        &mut self,
        simd: S,
        strip: usize,
        layer: usize,
    ) {
        let PreparedLayer { forward, bias, .. } = &self.network.layers[layer];
        let streams = self.tile.streams.count();
        let size = forward.rows * STRIP;
        // SAFETY: the caller guarantees the shapes.
        unsafe {
            let inputs = self.tile.values[layer].as_ptr();
            let input = |stream: usize| {
                let column = strip * streams + stream;
                inputs.add(column * forward.inner * STRIP)
            };
            let out = self.tile.values[layer + 1]
                .as_mut_ptr()
                .add(strip * streams * size);
            let slopes = self.tile.slopes[layer].as_mut_ptr().add(strip * size);
            match self.network.activation {
                Activation::Sine => {
                    let mut activate = ActivateWithSlope::<true> { out, slopes };
                    product::<S, _, R, C, _>(simd, forward, bias.as_ptr(), input(0), &mut activate);
                }
                Activation::Relu => {
                    let mut activate = ActivateWithSlope::<false> { out, slopes };
                    product::<S, _, R, C, _>(simd, forward, bias.as_ptr(), input(0), &mut activate);
                }
            }
            if self.tile.streams == Streams::Value {
                return;
            }
            let sums = self.tile.sums[layer].as_mut_ptr().add(strip * 3 * size);
            for stream in [1, 2] {
                let mut first = First {
                    slopes,
                    sums: sums.add((stream - 1) * size),
                    out: out.add(stream * size),
                };
                product::<S, _, R, C, _>(
                    simd,
                    forward,
                    std::ptr::null(),
                    input(stream),
                    &mut first,
                );
            }
            let mut laplacian = Laplacian {
                curvature: curvature(self.network.activation),
                value: out,
                slopes,
                x: sums,
                y: sums.add(size),
                sums: sums.add(2 * size),
                out: out.add(3 * size),
            };
            product::<S, _, R, C, _>(simd, forward, std::ptr::null(), input(3), &mut laplacian);
        }
    }
}

impl Backend {
    /// Runs the first `strips` strips of `tile` through `network`, and stores the intermediate results for
    /// [`Backend::backward`].
    ///
    /// # Panics
    /// When the tile does not have the network's shape.
    pub fn forward(self, network: &Prepared, tile: &mut Tile, strips: usize) {
        tile.check(network, strips);
        self.dispatch(Forward {
            network,
            tile,
            strips,
        });
    }
}
