//! Pictures of a field's derivatives.

use inr_formats::{Depth, Layout};

use super::picture::{InrPicture, RenderOptions};
use crate::error::Error;
use crate::field::jets::{Component, Jets};
use crate::options::unknown_name;
use crate::progress::Observer;
use inr_image::{Metadata, Picture};

/// Weights of red, green and blue in luma (ITU-R BT.709).
use inr_image::colour::LUMA_BT709 as LUMA;

/// A derivative that can be made a picture of. The first three are of every colour channel, the others of luma; alpha is
/// left out.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", parse_err_ty = Error, parse_err_fn = unknown_derivative)]
pub enum Derivative {
    /// Along x, to the right.
    Dx,
    /// Along y, downwards.
    Dy,
    /// The sum of the second derivatives along x and y.
    Laplacian,
    /// Both first derivatives: d/dx in red, d/dy in green, 0 in blue.
    Gradient,
    /// The gradient in colours: its direction as the hue (red points right, yellow-green down), its length as the value.
    GradientHsv,
    /// The gradient's length.
    Magnitude,
    /// The unit normal of the relief whose height is the luma: x, y and z in red, green and blue.
    Normal,
}

impl Derivative {
    /// Layout of its pictures of a `source` of this layout.
    pub fn layout(self, source: Layout) -> Layout {
        match self {
            Self::Dx | Self::Dy | Self::Laplacian if source.colour_channels() == 3 => Layout::Rgb,
            Self::Dx | Self::Dy | Self::Laplacian | Self::Magnitude => Layout::Grey,
            Self::Gradient | Self::GradientHsv | Self::Normal => Layout::Rgb,
        }
    }

    fn component(self) -> Component {
        match self {
            Self::Dy => Component::Dy,
            Self::Laplacian => Component::Laplacian,
            _ => Component::Dx,
        }
    }

    /// What samples of `depth` stand for when the range is `range`.
    fn scale(self, depth: Depth, range: f64) -> String {
        let unit = match self {
            Self::Laplacian => "sample value per source pixel squared",
            _ => "sample value per source pixel",
        };
        match (self, depth) {
            (Self::GradientHsv, _) => {
                format!("hue is the direction; value 1 is a gradient of {range:.6e} {unit}")
            }
            (Self::Normal, Depth::F32) => {
                format!(
                    "components -1 to 1; a gradient of {range:.6e} {unit} is tilted by 45 degrees"
                )
            }
            (Self::Normal, _) => format!(
                "0 to the largest sample is -1 to 1; a gradient of {range:.6e} {unit} is tilted by 45 degrees"
            ),
            (_, Depth::F32) => format!("as it is, in {unit}"),
            (Self::Magnitude, _) => format!("0 to the largest sample is 0 to {range:.6e} {unit}"),
            _ => format!(
                "0 to the largest sample is {:.6e} to {range:.6e} {unit}, the middle is 0",
                -range
            ),
        }
    }
}

fn unknown_derivative(name: &str) -> Error {
    unknown_name::<Derivative>("derivative", name)
}

/// A picture of a derivative.
#[derive(Clone, Debug)]
pub struct DerivativePicture {
    /// The picture; it says its scale in an XMP description.
    pub picture: Picture,
    /// The derivative that the end of the range stands for, above 0.
    pub range: f64,
    /// What samples stand for, in words.
    pub scale: String,
}

impl InrPicture {
    /// A picture of `derivative` over what `options` ask for, with samples of `options.depth`, 16 bits by default.
    /// Floating-point ones hold the derivative itself; integers show `range`, by default the largest magnitude there is.
    ///
    /// # Errors
    /// As [`InrPicture::jets`]; [`Error::Misuse`] besides for a range that is not a number above 0.
    pub fn render_derivative(
        &self,
        derivative: Derivative,
        range: Option<f64>,
        options: &RenderOptions,
        observer: &mut dyn Observer,
    ) -> Result<DerivativePicture, Error> {
        if let Some(range) = range.filter(|range| !(range.is_finite() && *range > 0.0)) {
            return Err(Error::Misuse {
                what: format!("range {range}"),
                want: "give the largest derivative to be shown, above 0",
            });
        }
        let jets = self.jets(options, observer)?;
        let depth = options.depth.unwrap_or(Depth::U16);
        let shown_range = range.map(|range| range as f32);
        let (layout, samples, largest) =
            shown(&jets, self.layout(), derivative, depth, shown_range);
        let range = range.unwrap_or(largest.into());
        let scale = derivative.scale(depth, range);
        let metadata = Metadata {
            xmp: Some(description(derivative.into(), &scale)),
            ..Metadata::default()
        };
        let (width, height) = (jets.width() as u32, jets.height() as u32);
        Ok(DerivativePicture {
            picture: Picture::from_f32(width, height, layout, depth, &samples, metadata)?,
            range,
            scale,
        })
    }
}

/// Layout and interleaved samples of `derivative` of a picture of layout `source`, and what ends their range: `range`, or
/// the largest magnitude there is.
pub(crate) fn shown(
    jets: &Jets,
    source: Layout,
    derivative: Derivative,
    depth: Depth,
    range: Option<f32>,
) -> (Layout, Vec<f32>, f32) {
    let layout = derivative.layout(source);
    let planes = match derivative {
        Derivative::Dx | Derivative::Dy | Derivative::Laplacian => (0..layout.channels())
            .map(|channel| jets.plane(derivative.component(), channel))
            .collect(),
        _ => gradient(jets, source),
    };
    let range = range.unwrap_or_else(|| {
        let largest = match derivative {
            Derivative::Dx | Derivative::Dy | Derivative::Laplacian => {
                let magnitudes = planes.iter().flatten().map(|value| value.abs());
                magnitudes.fold(0.0, f32::max)
            }
            _ => lengths(&planes).fold(0.0, f32::max),
        };
        if largest > 0.0 { largest } else { 1.0 }
    });
    let samples = samples(derivative, depth, &planes, range);
    (layout, samples, range)
}

/// d/dx and d/dy of luma.
fn gradient(jets: &Jets, layout: Layout) -> Vec<Vec<f32>> {
    let along = |component| {
        if layout.colour_channels() == 1 {
            return jets.plane(component, 0);
        }
        let [red, green, blue] = [0, 1, 2].map(|channel| jets.plane(component, channel));
        let colours = red.iter().zip(&green).zip(&blue);
        colours
            .map(|((r, g), b)| LUMA[0] * r + LUMA[1] * g + LUMA[2] * b)
            .collect()
    };
    vec![along(Component::Dx), along(Component::Dy)]
}

fn lengths(gradient: &[Vec<f32>]) -> impl Iterator<Item = f32> {
    let pairs = gradient[0].iter().zip(&gradient[1]);
    pairs.map(|(x, y)| x.hypot(*y))
}

/// Interleaved samples.
fn samples(derivative: Derivative, depth: Depth, planes: &[Vec<f32>], range: f32) -> Vec<f32> {
    let float = depth == Depth::F32;
    let signed = |value: f32, range: f32| {
        if float {
            value
        } else {
            0.5 + 0.5 * value / range
        }
    };
    let pairs = || planes[0].iter().copied().zip(planes[1].iter().copied());
    match derivative {
        Derivative::Dx | Derivative::Dy | Derivative::Laplacian => (0..planes[0].len())
            .flat_map(|at| planes.iter().map(move |plane| plane[at]))
            .map(|value| signed(value, range))
            .collect(),
        Derivative::Gradient => pairs()
            .flat_map(|(x, y)| [x, y, 0.0].map(|value| signed(value, range)))
            .collect(),
        Derivative::Magnitude if float => lengths(planes).collect(),
        Derivative::Magnitude => lengths(planes).map(|length| length / range).collect(),
        Derivative::GradientHsv => pairs().flat_map(|(x, y)| hsv(x, y, range)).collect(),
        Derivative::Normal => pairs()
            .flat_map(|(x, y)| {
                let (x, y) = (-x / range, -y / range);
                let length = (x * x + y * y + 1.0).sqrt();
                [x, y, 1.0].map(|value| signed(value / length, 1.0))
            })
            .collect(),
    }
}

/// Red, green and blue of a fully saturated colour with the hue of the direction and the value of the length.
fn hsv(x: f32, y: f32, range: f32) -> [f32; 3] {
    let value = (x.hypot(y) / range).min(1.0);
    let sixths = y.atan2(x).rem_euclid(std::f32::consts::TAU) / std::f32::consts::FRAC_PI_3;
    [0.0, 4.0, 2.0].map(|shift: f32| {
        let away = ((sixths + shift).rem_euclid(6.0) - 3.0).abs() - 1.0;
        value * away.clamp(0.0, 1.0)
    })
}

/// An XMP packet that says what the samples are.
fn description(name: &str, scale: &str) -> Vec<u8> {
    format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:description><rdf:Alt>\
         <rdf:li xml:lang=\"x-default\">{name}: {scale}</rdf:li></rdf:Alt></dc:description></rdf:Description>\
         </rdf:RDF></x:xmpmeta>"
    )
    .into_bytes()
}
