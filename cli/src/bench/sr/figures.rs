//! What is measured of an enlargement, and tables of it.

use anyhow::Result;
use inr::{Raster, metrics};

use crate::table::{Table, number};

/// The figures of one enlargement.
#[derive(Clone, Debug)]
pub struct Figures {
    /// PSNR of luma in dB.
    pub psnr_y: f64,
    /// SSIM of luma, Gaussian window.
    pub ssim_y: Option<f64>,
    /// PSNR of red, green and blue in dB.
    pub psnr_rgb: f64,
    /// SSIM of them, uniform window.
    pub ssim_rgb: Option<f64>,
    /// 100 for equal pictures.
    pub ssimulacra2: Option<f64>,
    /// Seconds per million output pixels.
    pub seconds: f64,
}

impl Figures {
    /// Compares two RGB pictures of the same shape; all but SSIMULACRA2 without `border` pixels at every side.
    pub fn measure(large: Raster, other: Raster, border: usize, seconds: f64) -> Result<Self> {
        let [a, b] = [large, other].map(|raster| inner(raster, border));
        let (width, height) = (large.width - 2 * border, large.height - 2 * border);
        let [luma_a, luma_b] = [large, other].map(|raster| metrics::benchmark_luma(raster, border));
        let [y_a, y_b] = [&luma_a, &luma_b].map(|luma| Raster::new(width, height, 1, luma));
        let [rgb_a, rgb_b] = [&a, &b].map(|rgb| Raster::new(width, height, 3, rgb));
        let (y_a, y_b, rgb_a, rgb_b) = (y_a?, y_b?, rgb_a?, rgb_b?);
        Ok(Self {
            psnr_y: metrics::psnr(y_a, y_b),
            ssim_y: metrics::ssim_gaussian(y_a, y_b),
            psnr_rgb: metrics::psnr(rgb_a, rgb_b),
            ssim_rgb: metrics::ssim(rgb_a, rgb_b),
            ssimulacra2: metrics::ssimulacra2(large, other),
            seconds,
        })
    }

    fn values(&self) -> [Option<f64>; 6] {
        [
            Some(self.psnr_y),
            self.ssim_y,
            Some(self.psnr_rgb),
            self.ssim_rgb,
            self.ssimulacra2,
            Some(self.seconds),
        ]
    }
}

/// Samples without a border.
fn inner(raster: Raster, border: usize) -> Vec<f32> {
    let stride = raster.width * raster.channels;
    let rows = raster.samples.chunks_exact(stride);
    let rows = rows.skip(border).take(raster.height - 2 * border);
    let rows = rows.map(|row| &row[border * raster.channels..stride - border * raster.channels]);
    rows.flatten().copied().collect()
}

/// The figures of one picture at one scale with one method.
pub struct Measured {
    /// Name of the picture.
    pub picture: String,
    /// The scale.
    pub scale: u32,
    /// Name of the method.
    pub method: String,
    /// What was measured.
    pub figures: Figures,
}

const HEADINGS: [&str; 6] = [
    "psnr_y",
    "ssim_y",
    "psnr_rgb",
    "ssim_rgb",
    "ssimulacra2",
    "seconds_per_megapixel",
];
const DECIMALS: [usize; 6] = [3, 5, 3, 5, 2, 3];

fn row(names: &[String], values: [Option<f64>; 6]) -> Vec<String> {
    let values = values
        .into_iter()
        .zip(DECIMALS)
        .map(|(value, decimals)| number(value, decimals));
    names.iter().cloned().chain(values).collect()
}

fn table(names: &[&str]) -> Table {
    Table::new(&[names, &HEADINGS[..]].concat())
}

/// Every picture.
pub fn all(measured: &[Measured]) -> Table {
    let mut table = table(&["picture", "scale", "method"]);
    for of in measured {
        let names = [of.picture.clone(), of.scale.to_string(), of.method.clone()];
        table.rows.push(row(&names, of.figures.values()));
    }
    table
}

/// Means over the pictures, by scale and method in the order in which they were measured.
pub fn means(measured: &[Measured]) -> Table {
    let mut table = table(&["scale", "method"]);
    let mut done: Vec<(u32, &str)> = Vec::new();
    for of in measured {
        let key = (of.scale, of.method.as_str());
        if done.contains(&key) {
            continue;
        }
        done.push(key);
        let alike = measured
            .iter()
            .filter(|m| (m.scale, m.method.as_str()) == key);
        let values: Vec<[Option<f64>; 6]> = alike.map(|m| m.figures.values()).collect();
        let mean = std::array::from_fn(|column| {
            let values: Option<Vec<f64>> = values.iter().map(|values| values[column]).collect();
            values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
        });
        table
            .rows
            .push(row(&[of.scale.to_string(), of.method.clone()], mean));
    }
    table
}
