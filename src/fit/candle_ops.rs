//! What candle's own operations would take several passes over memory for, in one: layers' activations and the
//! optimiser's step, on the CPU and on CUDA.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, DType, Device, InplaceOp2, Layout, Result as CandleResult,
    Shape, Tensor, bail,
};
use inr_formats::Activation;

use super::optimiser::Update;
#[cfg(feature = "cuda")]
use super::optimiser::{BETA1, BETA2, EPSILON};
use inr_kernel::Backend;
#[cfg(feature = "cuda")]
use inr_kernel::cuda::{self, Optimiser};

/// True where the operations here have kernels of their own; candle's serve elsewhere.
pub(super) fn has_kernels(device: &Device) -> bool {
    device.is_cpu() || device.is_cuda()
}

/// A hidden layer's activation of `z + bias`, with `z` `[outputs, points]` and `bias` `[outputs, 1]`; a sine layer
/// multiplies by omega first. One pass on the CPU, by our vector kernels (candle's sine is scalar), and on CUDA.
#[derive(Clone, Copy)]
pub(super) struct Activate {
    pub(super) activation: Activation,
    pub(super) omega: f32,
    pub(super) backend: Backend,
}

/// Turns the gradient with respect to an activation into the one with respect to `z + bias`.
struct ActivateGradient(Activate);

impl Activate {
    pub(super) fn forward(self, z: &Tensor, bias: &Tensor) -> CandleResult<Tensor> {
        if has_kernels(z.device()) {
            return z.apply_op2_no_bwd(bias, &self);
        }
        let z = z.broadcast_add(bias)?;
        match self.activation {
            Activation::Sine => z.affine(f64::from(self.omega), 0.0)?.sin(),
            Activation::Relu => z.relu(),
        }
    }

    pub(super) fn backward(
        self,
        z: &Tensor,
        bias: &Tensor,
        arriving: &Tensor,
    ) -> CandleResult<Tensor> {
        if has_kernels(z.device()) {
            return z.apply_op3_no_bwd(bias, arriving, &ActivateGradient(self));
        }
        let z = z.broadcast_add(bias)?;
        let omega = f64::from(self.omega);
        match self.activation {
            Activation::Sine => (z.affine(omega, 0.0)?.cos()? * arriving)?.affine(omega, 0.0),
            Activation::Relu => z.gt(0.0)?.to_dtype(DType::F32)? * arriving,
        }
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> CandleResult<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("strided tensor in an activation"),
    }
}

/// `z + bias`, row by row.
fn biased(z: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut sums = z.to_vec();
    for (row, bias) in sums.chunks_exact_mut(z.len() / bias.len()).zip(bias) {
        row.iter_mut().for_each(|z| *z += bias);
    }
    sums
}

impl CustomOp2 for Activate {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let mut values = biased(contiguous(z, z_at)?, contiguous(bias, bias_at)?);
        match self.activation {
            Activation::Sine => self.backend.scaled_sine(self.omega, &mut values),
            Activation::Relu => values.iter_mut().for_each(|z| *z = z.max(0.0)),
        }
        Ok((CpuStorage::F32(values), z_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        z: &CudaStorage,
        z_at: &Layout,
        bias: &CudaStorage,
        bias_at: &Layout,
    ) -> CandleResult<(CudaStorage, Shape)> {
        let (z, bias) = ((z, z_at), (bias, bias_at));
        let values = cuda::activate(self.activation, self.omega, z, bias, None)?;
        Ok((values, z_at.shape().clone()))
    }
}

impl CustomOp3 for ActivateGradient {
    fn name(&self) -> &'static str {
        "activation-gradient"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
        arriving: &CpuStorage,
        arriving_at: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let mut values = biased(contiguous(z, z_at)?, contiguous(bias, bias_at)?);
        let arriving = contiguous(arriving, arriving_at)?;
        match self.0.activation {
            Activation::Sine => self
                .0
                .backend
                .sine_gradient(self.0.omega, arriving, &mut values),
            Activation::Relu => {
                let pairs = values.iter_mut().zip(arriving);
                pairs.for_each(|(z, arriving)| *z = if *z > 0.0 { *arriving } else { 0.0 });
            }
        }
        Ok((CpuStorage::F32(values), z_at.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        z: &CudaStorage,
        z_at: &Layout,
        bias: &CudaStorage,
        bias_at: &Layout,
        arriving: &CudaStorage,
        arriving_at: &Layout,
    ) -> CandleResult<(CudaStorage, Shape)> {
        let (z, bias) = ((z, z_at), (bias, bias_at));
        let arriving = Some((arriving, arriving_at));
        let values = cuda::activate(self.0.activation, self.0.omega, z, bias, arriving)?;
        Ok((values, z_at.shape().clone()))
    }
}

/// A step of the optimiser on its state `[3, n]`, in place, along a gradient `[n]`.
pub(super) struct Advance(pub(super) Update);

impl InplaceOp2 for Advance {
    fn name(&self) -> &'static str {
        "advance"
    }

    fn cpu_fwd(
        &self,
        state: &mut CpuStorage,
        state_at: &Layout,
        gradient: &CpuStorage,
        gradient_at: &Layout,
    ) -> CandleResult<()> {
        let (CpuStorage::F32(state), Some((start, end))) = (state, state_at.contiguous_offsets())
        else {
            bail!("an optimiser's state is whole and of 32-bit floats");
        };
        self.0
            .apply(&mut state[start..end], contiguous(gradient, gradient_at)?);
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        state: &mut CudaStorage,
        state_at: &Layout,
        gradient: &CudaStorage,
        gradient_at: &Layout,
    ) -> CandleResult<()> {
        let (optimiser, [a, b, c]) = match self.0 {
            Update::ScheduleFree {
                rate,
                correction,
                share,
            } => (Optimiser::ScheduleFree, [rate, correction, share]),
            Update::Adam {
                rate,
                first_correction,
                second_correction,
            } => (Optimiser::Adam, [rate, first_correction, second_correction]),
        };
        let coefficients = [a, b, c, BETA1, BETA2, EPSILON];
        cuda::advance(
            optimiser,
            coefficients,
            (state, state_at),
            (gradient, gradient_at),
        )
    }
}
