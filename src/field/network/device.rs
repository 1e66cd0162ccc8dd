//! The field evaluated by candle, for GPUs.

use candle_core::{Device, Result, Tensor};
use inr_formats::Activation;

use super::{RowRenderer, Rows, Viewport};
use crate::field::coords::CoordinateMap;
use inr_kernel::{Network, encode_points};

/// Points evaluated at once: large enough for a GPU, 64 MiB of activations at 256 wide.
const POINTS: usize = 1 << 16;

/// The network's layers on a device.
struct DeviceNetwork<'a> {
    network: &'a Network,
    layers: Vec<(Tensor, Tensor)>,
    device: &'a Device,
}

impl<'a> DeviceNetwork<'a> {
    fn new(network: &'a Network, device: &'a Device) -> Result<Self> {
        let upload = |layer: &inr_kernel::Layer| {
            let weights =
                Tensor::from_slice(&layer.weights, (layer.outputs, layer.inputs), device)?;
            Ok((
                weights,
                Tensor::from_slice(&layer.bias, (layer.outputs, 1), device)?,
            ))
        };
        let layers = network.layers.iter().map(upload).collect::<Result<_>>()?;
        Ok(Self {
            network,
            layers,
            device,
        })
    }

    /// Outputs at the points, shape `[channels, n]`, flat.
    fn evaluate(&self, x: &[f32], y: &[f32]) -> Result<Vec<f32>> {
        let inputs = 2 + 4 * usize::from(self.network.frequencies);
        let mut encoded = vec![0.0; inputs * x.len()];
        encode_points(self.network.frequencies, x, y, x.len(), &mut encoded);
        let mut values = Tensor::from_vec(encoded, (inputs, x.len()), self.device)?;
        let last = self.layers.len() - 1;
        for (index, (weights, bias)) in self.layers.iter().enumerate() {
            values = weights.matmul(&values)?.broadcast_add(bias)?;
            values = match self.network.activation {
                _ if index == last => values,
                Activation::Sine => values.sin()?,
                Activation::Relu => values.relu()?,
            };
        }
        values.flatten_all()?.to_vec1()
    }
}

/// See [`super::render_on_device`].
pub(super) fn render<T>(
    network: &Network,
    map: &CoordinateMap,
    viewport: &Viewport,
    device: &Device,
    rows: Rows<T>,
    emit: impl Fn(&[f32], &mut [T]),
) -> Result<()> {
    let on_device = DeviceNetwork::new(network, device)?;
    let renderer = RowRenderer::new(network.channels(), map, viewport);
    let columns = viewport.size[0] as usize;
    let mut sums = vec![0.0; network.channels() * columns];
    for (row, out) in rows.each() {
        renderer.row(row, POINTS, &mut sums, |x, y, add| {
            let values = on_device.evaluate(x, y)?;
            add(&values, x.len());
            Ok::<(), candle_core::Error>(())
        })?;
        emit(&sums, out);
    }
    Ok(())
}
