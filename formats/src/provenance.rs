//! Chunk `prov`: provenance of the file.

use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;
use crate::limits::within;
use crate::messagepack;
use serde::{Deserialize, Serialize};

/// Maximum size of `prov` in bytes.
const MAX_BYTES: u64 = 1 << 16;

/// Provenance of the file; every field is optional, and none affects decoding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Name and version of the encoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
    /// The options of the fit, in the encoder's own notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// Seed of the random numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Peak signal-to-noise ratio of the decoded picture against its source in dB; infinite when they are equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr: Option<f64>,
    /// Duration of the fit in seconds, finite, at least 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Passes over the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// The device that the fit ran on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Provenance {
    fn check(&self) -> Result<(), FormatError> {
        let wrong = |field, value: f64, wanted| {
            Err(FormatError::Field {
                field,
                found: value.to_string(),
                wanted,
            })
        };
        match (self.psnr, self.seconds) {
            (Some(psnr), _) if psnr.is_nan() => wrong("psnr", psnr, "a number or an infinity"),
            (_, Some(seconds)) if !(seconds.is_finite() && seconds >= 0.0) => {
                wrong("seconds", seconds, "finite, at least 0")
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn read(offset: u64, payload: &[u8]) -> Result<Self, FormatError> {
        within("bytes of chunk prov", payload.len() as u64, MAX_BYTES)?;
        let provenance: Self = messagepack::read(ChunkKind::PROVENANCE, offset, payload)?;
        provenance.check()?;
        Ok(provenance)
    }

    pub(crate) fn write(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let payload = messagepack::write(ChunkKind::PROVENANCE, self)?;
        within("bytes of chunk prov", payload.len() as u64, MAX_BYTES)?;
        Ok(payload)
    }
}
