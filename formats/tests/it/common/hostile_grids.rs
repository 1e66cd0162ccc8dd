//! Hostile pyramid files: cause, variant of the error, bytes.

use super::grids::*;
use super::*;

type Case = (&'static str, &'static str, Vec<u8>);

/// A pyramid file with a changed `GRID`.
fn with_grid(change: impl Fn(&mut GridParts)) -> Vec<u8> {
    let mut grid = grid_parts();
    change(&mut grid);
    pyramid_with(&pyramid_head(), &grid.payload())
}

/// A pyramid file of another size, with a changed `GRID`.
fn with_size(width: u32, height: u32, change: impl Fn(&mut GridParts)) -> Vec<u8> {
    let mut grid = grid_parts();
    change(&mut grid);
    let head = Head {
        width,
        height,
        ..pyramid_head()
    };
    pyramid_with(&head, &grid.payload())
}

pub fn cases() -> Vec<Case> {
    let mut all = sequence_cases();
    all.extend(parameter_cases());
    all.extend(size_cases());
    all.extend(segment_cases());
    all
}

fn sequence_cases() -> Vec<Case> {
    let head = || chunk(b"HEAD", &pack(&pyramid_head()));
    let grid = || chunk(b"GRID", &grid_parts().payload());
    let end = || chunk(b"IEND", &[]);
    let network = || chunk(b"NETW", &pack(&weights()));
    vec![
        ("no-grid", "MissingChunk", container(&[head(), end()])),
        ("duplicate-grid", "Duplicate", {
            container(&[head(), grid(), grid(), end()])
        }),
        ("network-in-pyramid", "UnsupportedChunk", {
            container(&[head(), grid(), network(), end()])
        }),
        ("network-for-grid", "UnsupportedChunk", {
            container(&[head(), network(), end()])
        }),
    ]
}

fn parameter_cases() -> Vec<Case> {
    let with_step = |step: f32| with_grid(move |grid| grid.step = step);
    let with_masking = |masking: u8| {
        with_grid(move |grid| {
            grid.flags = 8;
            grid.optional.push(masking);
        })
    };
    let with_fitted = |flags: u8, bytes: &'static [u8]| {
        with_grid(move |grid| {
            grid.flags = flags;
            grid.optional.extend(bytes);
        })
    };
    vec![
        ("grid-fitted-mask-0", "Field", with_fitted(20, &[0, 0, 0])),
        ("grid-fitted-mask-8", "Field", with_fitted(20, &[0, 8, 0])),
        ("grid-fitted-long", "GridTooShort", {
            with_fitted(20, &[0, 1, 0x7f, 0])
        }),
        ("grid-fitted-surplus", "CodedWeights", {
            with_fitted(
                20,
                b"\0\x01\x40________________________________________________________________",
            )
        }),
        ("grid-fitted-without-gains", "Field", {
            with_fitted(16, &[1, 0])
        }),
        ("grid-grain-short", "GridTooShort", {
            with_grid(|grid| {
                grid.flags = 32;
                grid.optional.push(9);
                grid.lengths.clear();
                grid.segments.clear();
            })
        }),
        ("grid-empty", "GridTooShort", {
            pyramid_with(&pyramid_head(), &[])
        }),
        ("grid-prior-0", "UnsupportedValue", {
            with_grid(|grid| grid.prior = 0)
        }),
        ("grid-prior-255", "UnsupportedValue", {
            with_grid(|grid| grid.prior = 255)
        }),
        ("grid-flags-unknown", "UnsupportedValue", {
            with_grid(|grid| grid.flags = 128)
        }),
        (
            "grid-levels-32",
            "Field",
            with_grid(|grid| grid.levels = 32),
        ),
        ("grid-levels-255", "Field", {
            with_grid(|grid| grid.levels = 255)
        }),
        ("grid-tile-0", "Field", with_grid(|grid| grid.tile = 0)),
        ("grid-tile-8", "Field", with_grid(|grid| grid.tile = 8)),
        ("grid-tile-20", "Field", with_grid(|grid| grid.tile = 20)),
        (
            "grid-tile-4104",
            "Field",
            with_grid(|grid| grid.tile = 4104),
        ),
        ("grid-step-0", "Field", with_step(0.0)),
        ("grid-step-negative", "Field", with_step(-0.125)),
        ("grid-step-nan", "Field", with_step(f32::NAN)),
        ("grid-step-infinite", "Field", with_step(f32::INFINITY)),
        ("grid-step-subnormal", "Field", with_step(1e-40)),
        ("grid-step-above-1e6", "Field", with_step(1_000_001.0)),
        ("grid-colour-of-grey", "Field", {
            with_grid(|grid| {
                grid.flags = 1;
                grid.optional = vec![1; 24];
            })
        }),
        ("grid-masking-0", "Field", with_masking(0)),
        ("grid-masking-17", "Field", with_masking(17)),
        ("grid-centroids-short", "GridTooShort", {
            with_grid(|grid| {
                grid.optional.truncate(3);
                grid.lengths.clear();
                grid.segments.clear();
            })
        }),
    ]
}

fn size_cases() -> Vec<Case> {
    vec![
        ("grid-coarsest-too-large", "OverLimit", {
            with_size(514, 3, |_| ())
        }),
        ("grid-of-too-many-pixels", "OverLimit", {
            with_size(1 << 16, 1 << 13, |grid| grid.levels = 9)
        }),
        ("grid-too-many-segments", "GridTooShort", {
            with_size(1 << 28, 1, |grid| grid.levels = 20)
        }),
        ("grid-largest-sides", "OverLimit", {
            with_size(u32::MAX, u32::MAX, |grid| grid.levels = 31)
        }),
    ]
}

fn segment_cases() -> Vec<Case> {
    let with_length =
        |bytes: &'static [u8]| with_grid(move |grid| grid.lengths = [bytes, &[0]].concat());
    vec![
        ("grid-lengths-short", "GridTooShort", {
            with_grid(|grid| {
                grid.lengths.truncate(1);
                grid.segments.clear();
            })
        }),
        ("grid-length-unended", "GridTooShort", {
            with_grid(|grid| grid.segments = vec![0x80; 3])
        }),
        ("grid-length-4-gib", "GridTooShort", {
            with_length(b"\xff\xff\xff\xff\x0f")
        }),
        ("grid-length-above-32-bits", "GridTooShort", {
            with_length(b"\x85\x80\x80\x80\x10")
        }),
        ("grid-length-of-six-bytes", "GridTooShort", {
            with_length(b"\x85\x80\x80\x80\x80\x00")
        }),
        ("grid-segment-short", "GridTooShort", {
            with_grid(|grid| grid.segments.truncate(4))
        }),
        ("grid-surplus", "GridSurplus", {
            with_grid(|grid| grid.segments.push(0))
        }),
    ]
}
