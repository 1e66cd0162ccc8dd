//! Operations on pictures `[n, channels, height, width]` whose gradients candle lacks, computes wrongly or computes
//! slowly: its gradient of a maximum over 2 x 2 pixels is a quarter of the correct value, that of a bilinear resize is
//! missing, and those of convolutions use loops over single values.

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp3, DType, Device, Layout, MetalStorage,
    Result as CandleResult, Shape, Tensor,
};

/// Computes the gradients with respect to an operation's two inputs from those two and the gradient of its result.
type Backward = fn(&Tensor, &Tensor, &Tensor) -> CandleResult<(Option<Tensor>, Option<Tensor>)>;

/// Custom operation that passes on a precomputed result and supplies its gradients.
struct Made(Backward);

impl CustomOp3 for Made {
    fn name(&self) -> &'static str {
        "made"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        made: &CpuStorage,
        at: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        Ok((made.try_clone(at)?, at.shape().clone()))
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        made: &CudaStorage,
        at: &Layout,
    ) -> CandleResult<(CudaStorage, Shape)> {
        Ok((made.try_clone(at)?, at.shape().clone()))
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
        made: &MetalStorage,
        at: &Layout,
    ) -> CandleResult<(MetalStorage, Shape)> {
        Ok((made.try_clone(at)?, at.shape().clone()))
    }

    fn bwd(
        &self,
        first: &Tensor,
        second: &Tensor,
        _: &Tensor,
        _: &Tensor,
        arriving: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (first, second) = (self.0)(first, second, arriving)?;
        Ok((first, second, None))
    }
}

/// Attaches gradients to `made`, which was computed from `first` and `second` without tracking.
fn with_gradients(
    first: &Tensor,
    second: &Tensor,
    made: Tensor,
    backward: Backward,
) -> CandleResult<Tensor> {
    if !first.track_op() && !second.track_op() {
        return Ok(made);
    }
    first.apply_op3(second, &made.contiguous()?, Made(backward))
}

/// Convolves `x` with `kernel` `[outputs, channels, k, k]`, `k` odd, with zero padding; the result has the size of `x`.
pub(super) fn convolve(x: &Tensor, kernel: &Tensor) -> CandleResult<Tensor> {
    let made = convolved(&x.detach(), &kernel.detach())?;
    with_gradients(x, kernel, made, |x, kernel, arriving| {
        let arriving = arriving.contiguous()?;
        let of_x = match x.track_op() {
            true => Some(convolved(&arriving, &turned(kernel)?)?),
            false => None,
        };
        let of_kernel = match kernel.track_op() {
            true => Some(kernel_gradient(x, &arriving, kernel.dim(2)?)?),
            false => None,
        };
        Ok((of_x, of_kernel))
    })
}

/// Kernel of the backward pass, `[channels, outputs, k, k]`.
fn turned(kernel: &Tensor) -> CandleResult<Tensor> {
    let kernel = kernel.detach();
    let side = kernel.dim(2)?;
    let last = Tensor::from_iter((0..side as u32).rev(), kernel.device())?;
    kernel
        .transpose(0, 1)?
        .contiguous()?
        .index_select(&last, 2)?
        .index_select(&last, 3)
}

/// The zero-padded rows of `x`, concatenated: `[n, channels, length]`. A shift by whole pixels is then an offset in the
/// row, and convolutions are products with slices of it; `length` includes the largest shift.
struct Padded {
    flat: Tensor,
    /// Offset between consecutive rows.
    pitch: usize,
    height: usize,
    width: usize,
    side: usize,
}

impl Padded {
    fn new(x: &Tensor, side: usize) -> CandleResult<Self> {
        let (_, _, height, width) = x.dims4()?;
        let border = side / 2;
        let padded = x
            .pad_with_zeros(3, border, border)?
            .pad_with_zeros(2, border, border + 1)?;
        Ok(Self {
            flat: padded.flatten_from(2)?,
            pitch: width + 2 * border,
            height,
            width,
            side,
        })
    }

    /// Values per plane of a result in this layout.
    fn length(&self) -> usize {
        self.height * self.pitch
    }

    /// Inputs of a kernel's row at every position, `[n, side * channels, ...]`; the offset from one row of the kernel
    /// to the next is [`Padded::pitch`].
    fn columns(&self) -> CandleResult<Tensor> {
        let length = (self.height + self.side - 1) * self.pitch;
        let shifted = (0..self.side).map(|shift| self.flat.narrow(2, shift, length));
        Tensor::cat(&shifted.collect::<CandleResult<Vec<_>>>()?, 1)
    }

    /// The slice of `columns` for row `row` of the kernel.
    fn seen(&self, columns: &Tensor, row: usize) -> CandleResult<Tensor> {
        let part = columns.narrow(2, row * self.pitch, self.length())?;
        // Products on the CPU accept strided input.
        if part.device().is_cpu() {
            Ok(part)
        } else {
            part.contiguous()
        }
    }

    /// Removes the padding between the rows of a result.
    fn cropped(&self, result: &Tensor) -> CandleResult<Tensor> {
        let (n, channels, _) = result.dims3()?;
        result
            .reshape((n, channels, self.height, self.pitch))?
            .narrow(3, 0, self.width)?
            .contiguous()
    }
}

/// Adds `part` to the sum so far.
fn add(sum: Option<Tensor>, part: Tensor) -> CandleResult<Option<Tensor>> {
    Ok(Some(match sum {
        Some(sum) => (sum + part)?,
        None => part,
    }))
}

fn convolved(x: &Tensor, kernel: &Tensor) -> CandleResult<Tensor> {
    let (n, channels, _, _) = x.dims4()?;
    let (outputs, _, side, _) = kernel.dims4()?;
    let padded = Padded::new(x, side)?;
    let mut sum = None;
    if outputs < channels {
        // Shift after the product, which has fewer values than the input.
        let all = kernel
            .permute((2, 3, 0, 1))?
            .reshape((side * side * outputs, channels))?;
        let all = all.broadcast_left(n)?.matmul(&padded.flat)?;
        for place in 0..side * side {
            let shift = place / side * padded.pitch + place % side;
            let part = all.narrow(1, place * outputs, outputs)?;
            sum = add(sum, part.narrow(2, shift, padded.length())?.contiguous()?)?;
        }
    } else {
        let columns = padded.columns()?;
        for row in 0..side {
            let row_of_kernel = kernel
                .narrow(2, row, 1)?
                .permute((0, 2, 3, 1))?
                .reshape((outputs, side * channels))?;
            let seen = padded.seen(&columns, row)?;
            sum = add(sum, row_of_kernel.broadcast_left(n)?.matmul(&seen)?)?;
        }
    }
    match sum {
        Some(sum) => padded.cropped(&sum),
        None => candle_core::bail!("a kernel without rows"),
    }
}

fn kernel_gradient(x: &Tensor, arriving: &Tensor, side: usize) -> CandleResult<Tensor> {
    let channels = x.dim(1)?;
    let outputs = arriving.dim(1)?;
    let padded = Padded::new(&x.detach(), side)?;
    let columns = padded.columns()?;
    let arriving = arriving
        .pad_with_zeros(3, 0, padded.pitch - padded.width)?
        .flatten_from(2)?;
    let rows = (0..side).map(|row| {
        let seen = padded.seen(&columns, row)?;
        let sum = arriving.matmul(&seen.t()?)?.sum(0)?;
        sum.reshape((outputs, 1, side, channels))
    });
    let rows = Tensor::cat(&rows.collect::<CandleResult<Vec<_>>>()?, 1)?;
    rows.permute((0, 3, 1, 2))?.contiguous()
}

/// Maximum over every 2 x 2 pixels; an odd last row or column is ignored. Among equal maxima the first gets the
/// gradient, as in PyTorch.
pub(super) fn pool(x: &Tensor) -> CandleResult<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    if height < 2 || width < 2 {
        candle_core::bail!("a picture of {width}x{height} pixels has no maxima of 2 x 2");
    }
    let even = x.narrow(2, 0, height & !1)?.narrow(3, 0, width & !1)?;
    let made = even.detach().contiguous()?.max_pool2d(2)?;
    with_gradients(&even, &made, made.clone(), |x, largest, arriving| {
        let quarters = quarters(&x.detach())?;
        let mut free = largest.ones_like()?;
        let mut gradients = Vec::new();
        for quarter in &quarters {
            let chosen = (quarter.eq(largest)?.to_dtype(DType::F32)? * &free)?;
            free = (free - &chosen)?;
            gradients.push((chosen * arriving)?);
        }
        let (n, channels, height, width) = x.dims4()?;
        // [n, c, h/2, w/2, 4] to [n, c, h/2, 2, w/2, 2].
        let gradient = Tensor::stack(&gradients, 4)?
            .reshape(vec![n, channels, height / 2, width / 2, 2, 2])?
            .transpose(3, 4)?
            .reshape((n, channels, height, width))?;
        Ok((Some(gradient), None))
    })
}

/// The four pixels of every 2 x 2 block, row by row.
fn quarters(x: &Tensor) -> CandleResult<Vec<Tensor>> {
    let (n, channels, height, width) = x.dims4()?;
    let split = x
        .contiguous()?
        .reshape(vec![n, channels, height / 2, 2, width / 2, 2])?;
    let quarter = |at: usize| {
        let row = split.narrow(3, at / 2, 1)?.squeeze(3)?;
        row.narrow(4, at % 2, 1)?.squeeze(4)?.contiguous()
    };
    (0..4).map(quarter).collect()
}

/// Keeps every second pixel of every second row, starting with the first; both sides must be even.
pub(super) fn halve(x: &Tensor) -> CandleResult<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    x.reshape(vec![n, channels, height / 2, 2, width / 2, 2])?
        .narrow(3, 0, 1)?
        .narrow(5, 0, 1)?
        .reshape((n, channels, height / 2, width / 2))
}

/// Pixel shuffle: `[n, 4 c, h, w]` to `[n, c, 2 h, 2 w]`, channels of one pixel to the four pixels that replace it (Shi
/// et al. 2016, arXiv:1609.05158), in PyTorch's order.
pub(super) fn shuffle(x: &Tensor) -> CandleResult<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let channels = channels / 4;
    x.reshape(vec![n, channels, 2, 2, height, width])?
        .permute(vec![0, 1, 4, 2, 5, 3])?
        .reshape((n, channels, 2 * height, 2 * width))
}

/// Parametric ReLU: `x` where it is positive, else `slope` times it. `slope` is one number or one per channel.
pub(super) fn prelu(x: &Tensor, slope: &Tensor) -> CandleResult<Tensor> {
    let slope = slope.reshape((1, (), 1, 1))?;
    let made = {
        let x = x.detach();
        let positive = x.relu()?;
        let negative = (&x - &positive)?.broadcast_mul(&slope.detach())?;
        (positive + negative)?
    };
    with_gradients(x, &slope, made, |x, slope, arriving| {
        let x = x.detach();
        let below = (x.le(0.0)?.to_dtype(DType::F32)? * arriving)?;
        let above = (arriving - &below)?;
        let of_x = (above + below.broadcast_mul(&slope.detach())?)?;
        let of_slope = match slope.track_op() {
            true => {
                let part = (below * x)?;
                let sum = part.sum_keepdim((0, 2, 3))?;
                Some(match slope.dim(1)? {
                    1 => sum.sum_keepdim(1)?,
                    _ => sum,
                })
            }
            false => None,
        };
        Ok((Some(of_x), of_slope))
    })
}

/// Leaky ReLU: `x` where it is positive, else 0.2 times it.
pub(super) fn leaky(x: &Tensor) -> CandleResult<Tensor> {
    prelu(x, &Tensor::new(&[0.2_f32], x.device())?)
}

/// Batch normalisation: subtracts each channel's mean over all pictures and divides by its deviation. Also returns the
/// means and variances, `[channels]` each.
pub(super) fn normalised(x: &Tensor) -> CandleResult<(Tensor, Tensor, Tensor)> {
    let (n, _, height, width) = x.dims4()?;
    let share = 1.0 / (n * height * width) as f64;
    let plain = x.detach();
    let mean = (plain.sum_keepdim((0, 2, 3))? * share)?;
    let centred = plain.broadcast_sub(&mean)?;
    let variance = (centred.sqr()?.sum_keepdim((0, 2, 3))? * share)?;
    let inverse = (&variance + NORM_EPSILON)?.sqrt()?.recip()?;
    let made = centred.broadcast_mul(&inverse)?;
    let y = with_gradients(x, &inverse, made, |x, inverse, arriving| {
        let (n, _, height, width) = x.dims4()?;
        let share = 1.0 / (n * height * width) as f64;
        let x = x.detach();
        let mean = (x.sum_keepdim((0, 2, 3))? * share)?;
        let made = x.broadcast_sub(&mean)?.broadcast_mul(inverse)?;
        let of_mean = (arriving.sum_keepdim((0, 2, 3))? * share)?;
        let of_scale = ((arriving * &made)?.sum_keepdim((0, 2, 3))? * share)?;
        let inner = arriving
            .broadcast_sub(&of_mean)?
            .sub(&made.broadcast_mul(&of_scale)?)?;
        Ok((Some(inner.broadcast_mul(inverse)?), None))
    })?;
    Ok((y, mean.flatten_all()?, variance.flatten_all()?))
}

/// Epsilon added to variances, as in PyTorch.
pub(super) const NORM_EPSILON: f64 = 1e-5;

/// `x` plus one number per channel.
pub(super) fn shifted(x: &Tensor, bias: &Tensor) -> CandleResult<Tensor> {
    x.broadcast_add(&bias.reshape((1, (), 1, 1))?)
}

/// `x` times one number per channel.
pub(super) fn scaled(x: &Tensor, scale: &Tensor) -> CandleResult<Tensor> {
    x.broadcast_mul(&scale.reshape((1, (), 1, 1))?)
}

/// Resizes `x` by bilinear interpolation between pixel centres, with border values repeated outside, like PyTorch's
/// `interpolate` with `align_corners` false.
pub(super) fn resize(x: &Tensor, height: usize, width: usize) -> CandleResult<Tensor> {
    let (n, channels, from_height, from_width) = x.dims4()?;
    if (height, width) == (from_height, from_width) {
        return Ok(x.clone());
    }
    // A matrix product along each axis.
    let along = |x: &Tensor, from: usize, to: usize| {
        let matrix = bilinear(from, to, x.device())?.t()?.contiguous()?;
        x.reshape(((), from))?.matmul(&matrix)
    };
    along(x, from_width, width)?
        .reshape((n * channels, from_height, width))?
        .transpose(1, 2)?
        .contiguous()
        .and_then(|x| along(&x, from_height, height))?
        .reshape((n * channels, width, height))?
        .transpose(1, 2)?
        .reshape((n, channels, height, width))
}

/// The matrix `[to, from]` of a bilinear resize along one axis.
fn bilinear(from: usize, to: usize, device: &Device) -> CandleResult<Tensor> {
    let mut matrix = vec![0.0_f32; from * to];
    for (at, row) in matrix.chunks_exact_mut(from).enumerate() {
        let place = ((at as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let first = (place as usize).min(from - 1);
        let share = (place - first as f64) as f32;
        row[first] += 1.0 - share;
        row[(first + 1).min(from - 1)] += share;
    }
    Tensor::from_vec(matrix, (to, from), device)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use candle_core::Var;

    use super::*;

    #[test]
    fn of_equal_pixels_the_first_has_the_gradient_and_odd_rows_have_none() {
        let rows = [[1.0_f32, 1.0, 5.0], [1.0, 1.0, 6.0], [7.0, 8.0, 9.0]];
        let x = Var::new(&[[rows]], &Device::Cpu).unwrap();
        let gradients = pool(&x).unwrap().sum_all().unwrap().backward().unwrap();
        let found = gradients.get(&x).unwrap().squeeze(0).unwrap();
        let found = found.squeeze(0).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(found, [[1.0, 0.0, 0.0], [0.0; 3], [0.0; 3]]);
    }
}
