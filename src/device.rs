//! Which device computes.

use std::fmt;
use std::str::FromStr;

use crate::Error;

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

#[cfg(feature = "candle")]
impl DeviceChoice {
    /// The candle device; `note` hears which one `auto` took when that is not the best of the build.
    ///
    /// # Errors
    /// [`Error::Device`] when a device was named and is absent.
    pub(crate) fn open(self, note: &mut dyn FnMut(&str)) -> Result<candle_core::Device, Error> {
        let absent = |reason: String| Error::Device {
            device: self.to_string(),
            reason,
        };
        match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda(index) => cuda(index).map_err(absent),
            Self::Metal => metal().map_err(absent),
            Self::Auto if cfg!(feature = "cuda") => Ok(cuda(0).unwrap_or_else(|reason| {
                note(&format!("no CUDA device ({reason}), using the CPU"));
                candle_core::Device::Cpu
            })),
            Self::Auto if cfg!(feature = "metal") => Ok(metal().unwrap_or_else(|reason| {
                note(&format!("no Metal device ({reason}), using the CPU"));
                candle_core::Device::Cpu
            })),
            Self::Auto => Ok(candle_core::Device::Cpu),
        }
    }
}

/// The name of an opened device, as [`DeviceChoice`] writes it.
#[cfg(feature = "candle")]
pub(crate) fn device_name(device: &candle_core::Device) -> String {
    use candle_core::DeviceLocation;
    match device.location() {
        DeviceLocation::Cpu => DeviceChoice::Cpu.to_string(),
        DeviceLocation::Cuda { gpu_id } => DeviceChoice::Cuda(gpu_id).to_string(),
        DeviceLocation::Metal { .. } => DeviceChoice::Metal.to_string(),
    }
}

#[cfg(feature = "candle")]
fn cuda(index: usize) -> Result<candle_core::Device, String> {
    if !cfg!(feature = "cuda") {
        return Err(
            "this build has no CUDA support; build with --features cuda, or use cpu".into(),
        );
    }
    candle_core::Device::new_cuda(index).map_err(|error| error.to_string())
}

#[cfg(feature = "candle")]
fn metal() -> Result<candle_core::Device, String> {
    if !cfg!(feature = "metal") {
        return Err(
            "this build has no Metal support; build with --features metal, or use cpu".into(),
        );
    }
    candle_core::Device::new_metal(0).map_err(|error| error.to_string())
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
