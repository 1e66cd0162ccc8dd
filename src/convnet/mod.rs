//! Convolutional networks whose weights are the user's own: VGG19's features as a loss, and SRResNet, which enlarges
//! pictures. All of it is in candle.

mod enlarge;
mod ops;
mod parameters;
mod srresnet;
mod training;
mod vgg;
mod weights;

use candle_core::Device;

pub use enlarge::{SrOptions, enlarge_srgan};
pub use srresnet::SrShape;
pub use training::{SrLoss, SrRecipe, SrScore, SrStep, SrTrainer};
pub use vgg::{VggLoss, VggOptions};
pub use weights::{Weights, WeightsError};

use crate::device::{OpenDevice, candle_name};
use crate::{DeviceChoice, Error};

/// The device in candle's terms.
fn candle_device(choice: DeviceChoice) -> Result<Device, Error> {
    Ok(match choice.open(&mut |_| ())? {
        OpenDevice::Cpu => Device::Cpu,
        OpenDevice::Gpu(device) => device,
    })
}

fn failed(device: &Device, reason: impl ToString) -> Error {
    Error::Device {
        device: candle_name(device),
        reason: reason.to_string(),
    }
}
