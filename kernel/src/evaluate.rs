//! A network's values over a tile, for rendering.

use inr_formats::Activation;

use crate::backend::Backend;
use crate::prepared::{Prepared, PreparedLayer};
use crate::product::{Epilogue, product};
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

/// Computes the values of the points of one tile, for rendering: see [`Backend::evaluate`].
pub(super) struct Evaluate<'a> {
    pub(super) network: &'a Prepared,
    /// Inputs, shape `[strips, inputs, STRIP]`.
    pub(super) inputs: &'a [f32],
    pub(super) strips: usize,
    /// Two strips of the widest layer.
    pub(super) scratch: [&'a mut [f32]; 2],
    /// Outputs, shape `[strips, channels, STRIP]`.
    pub(super) outputs: &'a mut [f32],
}

impl Work for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(self, simd: S) {
        let [front, back] = self.scratch;
        let scratch = [front.as_mut_ptr(), back.as_mut_ptr()];
        let last = self.network.layers.len() - 1;
        for strip in 0..self.strips {
            for (index, PreparedLayer { forward, bias, .. }) in
                self.network.layers.iter().enumerate()
            {
                let bias = bias.as_ptr();
                // SAFETY: `Backend::evaluate` checked every slice against the network's shape.
                unsafe {
                    let input = match index {
                        0 => self.inputs.as_ptr().add(strip * forward.inner * STRIP),
                        _ => scratch[(index + 1) % 2].cast_const(),
                    };
                    let out = match index {
                        _ if index == last => {
                            self.outputs.as_mut_ptr().add(strip * forward.rows * STRIP)
                        }
                        _ => scratch[index % 2],
                    };
                    if index == last && !self.network.activates_last {
                        product::<S, _, R, C>(simd, forward, bias, input, &mut Linear { out });
                    } else if self.network.activation == Activation::Sine {
                        let mut sine = Activate::<true> { out };
                        product::<S, _, R, C>(simd, forward, bias, input, &mut sine);
                    } else {
                        let mut relu = Activate::<false> { out };
                        product::<S, _, R, C>(simd, forward, bias, input, &mut relu);
                    }
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
        let widths = network.widths();
        let last = widths.len() - 1;
        network.check();
        assert!(inputs.len() >= strips * widths[0] * STRIP);
        assert!(outputs.len() >= strips * widths[last] * STRIP);
        for scratch in &scratch {
            let fits = |width: &usize| scratch.len() >= width * STRIP;
            assert!(widths[1..last].iter().all(fits), "scratch is too short");
        }
        self.dispatch(Evaluate {
            network,
            inputs,
            strips,
            scratch,
            outputs,
        });
    }
}
