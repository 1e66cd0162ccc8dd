//! Row by row over several threads, with results that do not depend on their number.

use inr_kernel::{Cancelled, Job, each_row, threads_for};

/// Rows that a thread takes at a time.
const BAND: usize = 32;
/// Values that are combined at a time.
const PART: usize = 1 << 14;

/// The inner product, summed by rows whatever the threads.
pub(super) fn dot(a: &[f32], b: &[f32], width: usize, threads: usize) -> f64 {
    const LANES: usize = 16;
    let row = |y: usize| -> f64 {
        let (a, b) = (&a[y * width..][..width], &b[y * width..][..width]);
        let mut sums = [0.0_f64; LANES];
        let (a_parts, b_parts) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let rest = a_parts.remainder().iter().zip(b_parts.remainder());
        let rest: f64 = rest.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        for (a, b) in a_parts.zip(b_parts) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += f64::from(*a) * f64::from(*b);
            }
        }
        sums.iter().sum::<f64>() + rest
    };
    let mut rows = vec![0.0; a.len() / width];
    let threads = threads_for(a.len(), threads);
    let done = Job::unwatched(|job| {
        job.items(threads, rows.chunks_mut(BAND), |band, sums, _| {
            for (y, sum) in sums.iter_mut().enumerate() {
                *sum = row(band * BAND + y);
            }
            Ok::<(), Cancelled>(())
        })
    });
    done.expect("nobody watches, and no row fails");
    rows.iter().sum()
}

/// `to += factor * from`.
pub(super) fn sum_into(to: &mut [f32], factor: f32, from: &[f32], threads: usize) {
    combine(to, from, threads, |to, from| *to += factor * from);
}

/// `to = factor * to + from`.
pub(super) fn scaled_sum(to: &mut [f32], factor: f32, from: &[f32], threads: usize) {
    combine(to, from, threads, |to, from| *to = factor * *to + from);
}

fn combine(to: &mut [f32], from: &[f32], threads: usize, each: impl Fn(&mut f32, f32) + Sync) {
    let part = PART.min(to.len().max(1));
    let whole = to.len() / part * part;
    let (head, tail) = to.split_at_mut(whole);
    let all = |at: usize, to: &mut [f32]| {
        let pairs = to.iter_mut().zip(&from[at..]);
        pairs.for_each(|(to, from)| each(to, *from));
    };
    each_row(head, part, threads, |y, to| all(y * part, to));
    all(whole, tail);
}

/// Calls `pair` for all neighbours: left and right, above and below.
pub(crate) fn neighbours(width: usize, count: usize, mut pair: impl FnMut(usize, usize)) {
    for at in 0..count {
        if (at + 1) % width != 0 {
            pair(at, at + 1);
        }
        if at + width < count {
            pair(at, at + width);
        }
    }
}
