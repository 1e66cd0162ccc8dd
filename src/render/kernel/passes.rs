//! A network's forward and backward pass over a tile, layer by layer.

use inr_formats::Activation;

use super::STRIP;
use super::evaluate::Linear;
use super::outer::{Outer, panels, row_sums};
use super::prepared::{Prepared, PreparedLayer};
use super::product::{Epilogue, product};
use super::simd::{Simd, Work};
use super::tile::{GradientLayout, Streams, Tile};
use super::trig::sine_cosine;

/// Inputs narrower than this take the gradient by dot products, the vectors of wider ones would be mostly empty.
const NARROW: usize = 5;

/// Factor of the activation's second derivative `-curvature * a`: sine bends, ReLU does not.
fn curvature(activation: Activation) -> f32 {
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
        // SAFETY: both are strips of the product's rows.
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
        // SAFETY: all are strips of the product's rows.
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
        // SAFETY: all are strips of the product's rows.
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

/// Gradient through an activation without derivative streams, in the slope's place.
struct TimesSlope {
    slopes: *mut f32,
}

impl<S: Simd> Epilogue<S> for TimesSlope {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        // SAFETY: a strip of the product's rows.
        unsafe {
            let at = self.slopes.add(offset);
            simd.store(at, simd.mul(simd.load(at), sums));
        }
    }
}

/// Values of the points of a tile, for training: see [`super::Backend::forward`].
pub(super) struct Forward<'a> {
    pub(super) network: &'a Prepared,
    pub(super) tile: &'a mut Tile,
    pub(super) strips: usize,
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(self, simd: S) {
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
                            .as_ptr()
                            .cast_mut()
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
                    product::<S, _, R, C>(simd, forward, bias, input, &mut linear);
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
        &self,
        simd: S,
        strip: usize,
        layer: usize,
    ) {
        let PreparedLayer { forward, bias, .. } = &self.network.layers[layer];
        let streams = self.tile.streams.count();
        let size = forward.rows * STRIP;
        // SAFETY: the caller vouches for the shapes.
        unsafe {
            let input = |stream: usize| {
                let column = strip * streams + stream;
                self.tile.values[layer]
                    .as_ptr()
                    .add(column * forward.inner * STRIP)
            };
            let out = self.tile.values[layer + 1]
                .as_ptr()
                .cast_mut()
                .add(strip * streams * size);
            let slopes = self.tile.slopes[layer]
                .as_ptr()
                .cast_mut()
                .add(strip * size);
            match self.network.activation {
                Activation::Sine => {
                    let mut activate = ActivateWithSlope::<true> { out, slopes };
                    product::<S, _, R, C>(simd, forward, bias.as_ptr(), input(0), &mut activate);
                }
                Activation::Relu => {
                    let mut activate = ActivateWithSlope::<false> { out, slopes };
                    product::<S, _, R, C>(simd, forward, bias.as_ptr(), input(0), &mut activate);
                }
            }
            if self.tile.streams == Streams::Value {
                return;
            }
            let sums = self.tile.sums[layer]
                .as_ptr()
                .cast_mut()
                .add(strip * 3 * size);
            for stream in [1, 2] {
                let mut first = First {
                    slopes,
                    sums: sums.add((stream - 1) * size),
                    out: out.add(stream * size),
                };
                product::<S, _, R, C>(simd, forward, std::ptr::null(), input(stream), &mut first);
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
            product::<S, _, R, C>(simd, forward, std::ptr::null(), input(3), &mut laplacian);
        }
    }
}

/// Gradients of the weights from those of the outputs: see [`super::Backend::backward`].
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
                            product::<S, _, R, C>(simd, backward, null, from, &mut slope);
                        }
                        Streams::Jet => {
                            let mut linear = Linear { out: to };
                            product::<S, _, R, C>(simd, backward, null, from, &mut linear);
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
    /// The gradient of `layer`'s weights and bias, with `back` that of its sums.
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
        // SAFETY: the caller vouches for the shapes.
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

    /// Turns gradients with respect to a hidden layer's activations into those of its sums, all four streams.
    ///
    /// # Safety
    /// `back` must hold the tile's strips of the layer's width, and the tile its forward pass.
    #[inline(always)]
    unsafe fn through_activation<S: Simd>(&self, simd: S, layer: usize, back: *mut f32) {
        let size = self.tile.widths[layer + 1] * STRIP;
        let bend = simd.splat(curvature(self.network.activation));
        for strip in 0..self.strips {
            for at in (0..size).step_by(S::WIDTH) {
                // SAFETY: the caller vouches for the shapes.
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
