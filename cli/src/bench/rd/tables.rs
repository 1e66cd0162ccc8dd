//! Means over pictures, BD-rates, and both as CSV and as text.

use inr::metrics::{RatePoint, bd_rate};

use super::figures::{Figures, HEADINGS, METRICS, axis, place, seconds};
use crate::args::Metric;
use crate::csv;

/// The figures of one picture with one codec, by rising quality.
pub struct Measured {
    /// Name of the picture's file.
    pub picture: String,
    /// Name of the codec.
    pub codec: String,
    /// One entry per quality.
    pub figures: Vec<Figures>,
}

/// A codec's means over all pictures.
pub struct Means {
    /// Name of the codec.
    pub codec: String,
    /// True for this program's own.
    pub own: bool,
    /// All that its files depend on, in one line.
    pub description: String,
    /// Number of pictures.
    pub pictures: usize,
    /// One entry per quality, rising.
    pub figures: Vec<Figures>,
}

impl Means {
    /// The rate-distortion curve.
    fn curve(&self, metric: Metric) -> Vec<RatePoint> {
        // Butteraugli falls as pictures get better.
        let sign = if metric == Metric::Butteraugli {
            -1.0
        } else {
            1.0
        };
        let points = self.figures.iter().filter_map(|figures| {
            Some(RatePoint {
                bits_per_pixel: figures.bits_per_pixel,
                psnr: sign * figures.metric(metric)?,
            })
        });
        points.collect()
    }
}

/// Means over the entries of one codec, which all have the same qualities.
pub fn means(measured: &[&Measured]) -> Vec<Figures> {
    let qualities = measured.first().map_or(0, |first| first.figures.len());
    let at = |i: usize| -> Option<Figures> {
        let files: Option<Vec<&Figures>> = measured.iter().map(|m| m.figures.get(i)).collect();
        Figures::mean(&files?)
    };
    (0..qualities).filter_map(at).collect()
}

/// `results.csv`: every file.
pub fn results_csv(measured: &[Measured]) -> String {
    let mut text = csv::line(&[&["codec", "picture"], &HEADINGS[..]].concat());
    for of in measured {
        for figures in &of.figures {
            let values = shown(figures);
            let names = [of.codec.clone(), of.picture.clone()];
            text.push_str(&csv::line(&[&names, &values[..]].concat()));
        }
    }
    text
}

/// `means.csv`: every quality of every codec.
pub fn means_csv(means: &[Means]) -> String {
    let mut text = csv::line(&[&["codec", "pictures"], &HEADINGS[..]].concat());
    for of in means {
        for figures in &of.figures {
            let names = [of.codec.clone(), of.pictures.to_string()];
            text.push_str(&csv::line(&[&names, &shown(figures)[..]].concat()));
        }
    }
    text
}

/// The values with six decimals at most; nothing where there is no figure.
fn shown(figures: &Figures) -> Vec<String> {
    let round = |value: &String| match value.parse::<f64>() {
        Ok(number) if number.is_nan() => String::new(),
        Ok(number) if number.is_finite() => ((number * 1e6).round() / 1e6).to_string(),
        _ => value.clone(),
    };
    figures.values().iter().map(round).collect()
}

/// BD-rates in percent: a row per codec, our own first, a column per rival.
pub struct BdRates {
    /// What is equal.
    pub metric: Metric,
    /// Names of the rivals, which are the anchors.
    pub anchors: Vec<String>,
    /// A name and a BD-rate against every anchor; `None` against itself and where the curves do not meet.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

impl BdRates {
    /// Compares every codec with every rival, by each metric that was measured.
    pub fn all(means: &[Means]) -> Vec<Self> {
        let metrics = METRICS.map(|(metric, _)| metric).into_iter();
        let measured = |metric: &Metric| means.iter().any(|of| !of.curve(*metric).is_empty());
        metrics
            .filter(measured)
            .map(|metric| Self::new(means, metric))
            .collect()
    }

    fn new(means: &[Means], metric: Metric) -> Self {
        let anchors: Vec<&Means> = means.iter().filter(|of| !of.own).collect();
        let row = |of: &Means| {
            let rate = |anchor: &&Means| {
                let other = anchor.codec != of.codec;
                other.then(|| bd_rate(&anchor.curve(metric), &of.curve(metric)))?
            };
            (of.codec.clone(), anchors.iter().map(rate).collect())
        };
        let (own, rivals): (Vec<_>, Vec<_>) = means.iter().partition(|of| of.own);
        Self {
            metric,
            rows: own.into_iter().chain(rivals).map(row).collect(),
            anchors: anchors.iter().map(|of| of.codec.clone()).collect(),
        }
    }

    /// `bd.csv`.
    pub fn csv(all: &[Self]) -> String {
        let mut text = csv::line(&["codec", "anchor", "metric", "bd_rate_percent"]);
        for of in all {
            let metric = METRICS[place(of.metric)].1;
            for (codec, rates) in &of.rows {
                for (anchor, rate) in of.anchors.iter().zip(rates) {
                    if codec != anchor {
                        let rate = rate.map_or_else(String::new, |rate| format!("{rate:.2}"));
                        let fields: [&str; 4] = [codec, anchor, metric, &rate];
                        text.push_str(&csv::line(&fields));
                    }
                }
            }
        }
        text
    }

    /// For reading, with the mean seconds per picture of every codec.
    pub fn text(&self, means: &[Means]) -> String {
        let mut text = format!(
            "BD-rate: bits in % more (+) or fewer (-) than the codec above the column, at equal {}\n\n",
            axis(self.metric)
        );
        let mut heading = format!("{:<14}", "codec");
        for name in self
            .anchors
            .iter()
            .map(String::as_str)
            .chain(["encode", "decode"])
        {
            heading.push_str(&format!(" {name:>10}"));
        }
        text.push_str(&heading);
        text.push('\n');
        for (codec, rates) in &self.rows {
            let mut line = format!("{codec:<14}");
            for rate in rates {
                line.push_str(&format!(" {:>10}", percent(*rate)));
            }
            let of = means.iter().find(|of| of.codec == *codec);
            let (encode, decode) = of.map_or((0.0, 0.0), |of| times(&of.figures));
            line.push_str(&format!(
                " {:>10} {:>10}\n",
                seconds(encode),
                seconds(decode)
            ));
            text.push_str(&line);
        }
        text
    }
}

/// A BD-rate for reading.
pub fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".into(), |rate| format!("{rate:+.1}"))
}

/// Mean seconds of the encoder and the decoder over all qualities.
pub fn times(figures: &[Figures]) -> (f64, f64) {
    let all: Vec<&Figures> = figures.iter().collect();
    Figures::mean(&all).map_or((0.0, 0.0), |mean| (mean.encode, mean.decode))
}
