//! Which device computes.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A device as the caller names it: `auto`, `cpu`, `cuda`, `cuda:1`, `metal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A GPU that this build can use if there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this index.
    Cuda(usize),
    /// Apple's Metal.
    Metal,
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => formatter.pad("auto"),
            Self::Cpu => formatter.pad("cpu"),
            Self::Cuda(index) => write!(formatter, "cuda:{index}"),
            Self::Metal => formatter.pad("metal"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let index = |digits: &str| digits.parse().ok().map(Self::Cuda);
        let found = match text {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            "metal" => Some(Self::Metal),
            _ => text.strip_prefix("cuda:").and_then(index),
        };
        found.ok_or_else(|| Error::Misuse {
            what: format!("unknown device {text:?}"),
            want: "use auto, cpu, cuda, cuda:N or metal",
        })
    }
}

/// A device that is there.
#[derive(Clone)]
pub(crate) enum OpenDevice {
    Cpu,
    #[cfg(feature = "candle")]
    #[cfg_attr(
        not(any(feature = "cuda", feature = "metal")),
        expect(dead_code, reason = "candle alone brings no GPU")
    )]
    Gpu(candle_core::Device),
}

impl OpenDevice {
    /// As [`DeviceChoice`] writes it.
    #[cfg(feature = "fit")]
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Cpu => DeviceChoice::Cpu.to_string(),
            #[cfg(feature = "candle")]
            Self::Gpu(device) => candle_name(device),
        }
    }
}

impl DeviceChoice {
    /// Opens the device; `note` hears which one `auto` took when that is not the best of the build.
    ///
    /// # Errors
    /// [`Error::Device`] when a device was named and is absent.
    pub(crate) fn open(self, note: &mut dyn FnMut(&str)) -> Result<OpenDevice, Error> {
        let absent = |reason: String| Error::Device {
            device: self.to_string(),
            reason,
        };
        let mut or_cpu = |device: Result<OpenDevice, String>| {
            device.unwrap_or_else(|reason| {
                note(&format!("{reason}, using the CPU"));
                OpenDevice::Cpu
            })
        };
        match self {
            Self::Cpu => Ok(OpenDevice::Cpu),
            Self::Cuda(index) => cuda(index).map_err(absent),
            Self::Metal => metal().map_err(absent),
            Self::Auto if cfg!(feature = "cuda") => Ok(or_cpu(cuda(0))),
            Self::Auto if cfg!(feature = "metal") => Ok(or_cpu(metal())),
            Self::Auto => Ok(OpenDevice::Cpu),
        }
    }
}

/// The name of candle's device, as [`DeviceChoice`] writes it.
#[cfg(feature = "candle")]
pub(crate) fn candle_name(device: &candle_core::Device) -> String {
    DeviceChoice::candle_name(device)
}

#[cfg(feature = "candle")]
impl DeviceChoice {
    /// The device in candle's terms.
    ///
    /// # Errors
    /// [`Error::Device`] when a device was named and is absent.
    pub fn candle(self) -> Result<candle_core::Device, Error> {
        Ok(match self.open(&mut |_| ())? {
            OpenDevice::Cpu => candle_core::Device::Cpu,
            OpenDevice::Gpu(device) => device,
        })
    }

    /// The name of candle's device, as this type writes it.
    pub fn candle_name(device: &candle_core::Device) -> String {
        use candle_core::DeviceLocation;
        match device.location() {
            DeviceLocation::Cpu => Self::Cpu.to_string(),
            DeviceLocation::Cuda { gpu_id } => Self::Cuda(gpu_id).to_string(),
            DeviceLocation::Metal { .. } => Self::Metal.to_string(),
        }
    }
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<OpenDevice, String> {
    let device = candle_core::Device::new_cuda(index);
    device
        .map(OpenDevice::Gpu)
        .map_err(|error| format!("no CUDA device ({error})"))
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Result<OpenDevice, String> {
    Err("this build has no CUDA support; build with --features cuda, or use cpu".into())
}

#[cfg(feature = "metal")]
fn metal() -> Result<OpenDevice, String> {
    let device = candle_core::Device::new_metal(0);
    device
        .map(OpenDevice::Gpu)
        .map_err(|error| format!("no Metal device ({error})"))
}

#[cfg(not(feature = "metal"))]
fn metal() -> Result<OpenDevice, String> {
    Err("this build has no Metal support; build with --features metal, or use cpu".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for name in ["auto", "cpu", "cuda:0", "cuda:3", "metal"] {
            assert_eq!(
                name.parse::<DeviceChoice>()
                    .map(|device| device.to_string())
                    .ok()
                    .as_deref(),
                Some(name)
            );
        }
        for name in ["", "gpu", "cuda:", "cuda:x", "CPU"] {
            assert!(name.parse::<DeviceChoice>().is_err(), "{name}");
        }
    }
}
