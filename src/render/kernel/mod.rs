//! The inner loops: dense layers and sines over a tile of points.
//!
//! Tiles are feature-major: one row of `stride` values per feature, points across the lanes. One portable source
//! (`portable.rs`) is compiled for the baseline and again for wider instruction sets (`x86.rs`); [`Backend::detect`]
//! alone chooses between them.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Points per vector step; tile strides are multiples of it.
pub(crate) const LANES: usize = 16;

/// An instruction set that the kernels were compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The target's baseline, without fused multiply-add.
    Portable,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F and VL besides.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Backend {
    /// The widest instruction set that this machine has.
    pub(crate) fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }

    /// Every instruction set that this machine has, narrowest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut found = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            found.push(Self::Avx2);
            if std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512vl")
            {
                found.push(Self::Avx512);
            }
        }
        found
    }

    /// `out = weights * input + bias` over `count` points, a multiple of [`LANES`], in rows of `stride`.
    ///
    /// # Panics
    /// When a slice is too short for its shape.
    pub(crate) fn dense(
        self,
        shape: DenseShape,
        input: &[f32],
        weights: &[f32],
        bias: &[f32],
        out: &mut [f32],
    ) {
        assert!(
            shape.fits(input, weights, bias, out),
            "slices shorter than {shape:?} needs"
        );
        match self {
            Self::Portable => portable::dense::<false, 4>(shape, input, weights, bias, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant only comes out of `available`, which detected both features.
            Self::Avx2 => unsafe { x86::dense_avx2(shape, input, weights, bias, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above, for the AVX-512 features.
            Self::Avx512 => unsafe { x86::dense_avx512(shape, input, weights, bias, out) },
        }
    }

    /// Replaces every value by its sine; absolute error at most 2e-7 up to 1,000 and about 1e-6 up to 8,192.
    pub(crate) fn sine(self, values: &mut [f32]) {
        match self {
            Self::Portable => portable::sine::<false>(values),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant only comes out of `available`, which detected both features.
            Self::Avx2 => unsafe { x86::sine_avx2(values) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above, for the AVX-512 features.
            Self::Avx512 => unsafe { x86::sine_avx512(values) },
        }
    }

    /// Replaces every `z` by `sin(omega * z)`.
    #[cfg(feature = "candle")]
    pub(crate) fn scaled_sine(self, omega: f32, values: &mut [f32]) {
        values.iter_mut().for_each(|z| *z *= omega);
        self.sine(values);
    }

    /// Replaces every `z` by `gradient * omega * cos(omega * z)`: what a sine layer passes back.
    ///
    /// # Panics
    /// When the slices differ in length.
    #[cfg(feature = "candle")]
    pub(crate) fn sine_gradient(self, omega: f32, gradient: &[f32], values: &mut [f32]) {
        assert_eq!(gradient.len(), values.len());
        match self {
            Self::Portable => portable::sine_gradient::<false>(omega, gradient, values),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant only comes out of `available`, which detected both features.
            Self::Avx2 => unsafe { x86::sine_gradient_avx2(omega, gradient, values) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above, for the AVX-512 features.
            Self::Avx512 => unsafe { x86::sine_gradient_avx512(omega, gradient, values) },
        }
    }
}

/// The shape of one dense layer over a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DenseShape {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Points to compute, a multiple of [`LANES`], at most `stride`.
    pub(crate) count: usize,
    /// Distance between rows of the tile.
    pub(crate) stride: usize,
}

impl DenseShape {
    fn fits(&self, input: &[f32], weights: &[f32], bias: &[f32], out: &[f32]) -> bool {
        self.count.is_multiple_of(LANES)
            && self.count <= self.stride
            && input.len() >= self.inputs * self.stride
            && out.len() >= self.outputs * self.stride
            && weights.len() == self.inputs * self.outputs
            && bias.len() == self.outputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(count: usize, scale: f32) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7919 % 1009) as f32 / 1009.0 - 0.5) * scale)
            .collect()
    }

    #[test]
    fn sines_are_within_2e7_up_to_1000_on_every_backend() {
        let angles: Vec<f32> = (0..200_000).map(|i| (i as f32 - 1e5) * 0.01).collect();
        for backend in Backend::available() {
            let mut sines = angles.clone();
            backend.sine(&mut sines);
            let worst = angles
                .iter()
                .zip(&sines)
                .map(|(&a, &s)| (f64::from(a).sin() - f64::from(s)).abs());
            let worst = worst.fold(0.0, f64::max);
            assert!(worst <= 2e-7, "{backend:?}: {worst}");
        }
    }

    #[test]
    fn sines_of_huge_and_odd_values_are_bounded_or_nan() {
        for backend in Backend::available() {
            let mut values = [
                1e5,
                -3e7,
                1e30,
                f32::MAX,
                f32::INFINITY,
                f32::NAN,
                0.0,
                -0.0,
                9e3,
                1.0,
            ];
            backend.sine(&mut values);
            assert!(
                values.iter().all(|v| v.is_nan() || v.abs() <= 1.0),
                "{backend:?}: {values:?}"
            );
        }
    }

    #[test]
    fn every_backend_agrees_with_a_plain_matrix_product() {
        for (inputs, outputs, count) in [
            (2, 5, 16),
            (33, 7, 48),
            (64, 64, 32),
            (1, 1, 16),
            (19, 13, 64),
        ] {
            let (stride, shape_count) = (64, count);
            let shape = DenseShape {
                inputs,
                outputs,
                count: shape_count,
                stride,
            };
            let (input, weights, bias) = (
                ramp(inputs * stride, 2.0),
                ramp(inputs * outputs, 1.0),
                ramp(outputs, 3.0),
            );
            for backend in Backend::available() {
                let mut out = vec![f32::NAN; outputs * stride];
                backend.dense(shape, &input, &weights, &bias, &mut out);
                for output in 0..outputs {
                    for point in 0..count {
                        let products = (0..inputs).map(|i| {
                            f64::from(weights[output * inputs + i])
                                * f64::from(input[i * stride + point])
                        });
                        let exact = f64::from(bias[output]) + products.sum::<f64>();
                        let got = f64::from(out[output * stride + point]);
                        assert!(
                            (got - exact).abs() < 1e-5,
                            "{backend:?} {shape:?}: {got} for {exact}"
                        );
                    }
                }
            }
        }
    }
}
