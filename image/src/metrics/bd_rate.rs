//! The average difference in size between two codecs at equal PSNR.

/// One point of a codec's rate-distortion curve, commonly a mean over pictures at one quality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePoint {
    /// Size of the file in bits per pixel, above 0.
    pub bits_per_pixel: f64,
    /// PSNR in dB.
    pub psnr: f64,
}

/// Sizes in bits per pixel of the anchor's points that [`bd_rate`] looks at, both ends included.
///
/// Below it pictures are ruins, above it differences are hard to see, and either end would weigh as much as the middle.
pub const BD_RATE_RANGE: (f64, f64) = (0.2, 2.0);

/// How much larger the files of `test` are than those of `anchor` at equal PSNR, in percent, above -100; below 0 when
/// they are smaller. -50 is half the size.
///
/// The Bjontegaard delta rate (G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33,
/// 2001): the logarithm of the size as a function of PSNR, its mean difference over the PSNRs that both curves reach.
/// Curves are piecewise cubic (PCHIP: Fritsch and Butland 1984, as SciPy's `PchipInterpolator`) and not one cubic, so
/// that a curve does not swing between its points. Of the anchor only points within [`BD_RATE_RANGE`] count, of the test
/// all. Points may come in any order; of those with equal PSNR the smallest counts, and those that are not finite or
/// not above 0 bits are left out.
///
/// `None` when fewer than two points of a curve are left, or when the curves have no PSNR in common.
///
/// ```
/// use inr_image::metrics::{RatePoint, bd_rate};
///
/// let at = |bits_per_pixel, psnr| RatePoint { bits_per_pixel, psnr };
/// let anchor = [at(0.5, 30.0), at(1.0, 34.0), at(1.5, 36.0)];
/// let half = anchor.map(|point| at(point.bits_per_pixel / 2.0, point.psnr));
/// let percent = bd_rate(&anchor, &half).expect("the curves overlap");
/// assert!((percent + 50.0).abs() < 1e-9);
/// ```
pub fn bd_rate(anchor: &[RatePoint], test: &[RatePoint]) -> Option<f64> {
    let (lowest, highest) = BD_RATE_RANGE;
    let counts = |point: &&RatePoint| (lowest..=highest).contains(&point.bits_per_pixel);
    let anchor = Curve::new(anchor.iter().filter(counts))?;
    let test = Curve::new(test.iter())?;
    let from = anchor.first().max(test.first());
    let to = anchor.last().min(test.last());
    if from >= to {
        return None;
    }
    let difference = (test.integral(from, to) - anchor.integral(from, to)) / (to - from);
    Some(100.0 * difference.exp_m1())
}

/// A point with its slope: ln(bits per pixel) over PSNR.
#[derive(Clone, Copy)]
struct Knot {
    x: f64,
    y: f64,
    slope: f64,
}

/// A piecewise cubic that rises and falls only where its points do. At least two knots, `x` rising.
struct Curve(Vec<Knot>);

impl Curve {
    fn new<'a>(points: impl Iterator<Item = &'a RatePoint>) -> Option<Self> {
        let usable = |p: &&RatePoint| {
            p.psnr.is_finite() && p.bits_per_pixel.is_finite() && p.bits_per_pixel > 0.0
        };
        let knot = |p: &RatePoint| Knot {
            x: p.psnr,
            y: p.bits_per_pixel.ln(),
            slope: 0.0,
        };
        let mut knots: Vec<Knot> = points.filter(usable).map(knot).collect();
        knots.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
        knots.dedup_by(|later, kept| later.x == kept.x);
        if knots.len() < 2 {
            return None;
        }
        let slopes = slopes(&knots);
        for (knot, slope) in knots.iter_mut().zip(slopes) {
            knot.slope = slope;
        }
        Some(Self(knots))
    }

    fn first(&self) -> f64 {
        self.0[0].x
    }

    fn last(&self) -> f64 {
        self.0[self.0.len() - 1].x
    }

    /// The integral over `from..to`, which lies within the knots.
    fn integral(&self, from: f64, to: f64) -> f64 {
        let piece = |pair: &[Knot]| {
            let (start, end) = (from.max(pair[0].x), to.min(pair[1].x));
            if start < end {
                primitive(pair[0], pair[1], end) - primitive(pair[0], pair[1], start)
            } else {
                0.0
            }
        };
        self.0.windows(2).map(piece).sum()
    }
}

/// The integral from `a` to `x` of the cubic between two knots.
fn primitive(a: Knot, b: Knot, x: f64) -> f64 {
    let width = b.x - a.x;
    let t = (x - a.x) / width;
    let (t2, t3, t4) = (t * t, t * t * t, t * t * t * t);
    let values = a.y * (t - t3 + t4 / 2.0) + b.y * (t3 - t4 / 2.0);
    let slopes = a.slope * (t2 / 2.0 - 2.0 * t3 / 3.0 + t4 / 4.0) + b.slope * (t4 / 4.0 - t3 / 3.0);
    width * (values + width * slopes)
}

/// The slope at every knot.
fn slopes(knots: &[Knot]) -> Vec<f64> {
    let widths: Vec<f64> = knots.windows(2).map(|pair| pair[1].x - pair[0].x).collect();
    let rises: Vec<f64> = knots
        .windows(2)
        .map(|pair| (pair[1].y - pair[0].y) / (pair[1].x - pair[0].x))
        .collect();
    let last = rises.len() - 1;
    if last == 0 {
        return vec![rises[0]; 2];
    }
    let mut slopes = vec![end_slope(widths[0], widths[1], rises[0], rises[1])];
    for k in 1..=last {
        let (before, after) = (rises[k - 1], rises[k]);
        let first_weight = 2.0 * widths[k] + widths[k - 1];
        let second_weight = widths[k] + 2.0 * widths[k - 1];
        slopes.push(if before * after <= 0.0 {
            0.0
        } else {
            (first_weight + second_weight) / (first_weight / before + second_weight / after)
        });
    }
    slopes.push(end_slope(
        widths[last],
        widths[last - 1],
        rises[last],
        rises[last - 1],
    ));
    slopes
}

/// The slope at an end: that of the parabola through three points, held to the shape of the data.
fn end_slope(width: f64, next_width: f64, rise: f64, next_rise: f64) -> f64 {
    let slope = ((2.0 * width + next_width) * rise - width * next_rise) / (width + next_width);
    if slope * rise <= 0.0 {
        0.0
    } else if rise * next_rise <= 0.0 && slope.abs() > 3.0 * rise.abs() {
        3.0 * rise
    } else {
        slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Vec<RatePoint> {
        let point = |&(bits_per_pixel, psnr): &(f64, f64)| RatePoint {
            bits_per_pixel,
            psnr,
        };
        points.iter().map(point).collect()
    }

    fn anchor() -> Vec<RatePoint> {
        curve(&[
            (0.25, 28.0),
            (0.5, 30.5),
            (0.9, 33.0),
            (1.4, 35.0),
            (2.0, 37.0),
        ])
    }

    fn scaled(points: &[RatePoint], factor: f64) -> Vec<RatePoint> {
        let scale = |point: &RatePoint| RatePoint {
            bits_per_pixel: point.bits_per_pixel * factor,
            ..*point
        };
        points.iter().map(scale).collect()
    }

    #[track_caller]
    fn assert_close(found: Option<f64>, wanted: f64) {
        let found = found.expect("the curves overlap");
        assert!((found - wanted).abs() < 1e-9, "{found}, not {wanted}");
    }

    #[test]
    fn a_rate_scaled_everywhere_gives_the_factor() {
        let anchor = anchor();
        for (factor, percent) in [(0.5, -50.0), (1.0, 0.0), (1.25, 25.0), (2.0, 100.0)] {
            assert_close(bd_rate(&anchor, &scaled(&anchor, factor)), percent);
        }
    }

    #[test]
    fn straight_lines_in_log_rate_have_the_mean_of_their_ends() {
        // ln(rate) differs by 0 at 30 dB and by ln(4) at 36 dB: ln(2) in the mean.
        let anchor = curve(&[(0.5, 30.0), (1.0, 33.0), (2.0, 36.0)]);
        let test = curve(&[(0.5, 30.0), (2.0, 33.0), (8.0, 36.0)]);
        assert_close(bd_rate(&anchor, &test), 100.0);
    }

    /// Expected: SciPy 1's `PchipInterpolator(psnr, np.log(bpp)).integrate(low, high)` of both curves.
    #[test]
    fn curves_that_cross_give_what_scipy_gives() {
        let smooth = [
            (0.2, 27.1),
            (0.31, 29.0),
            (0.64, 31.9),
            (1.3, 36.2),
            (2.7, 40.4),
        ];
        let bent = [(0.3, 27.1), (0.28, 29.0), (0.64, 31.9), (1.3, 36.2)];
        assert_close(bd_rate(&anchor(), &curve(&smooth)), -14.533_839_661_954_136);
        assert_close(bd_rate(&anchor(), &curve(&bent)), -15.126_727_272_621_315);
    }

    #[test]
    fn knots_that_are_unevenly_spaced_take_weighted_harmonic_slopes() {
        let knots = [(0.0, 0.0), (1.0, 1.0), (3.0, 2.0)].map(|(x, y)| Knot { x, y, slope: 0.0 });
        // Weights 2 * 2 + 1 and 2 + 2 * 1 over the rises 1 and 1/2; at the ends the parabola.
        let wanted = [
            (4.0 - 0.5) / 3.0,
            9.0 / (5.0 / 1.0 + 4.0 / 0.5),
            (2.5 - 2.0) / 3.0,
        ];
        for (found, wanted) in slopes(&knots).iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-12, "{found}, not {wanted}");
        }
    }

    #[test]
    fn curves_without_a_common_psnr_have_no_bd_rate() {
        let low = curve(&[(0.3, 20.0), (0.6, 22.0), (1.0, 24.0)]);
        let high = curve(&[(0.3, 24.0), (0.6, 28.0), (1.0, 32.0)]);
        assert_eq!(bd_rate(&low, &high), None);
        assert_eq!(bd_rate(&high, &low), None);
    }

    #[test]
    fn only_the_anchors_points_within_the_range_count() {
        let mut wide = anchor();
        wide.extend(curve(&[(0.05, 20.0), (0.1, 24.0), (4.0, 45.0)]));
        let test = scaled(&curve(&[(0.05, 20.0), (0.5, 30.5), (4.0, 45.0)]), 0.7);
        assert_eq!(bd_rate(&wide, &test), bd_rate(&anchor(), &test));
        let outside = curve(&[(0.05, 20.0), (0.1, 24.0), (4.0, 45.0)]);
        assert_eq!(bd_rate(&outside, &test), None);
    }

    #[test]
    fn order_doubles_and_lossless_points_do_not_matter() {
        let anchor = anchor();
        let mut test = scaled(&anchor, 0.8);
        test.reverse();
        test.push(test[1]);
        test.push(RatePoint {
            psnr: f64::INFINITY,
            ..test[0]
        });
        assert_close(bd_rate(&anchor, &test), -20.0);
        assert_eq!(bd_rate(&anchor, &test[..1]), None);
        assert_eq!(bd_rate(&[], &test), None);
    }
}
