//! A network's values over a tile, for rendering.

use inr_formats::Activation;

use crate::backend::Backend;
use crate::prepared::{Prepared, PreparedLayer};
use crate::product::{Epilogue, Operand, Scattered, product};
use crate::simd::STRIP;
use crate::simd::{Simd, Work};
use crate::trig::sine;

/// Stores the sums unchanged.
pub(super) struct Linear {
    pub(super) out: *mut f32,
}

impl<S: Simd> Epilogue<S> for Linear {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        // SAFETY: `out` is a strip of the product's rows.
        unsafe { simd.store(self.out.add(offset), sums) }
    }
}

/// Stores the activation of the sums, for rendering.
struct Activate<const SINE: bool> {
    out: *mut f32,
}

impl<S: Simd, const SINE: bool> Epilogue<S> for Activate<SINE> {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        let value = if SINE {
            sine(simd, sums)
        } else {
            simd.where_positive(sums, sums)
        };
        // SAFETY: `out` is a strip of the product's rows.
        unsafe { simd.store(self.out.add(offset), value) }
    }
}

/// Stores the sums where they are above 0, and else `leak` times them.
struct Leak {
    out: *mut f32,
    leak: f32,
}

impl<S: Simd> Epilogue<S> for Leak {
    #[inline(always)]
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V) {
        let above = simd.mul(simd.splat(1.0 - self.leak), sums);
        let above = simd.where_positive(sums, above);
        let value = simd.mul_add(simd.splat(self.leak), sums, above);
        // SAFETY: `out` is a strip of the product's rows.
        unsafe { simd.store(self.out.add(offset), value) }
    }
}

/// Inputs of a network.
#[derive(Clone, Copy)]
pub(super) enum Inputs<'a> {
    /// Strips one after another, shape `[strips, inputs, STRIP]`.
    Strips(&'a [f32], usize),
    /// One strip whose rows start at these offsets.
    Scattered(&'a [f32], &'a Offsets),
}

/// Offsets of the rows of a strip that is not copied together.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    each: Vec<usize>,
    most: usize,
}

impl Offsets {
    pub(super) fn new(each: Vec<usize>) -> Self {
        let most = each.iter().copied().max().unwrap_or(0);
        Self { each, most }
    }
}

/// Computes the values of the points of one tile, for rendering: see [`Backend::evaluate`].
struct Evaluate<'a> {
    network: &'a Prepared,
    inputs: Inputs<'a>,
    /// Two strips of the widest layer.
    scratch: [&'a mut [f32]; 2],
    /// Outputs, shape `[strips, channels, STRIP]`.
    outputs: &'a mut [f32],
}

impl Work for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(self, simd: S) {
        let [front, back] = self.scratch;
        let scratch = [front.as_mut_ptr(), back.as_mut_ptr()];
        let layers = &self.network.layers;
        let last = layers.len() - 1;
        let strips = match self.inputs {
            Inputs::Strips(_, strips) => strips,
            Inputs::Scattered(..) => 1,
        };
        for strip in 0..strips {
            for (index, layer) in layers.iter().enumerate() {
                let forward = &layer.forward;
                // SAFETY: `Backend::evaluate_any` checked every slice against the network's shape.
                unsafe {
                    let out = match index {
                        _ if index == last => {
                            self.outputs.as_mut_ptr().add(strip * forward.rows * STRIP)
                        }
                        _ => scratch[index % 2],
                    };
                    let step = Step {
                        layer,
                        out,
                        activation: (index < last || self.network.activates_last)
                            .then_some(self.network.activation),
                        leak: self.network.leak,
                    };
                    match (index, self.inputs) {
                        (0, Inputs::Strips(inputs, _)) => {
                            let input = inputs.as_ptr().add(strip * forward.inner * STRIP);
                            step.run::<S, R, C, _>(simd, input);
                        }
                        (0, Inputs::Scattered(values, offsets)) => {
                            let (start, offsets) = (values.as_ptr(), offsets.each.as_ptr());
                            step.run::<S, R, C, _>(simd, Scattered { start, offsets });
                        }
                        _ => step.run::<S, R, C, _>(simd, scratch[(index + 1) % 2].cast_const()),
                    }
                }
            }
        }
    }
}

/// A layer of one strip.
struct Step<'a> {
    layer: &'a PreparedLayer,
    out: *mut f32,
    activation: Option<Activation>,
    leak: f32,
}

impl Step<'_> {
    /// # Safety
    /// `input` must have the layer's inputs and `out` room for a strip of its outputs.
    #[inline(always)]
    unsafe fn run<S: Simd, const R: usize, const C: usize, O: Operand>(self, simd: S, input: O) {
        let PreparedLayer { forward, bias, .. } = self.layer;
        let (bias, out) = (bias.as_ptr(), self.out);
        // SAFETY: the caller guarantees the strips.
        unsafe {
            match self.activation {
                None => {
                    product::<S, _, R, C, _>(simd, forward, bias, input, &mut Linear { out });
                }
                Some(Activation::Sine) => {
                    let mut sine = Activate::<true> { out };
                    product::<S, _, R, C, _>(simd, forward, bias, input, &mut sine);
                }
                Some(Activation::Relu) if self.leak != 0.0 => {
                    let leak = self.leak;
                    let mut leaky = Leak { out, leak };
                    product::<S, _, R, C, _>(simd, forward, bias, input, &mut leaky);
                }
                Some(Activation::Relu) => {
                    let mut relu = Activate::<false> { out };
                    product::<S, _, R, C, _>(simd, forward, bias, input, &mut relu);
                }
            }
        }
    }
}

impl Backend {
    /// Evaluates `network` at `inputs`, shape `[strips, inputs, STRIP]`, into `outputs`, shape
    /// `[strips, channels, STRIP]`. `scratch` holds two strips of the widest hidden layer.
    ///
    /// # Panics
    /// When a slice is too short or the network is not packed for this backend.
    pub fn evaluate(
        self,
        network: &Prepared,
        inputs: &[f32],
        strips: usize,
        scratch: [&mut [f32]; 2],
        outputs: &mut [f32],
    ) {
        assert!(inputs.len() >= strips * network.inputs() * STRIP);
        let inputs = Inputs::Strips(inputs, strips);
        self.evaluate_any(network, inputs, strips, scratch, outputs);
    }

    /// The same at one strip whose rows start at `offsets` from the first of `values`.
    pub(super) fn evaluate_scattered(
        self,
        network: &Prepared,
        (values, offsets): (&[f32], &Offsets),
        scratch: [&mut [f32]; 2],
        outputs: &mut [f32],
    ) {
        assert!(offsets.each.len() >= network.inputs());
        assert!(values.len() >= offsets.most + STRIP);
        let inputs = Inputs::Scattered(values, offsets);
        self.evaluate_any(network, inputs, 1, scratch, outputs);
    }

    fn evaluate_any(
        self,
        network: &Prepared,
        inputs: Inputs<'_>,
        strips: usize,
        scratch: [&mut [f32]; 2],
        outputs: &mut [f32],
    ) {
        let widths = network.widths();
        let last = widths.len() - 1;
        network.check();
        assert!(outputs.len() >= strips * widths[last] * STRIP);
        for scratch in &scratch {
            let fits = |width: &usize| scratch.len() >= width * STRIP;
            assert!(widths[1..last].iter().all(fits), "scratch is too short");
        }
        self.dispatch(Evaluate {
            network,
            inputs,
            scratch,
            outputs,
        });
    }
}
