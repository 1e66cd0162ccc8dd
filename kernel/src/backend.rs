//! Instruction sets, and runtime dispatch to them.

#[cfg(target_arch = "x86_64")]
use crate::avx2;
#[cfg(target_arch = "x86_64")]
use crate::avx512;
#[cfg(target_arch = "aarch64")]
use crate::neon;
use crate::scalar;
use crate::simd::{Simd, Work};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use crate::simd128;

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The target's baseline.
    Scalar,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, in addition to AVX2 and FMA.
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
    /// Returns the widest instruction set of this machine.
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Scalar)
    }

    /// Returns all instruction sets of this machine, narrowest first.
    pub fn available() -> Vec<Self> {
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

    /// Rows per block in the layout of packed matrices.
    pub fn block_rows(self) -> usize {
        struct Rows;
        impl Work for Rows {
            type Output = usize;
            #[inline(always)]
            fn run<S: Simd, const ROWS: usize, const COLUMNS: usize>(self, _: S) -> usize {
                ROWS
            }
        }
        self.dispatch(Rows)
    }

    pub(crate) fn dispatch<W: Work>(self, work: W) -> W::Output {
        match self {
            Self::Scalar => work.run::<_, 4, 2>(scalar::Scalar),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant only comes from `available`, which detected the features.
            Self::Avx2 => unsafe { avx2::dispatch(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above, and `available` also detected AVX-512 F.
            Self::Avx512 => unsafe { avx512::dispatch(work) },
            // 8 x 2 sums, 2 columns and a weight use 19 of the 32 registers.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => work.run::<_, 8, 2>(neon::Neon),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => work.run::<_, 4, 2>(simd128::Simd128),
        }
    }
}
