//! The inner loops: dense layers and activations over tiles of points, forward and backward.
//!
//! One source, generic over the vectors of an instruction set (`simd.rs`), is compiled for each of them;
//! [`Backend::detect`] alone chooses, once per tile. Points lie across the lanes in strips of [`STRIP`]: a strip holds one
//! row of points per feature, so that no width needs padding and a strip of 256 features stays in a 48 KiB first-level
//! cache.

#![allow(unsafe_code)]

mod aligned;
#[cfg(feature = "fit")]
mod backward;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
mod evaluate;
mod forward;
#[cfg(feature = "fit")]
mod outer;
#[cfg(feature = "fit")]
mod peak;
mod prepared;
mod product;
mod scalar;
#[cfg_attr(
    not(feature = "fit"),
    expect(dead_code, reason = "training needs more of it")
)]
mod simd;
mod tile;
mod trig;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(test)]
mod tests;

pub(crate) use aligned::Aligned;
pub(crate) use prepared::Prepared;
#[cfg(feature = "fit")]
pub(crate) use tile::GradientLayout;
pub(crate) use tile::{Streams, Tile};

use simd::Work;

/// Points per strip.
pub(crate) const STRIP: usize = 32;

/// An instruction set that the kernels were compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The target's baseline.
    Scalar,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F besides.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 64-bit ARM.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// WebAssembly with 128-bit vectors.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Backend {
    /// The widest instruction set that this machine has.
    pub(crate) fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Scalar)
    }

    /// Every instruction set that this machine has, narrowest first.
    pub(crate) fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "some targets add none")]
        let mut found = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            found.push(Self::Avx2);
            if std::is_x86_feature_detected!("avx512f") {
                found.push(Self::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self::Neon);
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        found.push(Self::Simd128);
        found
    }

    /// Rows of the blocks that [`Packed`] matrices are laid out for.
    pub(crate) fn block_rows(self) -> usize {
        struct Rows;
        impl Work for Rows {
            type Output = usize;
            #[inline(always)]
            fn run<S: simd::Simd, const ROWS: usize, const COLUMNS: usize>(self, _: S) -> usize {
                ROWS
            }
        }
        self.dispatch(Rows)
    }

    fn dispatch<W: Work>(self, work: W) -> W::Output {
        match self {
            Self::Scalar => work.run::<_, 4, 2>(scalar::Scalar),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant only comes out of `available`, which detected the features.
            Self::Avx2 => unsafe { avx2::dispatch(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above, for AVX-512 F besides.
            Self::Avx512 => unsafe { avx512::dispatch(work) },
            // 8 x 2 sums, 2 columns and a weight of 32 registers.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => work.run::<_, 8, 2>(neon::Neon),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => work.run::<_, 4, 2>(simd128::Simd128),
        }
    }

    /// Does about `rounds` x 200 independent vector multiply-adds; returns the number of floating-point operations.
    #[cfg(feature = "fit")]
    pub(crate) fn peak(self, rounds: u32) -> f64 {
        self.dispatch(peak::Peak { rounds })
    }

    /// Replaces every value by `sin(omega * value)`; absolute error at most 2e-7 for angles up to 1,000.
    #[cfg(any(test, feature = "candle"))]
    pub(crate) fn scaled_sine(self, omega: f32, values: &mut [f32]) {
        self.dispatch(trig::Waves {
            omega,
            values,
            gradient: None,
        });
    }

    /// Replaces every `z` by `gradient * omega * cos(omega * z)`: what a sine layer passes back.
    ///
    /// # Panics
    /// When the slices differ in length.
    #[cfg(any(test, feature = "candle"))]
    pub(crate) fn sine_gradient(self, omega: f32, gradient: &[f32], values: &mut [f32]) {
        assert_eq!(gradient.len(), values.len());
        self.dispatch(trig::Waves {
            omega,
            values,
            gradient: Some(gradient),
        });
    }

    /// Outputs, shape `[strips, channels, STRIP]`, at `inputs`, shape `[strips, inputs, STRIP]`, with two strips of the
    /// widest hidden layer as `scratch`.
    ///
    /// # Panics
    /// When a slice is too short or the network is not packed for this backend.
    pub(crate) fn evaluate(
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
        self.dispatch(evaluate::Evaluate {
            network,
            inputs,
            strips,
            scratch,
            outputs,
        });
    }

    /// Runs the first `strips` strips of `tile` through `network`, keeping what [`Backend::backward`] needs.
    ///
    /// # Panics
    /// When the tile does not have the network's shape.
    pub(crate) fn forward(self, network: &Prepared, tile: &mut Tile, strips: usize) {
        tile.check(network, strips);
        self.dispatch(forward::Forward {
            network,
            tile,
            strips,
        });
    }

    /// After [`Backend::forward`], with the loss's gradient in the tile's outputs: that of all weights into `gradient`,
    /// laid out by `layout`, added to what is there if `add`.
    ///
    /// # Panics
    /// When the tile, layout or gradient do not have the network's shape.
    #[cfg(feature = "fit")]
    pub(crate) fn backward(
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
        self.dispatch(backward::Backward {
            network,
            tile,
            strips,
            layout,
            gradient,
            add,
        });
    }
}
