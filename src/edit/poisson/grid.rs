//! Row by row over several threads, with results that do not depend on their number.

use std::sync::Mutex;

/// Pixels below which a second thread takes longer to start than it saves.
const LEAST: usize = 1 << 16;

/// Calls `work` with the number of each row of `out` and the row.
pub(crate) fn each_row(
    out: &mut [f32],
    width: usize,
    threads: usize,
    work: impl Fn(usize, &mut [f32]) + Sync,
) {
    let width = width.max(1);
    if threads <= 1 || out.len() < LEAST {
        for (y, row) in out.chunks_exact_mut(width).enumerate() {
            work(y, row);
        }
        return;
    }
    let rows = (out.len() / width).div_ceil(4 * threads).max(1);
    let bands = Mutex::new(out.chunks_mut(rows * width).enumerate());
    let next = || bands.lock().ok().and_then(|mut bands| bands.next());
    let worker = || {
        while let Some((band, rows_of_it)) = next() {
            for (y, row) in rows_of_it.chunks_exact_mut(width).enumerate() {
                work(band * rows + y, row);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
}

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
    let height = a.len() / width;
    if threads <= 1 || a.len() < LEAST {
        return (0..height).map(row).sum();
    }
    let mut rows = vec![0.0; height];
    let each = height.div_ceil(threads);
    std::thread::scope(|scope| {
        for (band, rows) in rows.chunks_mut(each).enumerate() {
            let row = &row;
            scope.spawn(move || {
                for (y, sum) in rows.iter_mut().enumerate() {
                    *sum = row(band * each + y);
                }
            });
        }
    });
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
    let part = LEAST.min(to.len().max(1));
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
