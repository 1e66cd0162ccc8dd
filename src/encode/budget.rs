//! Weights of the network that a target asks for.

use super::common::between;
use super::options::Target;

/// Weights per pixel at `quality` for a colour picture. At 5 bits each they take four fifths of JPEG's bits (4:2:0,
/// optimised tables, average over Kodak) up to 75, less above, where networks of this kind gain little.
fn quality_weights_per_pixel(quality: f64) -> f64 {
    const RATES: [(f64, f64); 10] = [
        (0.0, 0.0131),
        (5.0, 0.0231),
        (10.0, 0.0420),
        (20.0, 0.0736),
        (35.0, 0.1120),
        (50.0, 0.1425),
        (65.0, 0.1800),
        (75.0, 0.2131),
        (90.0, 0.2787),
        (100.0, 0.3279),
    ];
    between(&RATES, quality)
}

/// Bits per weight of a file, for planning; the search for steps corrects it.
const STORED_BITS: f64 = 5.0;

/// Parameters that the target asks for, before any cap. `overhead` is the file's length without weights.
pub(super) fn parameters(target: Target, pixels: f64, channels: usize, overhead: u64) -> f64 {
    // Chroma and alpha are a small part of a picture's information.
    let colour = 0.8 + 0.1 * (channels as f64 - 1.0);
    let from_bits = |bits: f64| bits / STORED_BITS;
    match target {
        Target::Quality(quality) => quality_weights_per_pixel(quality) * colour * pixels,
        Target::Bpp(bpp) => from_bits(bpp * pixels - 8.0 * overhead as f64),
        Target::Bytes(bytes) => from_bits(8.0 * (bytes as f64 - overhead as f64)),
        // A start; the search grows it until the target is reached.
        Target::Psnr(psnr) => {
            pixels * colour * 0.02 * ((psnr - 24.0) / 4.0).exp2().clamp(1.0, 64.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::NetworkOptions;
    use crate::fit::plan::{MOST_PARAMETERS, Plan};

    #[test]
    fn parameters_rise_with_quality() {
        let rates: Vec<f64> = (0..=100)
            .map(|q| quality_weights_per_pixel(f64::from(q)))
            .collect();
        assert!(rates.windows(2).all(|pair| pair[0] < pair[1]), "{rates:?}");
        let widths: Vec<u32> = (2..20)
            .map(|step| {
                let target = Target::Quality(f64::from(step) * 5.0);
                let wanted = parameters(target, 393_216.0, 3, 200);
                Plan::new(&NetworkOptions::default(), [768, 512], 3, wanted)
                    .mlp
                    .hidden[0]
            })
            .collect();
        assert!(
            widths.windows(2).all(|pair| pair[0] < pair[1]),
            "{widths:?}"
        );
    }

    #[test]
    fn a_plan_is_always_finite_and_small_enough() {
        for size in [[1, 1], [1, 4000], [20_000, 20_000]] {
            for quality in [0.0, 100.0] {
                let (target, options) = (Target::Quality(quality), NetworkOptions::default());
                let pixels = f64::from(size[0]) * f64::from(size[1]);
                let plan = Plan::new(&options, size, 4, parameters(target, pixels, 4, 200));
                assert!(
                    plan.epochs.is_finite() && plan.epochs > 0.0,
                    "{size:?} {plan:?}"
                );
                assert!(
                    plan.mlp.parameters(4) as f64 <= MOST_PARAMETERS,
                    "{size:?} {plan:?}"
                );
            }
        }
    }
}
