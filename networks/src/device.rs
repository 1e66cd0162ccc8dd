//! Conversion of devices and their errors to and from candle.

use candle_core::Device;
use inr::DeviceChoice;

use crate::error::Error;

/// Opens the candle device for `choice`.
pub(crate) fn candle_device(choice: DeviceChoice) -> Result<Device, Error> {
    Ok(choice.candle()?)
}

/// Creates an error of `device`.
pub(crate) fn failed(device: &Device, reason: impl ToString) -> Error {
    Error::Field(device_error(device, reason))
}

/// Same as [`failed`], as an error of `inr` itself.
pub(crate) fn device_error(device: &Device, reason: impl ToString) -> inr::Error {
    inr::Error::Device {
        device: DeviceChoice::candle_name(device),
        reason: reason.to_string(),
    }
}
