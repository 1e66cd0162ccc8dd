//! Values on the command line: numbers with units and ranges, sizes and regions.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result as Outcome};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use inr::upscale::{Blur, Degradation, PointSpread, UpscaleMethod};
use inr::{FileFormat, Limits, Region};
use strum::VariantNames;

use crate::input;

fn finite(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(value) => Err(format!("{value} is not a finite number")),
        Err(_) => Err(String::from("not a number")),
    }
}

/// A parser of the names of `T`, which the help lists.
pub fn named<T>() -> impl TypedValueParser<Value = T>
where
    T: FromStr + VariantNames + Clone + Send + Sync + 'static,
    T::Err: Into<Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
{
    PossibleValuesParser::new(T::VARIANTS).try_map(|name| name.parse())
}

/// A finite number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    match finite(text)? {
        value if value > 0.0 => Ok(value),
        value => Err(format!("{value} is not above 0")),
    }
}

/// As [`positive`], in the precision of the networks.
pub fn positive_f32(text: &str) -> Result<f32, String> {
    let value = positive(text)? as f32;
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(String::from("out of range"))
}

/// Steps of 8 bits, 0 to 255.
pub fn steps(text: &str) -> Result<f64, String> {
    match finite(text)? {
        value if (0.0..=255.0).contains(&value) => Ok(value),
        value => Err(format!("{value} is outside 0..=255")),
    }
}

/// 0 to 100.
pub fn quality(text: &str) -> Result<f64, String> {
    match finite(text)? {
        value if (0.0..=100.0).contains(&value) => Ok(value),
        value => Err(format!("{value} is outside 0..=100")),
    }
}

/// A number of bytes: `40000`, `40k` (1,000), `1.5M`, `64Ki` (1,024).
pub fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "B" => 1.0,
        "k" | "K" | "kB" | "KB" => 1e3,
        "M" | "MB" => 1e6,
        "G" | "GB" => 1e9,
        "Ki" | "KiB" => 1024.0,
        "Mi" | "MiB" => 1024.0 * 1024.0,
        "Gi" | "GiB" => 1024.0 * 1024.0 * 1024.0,
        unit => return Err(format!("unknown unit {unit}; use k, M, Ki or Mi")),
    };
    let value = positive(digits)? * unit;
    if (1.0..=1e15).contains(&value) {
        return Ok(value.round() as u64);
    }
    Err(format!("{value} bytes are outside 1..=1e15"))
}

/// A time: `90s`, `1.5m`, `2h`, `500ms`; a bare number counts seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("unknown unit {unit}; use ms, s, m or h")),
    };
    Duration::try_from_secs_f64(positive(digits)? * unit).map_err(|error| error.to_string())
}

/// `KEY=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(String::from("wanted: KEY=VALUE")),
    }
}

/// A number of threads.
pub fn threads(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count @ 1..=1024) => Ok(count),
        _ => Err(String::from("wanted: a whole number from 1 to 1024")),
    }
}

/// A picture file format that can be written.
pub fn format(text: &str) -> Result<FileFormat, String> {
    FileFormat::from_name(text).ok_or_else(|| {
        "wanted: png, jpg, webp, tiff, bmp, qoi, pnm, ppm, pgm, pam, exr or pfm".into()
    })
}

/// A colour, 0.0..=1.0: a name, `#rrggbb`, `#rgb`, or `R,G,B` of 0 to 255.
pub fn colour(text: &str) -> Result<[f32; 3], String> {
    let wanted = "wanted: black, white, grey, #rrggbb, or R,G,B of 0 to 255";
    let whole: Option<Vec<u8>> = match (text, text.strip_prefix('#')) {
        ("black", _) => Some(vec![0; 3]),
        ("white", _) => Some(vec![255; 3]),
        ("grey" | "gray", _) => Some(vec![128; 3]),
        (_, Some(digits)) if digits.is_ascii() && matches!(digits.len(), 3 | 6) => {
            let width = digits.len() / 3;
            let parts = (0..3).map(|i| digits[i * width..(i + 1) * width].repeat(3 - width));
            parts
                .map(|part| u8::from_str_radix(&part, 16).ok())
                .collect()
        }
        _ => text
            .split(',')
            .map(|part| part.trim().parse().ok())
            .collect(),
    };
    let bytes: [u8; 3] = whole
        .and_then(|values| values.try_into().ok())
        .ok_or(wanted)?;
    Ok(bytes.map(|value| f32::from(value) / 255.0))
}

/// `WIDTHxHEIGHT` in pixels.
pub fn size(text: &str) -> Result<(u32, u32), String> {
    let wanted = "wanted: WIDTHxHEIGHT in pixels, such as 3000x2000";
    let (width, height) = text.split_once(['x', 'X']).ok_or(wanted)?;
    match (width.trim().parse(), height.trim().parse()) {
        (Ok(width @ 1..), Ok(height @ 1..)) => Ok((width, height)),
        _ => Err(String::from(wanted)),
    }
}

/// `X,Y,WIDTH,HEIGHT` in source pixels.
pub fn region(text: &str) -> Result<Region, String> {
    let numbers = text
        .split(',')
        .map(finite)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{error}; wanted: X,Y,WIDTH,HEIGHT in source pixels"))?;
    match numbers[..] {
        [x, y, width, height] if width > 0.0 && height > 0.0 => Ok(Region {
            x,
            y,
            width,
            height,
        }),
        [_, _, _, _] => Err(String::from("width and height must be above 0")),
        _ => Err(String::from("wanted: X,Y,WIDTH,HEIGHT in source pixels")),
    }
}

/// A way to enlarge by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MethodName {
    /// One that needs no weights of the user's.
    Own(UpscaleMethod),
    /// SRGAN's generator.
    Srgan,
}

impl FromStr for MethodName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "srgan" => Ok(Self::Srgan),
            _ => match text.parse() {
                Ok(method) => Ok(Self::Own(method)),
                Err(error) => Err(format!("{error}; or srgan with --weights")),
            },
        }
    }
}

/// A degradation by name, its file not yet read.
#[derive(Clone, Debug, PartialEq)]
pub enum DegradationName {
    /// The library's default.
    Auto,
    /// What stands in the name.
    Known(Blur),
    /// A picture file of a point spread function.
    PsfFile(PathBuf),
}

impl FromStr for DegradationName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("psf:")) {
            ("auto", _) => Ok(Self::Auto),
            (_, Some(file)) => Ok(Self::PsfFile(file.into())),
            _ => text.parse().map(Self::Known).map_err(|_| {
                "wanted: auto, area, bicubic, gaussian:S with S above 0, at most 8, or psf:FILE"
                    .into()
            }),
        }
    }
}

impl fmt::Display for DegradationName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Known(blur) => blur.fmt(formatter),
            Self::PsfFile(path) => write!(formatter, "psf:{}", path.display()),
        }
    }
}

impl DegradationName {
    /// The degradation, its file read; none for auto.
    pub fn degradation(&self) -> Outcome<Option<Degradation>> {
        let blur = match self {
            Self::Auto => return Ok(None),
            Self::Known(blur) => blur.clone(),
            Self::PsfFile(path) => {
                let failed = || format!("cannot read the point spread function {}", path.display());
                Blur::Psf(point_spread(path).with_context(failed)?)
            }
        };
        Ok(Some(blur.into()))
    }
}

/// Longest file of a point spread function.
const MOST_PSF_BYTES: u64 = 1 << 24;

fn point_spread(path: &Path) -> Outcome<PointSpread> {
    let bytes = input::read(path, MOST_PSF_BYTES)?;
    let picture = inr::read_picture(&bytes, &Limits::default())?;
    Ok(PointSpread::of(&picture)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_decimal_and_binary_units() {
        assert_eq!(bytes("40k"), Ok(40_000));
        assert_eq!(bytes("1.5M"), Ok(1_500_000));
        assert_eq!(bytes("64Ki"), Ok(65_536));
        assert_eq!(bytes("7"), Ok(7));
        for bad in ["", "k", "-1", "nan", "inf", "0", "4q", "1e300"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_take_units_and_count_seconds_without_one() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("3"), Ok(Duration::from_secs(3)));
        for bad in ["", "s", "-3s", "nans", "infs", "3d", "1e300h"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_need_two_sides_above_zero() {
        assert_eq!(size("3000x2000"), Ok((3000, 2000)));
        for bad in [
            "3000",
            "0x5",
            "5x0",
            "-1x5",
            "axb",
            "1.5x2",
            "99999999999x1",
        ] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn colours_have_names_and_numbers() {
        assert_eq!(colour("white"), Ok([1.0; 3]));
        assert_eq!(colour("#f00"), Ok([1.0, 0.0, 0.0]));
        assert_eq!(colour("#00ff00"), Ok([0.0, 1.0, 0.0]));
        assert_eq!(colour("0,0,255"), Ok([0.0, 0.0, 1.0]));
        for bad in ["", "#12", "#ééé", "1,2", "1,2,3,4", "256,0,0", "mauve-ish"] {
            assert!(colour(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn regions_need_four_finite_numbers() {
        let expect = Region {
            x: 1.5,
            y: -2.0,
            width: 3.0,
            height: 4.0,
        };
        assert_eq!(region("1.5,-2,3,4"), Ok(expect));
        for bad in ["", "1,2,3", "1,2,3,4,5", "0,0,0,5", "0,0,nan,5", "a,b,c,d"] {
            assert!(region(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_finite_and_in_range() {
        assert_eq!(quality("0"), Ok(0.0));
        assert_eq!(quality("100"), Ok(100.0));
        assert!(quality("100.5").is_err());
        for bad in ["nan", "inf", "-inf", "0", "-2", "1e999", "four"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
        assert!(positive_f32("1e-300").is_err());
    }
}
