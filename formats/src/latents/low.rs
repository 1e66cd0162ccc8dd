//! The coarsest band: each value is predicted from its neighbours and the residual is coded.

use super::tile::golomb;
use crate::entropy::coder::Coder;
use crate::entropy::mix::{Slot, Tables};

/// Contexts of a residual by its neighbours' residuals; each has slots for the decisions of [`golomb`] and the sign.
const CONTEXTS: usize = 16;
/// Slots of the coarsest band.
pub(super) const LOW_SLOTS: usize = 2 * CONTEXTS * 34;

/// Codes one plane of the coarsest band, row by row. `values` is the input of a writer and the output of a reader.
///
/// The prediction is the median of left, above, and left plus above minus corner (M. Weinberger et al., "The LOCO-I
/// lossless image compression algorithm", 2000).
pub(super) fn code<C: Coder>(
    coder: &mut C,
    tables: Tables,
    slots: &mut [Slot],
    width: usize,
    values: &mut [i32],
) {
    let mut above: Vec<u32> = vec![0; width + 1];
    for start in (0..values.len()).step_by(width.max(1)) {
        let mut left = 0_u32;
        for x in 0..width {
            let at = start + x;
            let near = |dx: usize, dy: usize| values[at - dx - dy * width];
            let predicted = match (x > 0, start > 0) {
                (false, false) => 0,
                (true, false) => near(1, 0),
                (false, true) => near(0, 1),
                (true, true) => median(near(1, 0), near(0, 1), near(1, 1)),
            };
            let size = left.saturating_add(above[x]).saturating_add(above[x + 1]);
            let context = ((32 - size.leading_zeros()) as usize).min(CONTEXTS - 1) * 34;
            let row = &mut slots[context..context + 34];
            let wanted = values[at].wrapping_sub(predicted);
            let magnitude = golomb(coder, tables, &mut row[..32], wanted.unsigned_abs());
            let mut error = magnitude as i32;
            if magnitude > 0 {
                let negative = coder.bit(row[32].p16(), wanted < 0);
                row[32].update(negative, tables);
                if negative {
                    error = -error;
                }
            }
            values[at] = predicted.wrapping_add(error);
            left = magnitude;
            above[x] = magnitude;
        }
    }
}

fn median(left: i32, above: i32, corner: i32) -> i32 {
    let (low, high) = (left.min(above), left.max(above));
    if corner >= high {
        low
    } else if corner <= low {
        high
    } else {
        left.wrapping_add(above).wrapping_sub(corner)
    }
}
