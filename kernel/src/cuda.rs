//! CUDA kernels of a fit through candle, compiled by NVRTC on first use on a GPU.

use std::sync::OnceLock;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaFunction, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::cudarc::nvrtc::compile_ptx;
use candle_core::cuda_backend::{CudaDevice, WrapErr};
use candle_core::{CudaStorage, Layout, Result as CandleResult, bail, builder_arg};
use inr_formats::Activation;

const SOURCE: &str = include_str!("fit.cu");

fn function(device: &CudaDevice, name: &str) -> CandleResult<CudaFunction> {
    static PTX: OnceLock<Result<String, String>> = OnceLock::new();
    let compiled = PTX.get_or_init(|| match compile_ptx(SOURCE) {
        Ok(ptx) => Ok(ptx.to_src()),
        Err(error) => Err(format!("NVRTC cannot compile the kernels: {error:?}")),
    });
    match compiled {
        Ok(ptx) => {
            let function = device.get_or_load_custom_func(name, "inr-fit", ptx)?;
            Ok(function.into_cuda_function())
        }
        Err(reason) => bail!("{reason}"),
    }
}

/// First and last index of a contiguous tensor.
fn whole(layout: &Layout) -> CandleResult<(usize, usize)> {
    match layout.contiguous_offsets() {
        Some(range) => Ok(range),
        None => bail!("strided tensor in a kernel of ours"),
    }
}

/// Computes the activation of `z + bias`, where sines scale it by `omega`; with `arriving`, the gradient with respect
/// to `z + bias`.
pub fn activate(
    activation: Activation,
    omega: f32,
    z: (&CudaStorage, &Layout),
    bias: (&CudaStorage, &Layout),
    arriving: Option<(&CudaStorage, &Layout)>,
) -> CandleResult<CudaStorage> {
    let device = z.0.device();
    let ((start, end), biases) = (whole(z.1)?, whole(bias.1)?);
    let count = end - start;
    let points = count / (biases.1 - biases.0).max(1);
    let stream = device.cuda_stream();
    let z = z.0.as_cuda_slice::<f32>()?.slice(start..end);
    let bias = bias.0.as_cuda_slice::<f32>()?.slice(biases.0..biases.1);
    // SAFETY: the kernel below writes every value before any read.
    let mut out = unsafe { device.alloc::<f32>(count)? };
    let sine = i32::from(activation == Activation::Sine);
    let config = LaunchConfig::for_num_elems(count as u32);
    match arriving {
        None => {
            let function = function(device, "activate")?;
            let mut launch = stream.launch_builder(&function);
            builder_arg!(launch, count as u32, points as u32);
            launch.arg(&z).arg(&bias);
            builder_arg!(launch, omega, sine);
            launch.arg(&mut out);
            // SAFETY: the arguments match the kernel's declaration; every index is checked against `count`, `z` and
            // `out` have `count` values, and `bias` has one value for each `points` of them.
            unsafe { launch.launch(config) }.w()?;
        }
        Some((arriving, layout)) => {
            let (start, end) = whole(layout)?;
            if end - start != count {
                bail!("{count} values and {} gradients", end - start);
            }
            let arriving = arriving.as_cuda_slice::<f32>()?.slice(start..end);
            let function = function(device, "activate_gradient")?;
            let mut launch = stream.launch_builder(&function);
            builder_arg!(launch, count as u32, points as u32);
            launch.arg(&z).arg(&bias).arg(&arriving);
            builder_arg!(launch, omega, sine);
            launch.arg(&mut out);
            // SAFETY: as above, and `arriving` has `count` values.
            unsafe { launch.launch(config) }.w()?;
        }
    }
    Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
}

/// The optimisers with a kernel.
#[derive(Clone, Copy)]
pub enum Optimiser {
    ScheduleFree,
    Adam,
}

/// Takes a step of `optimiser` on `state` `[3 n]` along `gradient` `[n]`, with the coefficients of its kernel.
pub fn advance(
    optimiser: Optimiser,
    coefficients: [f32; 6],
    state: (&mut CudaStorage, &Layout),
    gradient: (&CudaStorage, &Layout),
) -> CandleResult<()> {
    let device = state.0.device().clone();
    let ((start, end), range) = (whole(state.1)?, whole(gradient.1)?);
    let count = range.1 - range.0;
    if end - start != 3 * count {
        bail!("a state of {} values and {count} gradients", end - start);
    }
    let gradient = gradient.0.as_cuda_slice::<f32>()?.slice(range.0..range.1);
    let mut state = state.0.as_cuda_slice_mut::<f32>()?.slice_mut(start..end);
    let name = match optimiser {
        Optimiser::ScheduleFree => "schedule_free",
        Optimiser::Adam => "adam",
    };
    let function = function(&device, name)?;
    let stream = device.cuda_stream();
    let mut launch = stream.launch_builder(&function);
    builder_arg!(launch, count as u32);
    launch.arg(&mut state).arg(&gradient);
    let [a, b, c, beta1, beta2, epsilon] = coefficients;
    builder_arg!(launch, a, b, c, beta1, beta2, epsilon);
    let config = LaunchConfig::for_num_elems(count as u32);
    // SAFETY: the arguments match the kernels' declarations; every index is checked against `count`, and `state` has
    // three times as many values.
    unsafe { launch.launch(config) }.w()?;
    Ok(())
}
