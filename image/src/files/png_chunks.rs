//! What the chunks of a PNG say besides its pixels.
//!
//! Source: Portable Network Graphics, third edition (W3C, 2025).

use std::io::Read;

use flate2::read::ZlibDecoder;
use moxcms::{
    Chromaticity, ColorPrimaries, ColorProfile, LocalizableString, ProfileText, ToneReprCurve,
};

use super::exif::keep_resolution;
use crate::picture::Metadata;

/// Most bytes that a compressed chunk may grow to.
const MOST_TEXT: u64 = 1 << 26;

/// The chunks with their names.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let data = rest.get(..length)?;
        self.0 = rest.get(length.checked_add(4)?..)?;
        Some((name, data))
    }
}

/// What chunks say of colours, for want of a profile.
#[derive(Default)]
struct Colours {
    gamma: Option<f64>,
    chromaticities: Option<[f64; 8]>,
    srgb: bool,
}

/// Metadata of the PNG with `icc`, its profile, and the names of what has no place in [`Metadata`].
pub(super) fn metadata(bytes: &[u8], icc: Option<Vec<u8>>, grey: bool) -> (Metadata, Vec<String>) {
    let mut metadata = Metadata {
        icc,
        ..Metadata::default()
    };
    let (mut lost, mut colours, mut dots) = (Vec::new(), Colours::default(), None);
    let (mut raw_exif, mut texts) = (None, Vec::new());
    for (name, data) in Chunks(bytes.get(8..).unwrap_or_default()) {
        match name {
            b"cICP" => metadata.cicp = metadata.cicp.or_else(|| data.try_into().ok()),
            b"eXIf" => {
                let exif = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
                metadata.exif.get_or_insert_with(|| exif.to_vec());
            }
            b"sRGB" => colours.srgb = true,
            b"gAMA" => colours.gamma = integers::<1>(data).map(|[gamma]| gamma / 1e5),
            b"cHRM" => {
                colours.chromaticities = integers(data).map(|xy: [f64; 8]| xy.map(|v| v / 1e5))
            }
            b"pHYs" if data.get(8) == Some(&1) => dots = integers::<2>(data),
            b"tEXt" | b"zTXt" | b"iTXt" => {
                let Some((keyword, text)) = text(name, data) else {
                    texts.push("one that is damaged".to_owned());
                    continue;
                };
                match place(&keyword, text) {
                    Place::Xmp(xmp) => _ = metadata.xmp.get_or_insert(xmp),
                    Place::Exif(exif) => _ = raw_exif.get_or_insert(exif),
                    Place::Nowhere if keyword == "Raw profile type iptc" => {
                        lost.push("IPTC".into())
                    }
                    Place::Nowhere => texts.push(keyword),
                }
            }
            _ => {}
        }
    }
    if !texts.is_empty() {
        lost.push(format!("PNG texts ({})", texts.join(", ")));
    }
    metadata.exif = metadata.exif.or(raw_exif);
    if metadata.icc.is_none() && metadata.cicp.is_none() && !colours.srgb {
        metadata.icc = colours.profile(grey);
    }
    if let Some(dots) = dots
        && !keep_resolution(&mut metadata, dots)
    {
        lost.push("the resolution".into());
    }
    (metadata, lost)
}

/// Where a text belongs.
enum Place {
    Exif(Vec<u8>),
    Xmp(Vec<u8>),
    Nowhere,
}

fn place(keyword: &str, text: Vec<u8>) -> Place {
    const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
    let profile = match keyword {
        "XML:com.adobe.xmp" => return Place::Xmp(text),
        "Raw profile type xmp" => return raw_profile(&text).map_or(Place::Nowhere, Place::Xmp),
        "Raw profile type exif" | "Raw profile type APP1" => raw_profile(&text),
        _ => None,
    };
    let Some(profile) = profile else {
        return Place::Nowhere;
    };
    match (profile.strip_prefix(XMP), profile.strip_prefix(b"Exif\0\0")) {
        (Some(xmp), _) => Place::Xmp(xmp.to_vec()),
        (_, Some(exif)) => Place::Exif(exif.to_vec()),
        _ => Place::Exif(profile),
    }
}

fn integers<const N: usize>(data: &[u8]) -> Option<[f64; N]> {
    let mut values = [0.0; N];
    for (value, bytes) in values.iter_mut().zip(data.chunks_exact(4)) {
        *value = u32::from_be_bytes(bytes.try_into().ok()?).into();
    }
    (data.len() >= 4 * N).then_some(values)
}

/// Keyword and text of a text chunk, decompressed.
fn text(name: &[u8; 4], data: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let keyword = String::from_utf8_lossy(parts.next()?).into_owned();
    let rest = parts.next()?;
    let (compressed, text) = match name {
        b"tEXt" => (false, rest),
        b"zTXt" => (true, rest.get(1..)?),
        _ => {
            // Compression flag and method, then language and translated keyword.
            let (head, rest) = rest.split_first_chunk::<2>()?;
            let mut parts = rest.splitn(3, |byte| *byte == 0);
            (head[0] == 1, parts.nth(2)?)
        }
    };
    if !compressed {
        return Some((keyword, text.to_vec()));
    }
    let mut plain = Vec::new();
    let read = ZlibDecoder::new(text)
        .take(MOST_TEXT)
        .read_to_end(&mut plain);
    read.ok().map(|_| (keyword, plain))
}

/// The bytes of a "Raw profile type": a name, a length and hexadecimal digits, as ImageMagick writes them.
fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_ascii_whitespace();
    let length: usize = words.by_ref().nth(1)?.parse().ok()?;
    let digits: Vec<u8> = words.flat_map(str::bytes).collect();
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    (bytes.len() == length).then_some(bytes)
}

/// Chromaticities of sRGB: white, red, green, blue.
const SRGB: [f64; 8] = [0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06];
/// What gAMA says of sRGB.
const SRGB_GAMMA: f64 = 0.45455;

impl Colours {
    /// A profile for colours that are not sRGB's.
    fn profile(&self, grey: bool) -> Option<Vec<u8>> {
        let near = |a: f64, b: f64| (a - b).abs() < 0.002;
        let gamma = self
            .gamma
            .filter(|gamma| *gamma > 0.0)
            .unwrap_or(SRGB_GAMMA);
        let xy = self.chromaticities.filter(|_| !grey).unwrap_or(SRGB);
        let usual = xy.iter().zip(SRGB).all(|(a, b)| near(*a, b)) && near(gamma, SRGB_GAMMA);
        // Damaged chromaticities make no triangle.
        if usual
            || xy
                .chunks_exact(2)
                .any(|xy| xy[0] > 1.0 || xy[1] > 1.0 || xy[1] <= 0.0)
        {
            return None;
        }
        let gamma = (1.0 / gamma) as f32;
        let mut profile = ColorProfile::new_gray_with_gamma(gamma);
        if !grey {
            let at = |place: usize| Chromaticity::new(xy[place] as f32, xy[place + 1] as f32);
            profile = ColorProfile::new_srgb();
            let primaries = ColorPrimaries {
                red: at(2),
                green: at(4),
                blue: at(6),
            };
            profile.update_rgb_colorimetry(at(0).to_xyyb(), primaries);
            let curve = match near(f64::from(gamma), 1.0 / SRGB_GAMMA) {
                // A file of sRGB's gamma and other primaries most likely means a plain power, as its writer computed it.
                true => ToneReprCurve::Parametric(vec![2.2]),
                false => ToneReprCurve::Parametric(vec![gamma]),
            };
            profile.red_trc = Some(curve.clone());
            profile.green_trc = Some(curve.clone());
            profile.blue_trc = Some(curve);
        }
        let name = "from gAMA and cHRM of a PNG".to_owned();
        let name = LocalizableString::new("en".into(), "US".into(), name);
        profile.description = Some(ProfileText::Localizable(vec![name]));
        profile.encode().ok()
    }
}
