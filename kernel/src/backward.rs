//! A network's backward pass over a tile, last layer first.

use crate::backend::Backend;
use crate::evaluate::Linear;
use crate::forward::curvature;
use crate::outer::{Outer, panels, row_sums};
use crate::prepared::Prepared;
use crate::product::{Epilogue, product};
use crate::simd::STRIP;
use crate::simd::{Simd, Work};
use crate::tile::{GradientLayout, Streams, Tile};

/// With fewer inputs than this the gradient uses dot products, because vectors of inputs would be mostly empty.
const NARROW: usize = 5;

/// Gradient through an activation without derivative streams; overwrites the slope.
struct TimesSlope {
    slopes: *mut f32,
}

impl<S: Simd> Epilogue<S> for TimesSlope {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        // SAFETY: `offset` is inside a strip of the product's rows.
        unsafe {
            let at = self.slopes.add(offset);
            simd.store(at, simd.mul(simd.load(at), sums));
        }
    }
}

/// Computes the gradients of the weights from those of the outputs: see [`Backend::backward`].
pub(super) struct Backward<'a> {
    pub(super) network: &'a Prepared,
    pub(super) tile: &'a mut Tile,
    pub(super) strips: usize,
    pub(super) layout: &'a GradientLayout,
    pub(super) gradient: &'a mut [f32],
    pub(super) add: bool,
}

impl Work for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(mut self, simd: S) {
        let streams = self.tile.streams.count();
        let mut back = self.tile.outputs.as_mut_ptr();
        for layer in (0..self.network.layers.len()).rev() {
            // SAFETY: `Backend::backward` checked the tile's, layout's and gradient's shapes.
            unsafe {
                self.weights::<S, R, C>(simd, layer, back);
                if layer == 0 {
                    return;
                }
                let next = match self.tile.streams {
                    Streams::Value => self.tile.slopes[layer - 1].as_mut_ptr(),
                    Streams::Jet => self.tile.back[layer % 2].as_mut_ptr(),
                };
                let backward = &self.network.layers[layer].backward;
                let size = backward.rows * STRIP;
                for column in 0..self.strips * streams {
                    let from = back.add(column * backward.inner * STRIP);
                    let to = next.add(column * size);
                    let null = std::ptr::null();
                    match self.tile.streams {
                        Streams::Value => {
                            let mut slope = TimesSlope { slopes: to };
                            product::<S, _, R, C, _>(
                                simd,
                                backward,
                                null,
                                from.cast_const(),
                                &mut slope,
                            );
                        }
                        Streams::Jet => {
                            let mut linear = Linear { out: to };
                            product::<S, _, R, C, _>(
                                simd,
                                backward,
                                null,
                                from.cast_const(),
                                &mut linear,
                            );
                        }
                    }
                }
                if self.tile.streams == Streams::Jet {
                    self.through_activation(simd, layer - 1, next);
                }
                back = next;
            }
        }
    }
}

impl Backward<'_> {
    /// Computes the gradient of `layer`'s weights and bias; `back` is the gradient of its sums.
    ///
    /// # Safety
    /// The tile, layout and gradient must have the network's shape.
    #[inline(always)]
    unsafe fn weights<S: Simd, const R: usize, const C: usize>(
        &mut self,
        simd: S,
        layer: usize,
        back: *const f32,
    ) {
        let (columns, rows) = (self.tile.widths[layer], self.tile.widths[layer + 1]);
        let streams = self.tile.streams.count();
        let strips = self.strips * streams;
        let place = self.layout.layers[layer];
        let inputs = self.tile.values[layer].as_ptr();
        // SAFETY: the caller guarantees the shapes.
        unsafe {
            let mut outer = Outer {
                back,
                rows,
                strips,
                inputs,
                columns,
                out: self.gradient.as_mut_ptr().add(place.weights),
                pitch: place.pitch,
                add: self.add,
            };
            if columns < NARROW {
                outer.narrow(simd);
            } else {
                let transposed = self.tile.panels.as_mut_ptr();
                panels(simd, inputs, columns, strips, transposed);
                outer.inputs = transposed;
                outer.wide::<S, R, C>(simd);
            }
            let bias = self.gradient.as_mut_ptr().add(place.bias);
            row_sums(simd, back, rows, self.strips, streams, bias, self.add);
        }
    }

    /// Converts gradients with respect to a hidden layer's activations to those of its sums, for all four streams.
    ///
    /// # Safety
    /// `back` must hold the tile's strips of the layer's width, and the tile the results of its forward pass.
    #[inline(always)]
    unsafe fn through_activation<S: Simd>(&self, simd: S, layer: usize, back: *mut f32) {
        let size = self.tile.widths[layer + 1] * STRIP;
        let bend = simd.splat(curvature(self.network.activation));
        for strip in 0..self.strips {
            for at in (0..size).step_by(S::WIDTH) {
                // SAFETY: the caller guarantees the shapes.
                unsafe {
                    let back = back.add(4 * strip * size + at);
                    let sums = self.tile.sums[layer].as_ptr().add(3 * strip * size + at);
                    let value = self.tile.values[layer + 1]
                        .as_ptr()
                        .add(4 * strip * size + at);
                    let slope = simd.load(self.tile.slopes[layer].as_ptr().add(strip * size + at));
                    let [z_x, z_y, z_lap] = [0, 1, 2].map(|k| simd.load(sums.add(k * size)));
                    let [v, x, y, lap] = [0, 1, 2, 3].map(|k| simd.load(back.add(k * size)));
                    let bent = simd.mul(bend, simd.load(value));
                    let squares = simd.mul_add(z_x, z_x, simd.mul(z_y, z_y));
                    let mut mixed = simd.mul(x, z_x);
                    mixed = simd.mul_add(y, z_y, mixed);
                    mixed = simd.mul_add(lap, z_lap, mixed);
                    let third = simd.mul(simd.mul(bend, lap), squares);
                    // v' = slope * (v - curvature * lap * squares) - curvature * a * mixed
                    let v = simd.mul(slope, simd.sub(v, third));
                    let v = simd.neg_mul_add(bent, mixed, v);
                    let twice = simd.mul(simd.splat(2.0), simd.mul(lap, bent));
                    let x = simd.neg_mul_add(twice, z_x, simd.mul(x, slope));
                    let y = simd.neg_mul_add(twice, z_y, simd.mul(y, slope));
                    for (k, value) in [v, x, y, simd.mul(lap, slope)].into_iter().enumerate() {
                        simd.store(back.add(k * size), value);
                    }
                }
            }
        }
    }
}

impl Backend {
    /// Computes the gradient of all weights after [`Backend::forward`], given the loss's gradient in the tile's
    /// outputs. The result is written to `gradient`, laid out by `layout`, or added to it if `add`.
    ///
    /// # Panics
    /// When the tile, layout or gradient do not have the network's shape.
    pub fn backward(
        self,
        network: &Prepared,
        tile: &mut Tile,
        strips: usize,
        layout: &GradientLayout,
        gradient: &mut [f32],
        add: bool,
    ) {
        tile.check(network, strips);
        layout.check(network, gradient);
        self.dispatch(Backward {
            network,
            tile,
            strips,
            layout,
            gradient,
            add,
        });
    }
}
