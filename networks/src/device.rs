//! Devices in candle's terms.

use candle_core::Device;
use inr::DeviceChoice;

use crate::error::Error;

/// The device in candle's terms.
pub(crate) fn candle_device(choice: DeviceChoice) -> Result<Device, Error> {
    Ok(choice.candle()?)
}

/// An error of `device`.
pub(crate) fn failed(device: &Device, reason: impl ToString) -> Error {
    Error::Field(device_error(device, reason))
}

/// As [`failed`], where the library's own error is needed.
pub(crate) fn device_error(device: &Device, reason: impl ToString) -> inr::Error {
    inr::Error::Device {
        device: DeviceChoice::candle_name(device),
        reason: reason.to_string(),
    }
}
