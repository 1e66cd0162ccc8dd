//! Pixels: fields rendered, pictures of other formats read.

use inr::decode::{Derivative, RenderMethod};
use inr::{
    FileFormat, InrPicture, Limits, OutputSize, PictureError, Region, RenderOptions, read_picture,
    write_picture,
};

use super::repaired;

const DERIVATIVES: [Derivative; 7] = [
    Derivative::Dx,
    Derivative::Dy,
    Derivative::Gradient,
    Derivative::GradientHsv,
    Derivative::Magnitude,
    Derivative::Laplacian,
    Derivative::Normal,
];

const METHODS: [RenderMethod; 5] = [
    RenderMethod::Auto,
    RenderMethod::Inr,
    RenderMethod::Bicubic,
    RenderMethod::Lanczos,
    RenderMethod::Network,
];

/// Files that read well are rendered, under limits that keep each run short: no panic, no more memory than allowed. The
/// first two bytes are the size of the render, the third what is rendered, with a region in the next 32 bytes where its
/// highest bit says so; the rest is a file.
pub fn render_small(input: &[u8]) {
    let [width, height, view, rest @ ..] = input else {
        return;
    };
    let (width, height) = (u32::from(*width), u32::from(*height));
    let (region, bytes) = match rest.split_first_chunk::<32>() {
        Some((region, bytes)) if view & 0x80 != 0 => (Some(region), bytes),
        _ => (None, rest),
    };
    let limits = Limits {
        pixels: 1 << 16,
        render_pixels: 1 << 12,
        file_bytes: 1 << 16,
        metadata_bytes: 1 << 16,
        decompressed_bytes: 1 << 16,
        multiply_adds: 1 << 26,
        ..Limits::default()
    };
    let Ok(picture) = InrPicture::open(&repaired(bytes), &limits) else {
        return;
    };
    let region = region.map(|bytes| numbers(bytes, view & 0x40 != 0, &picture));
    let mut options = RenderOptions::default()
        .size(OutputSize::Exact(width, height))
        .region(region.map(|[x, y, width, height]| Region {
            x,
            y,
            width,
            height,
        }))
        .threads(1)
        .limits(limits);
    match view & 7 {
        method @ 0..=4 => {
            options.method = METHODS[usize::from(method)];
            if let Ok(rendered) = picture.render(&options, &mut ()) {
                assert_eq!(rendered.picture.width(), width);
                assert_eq!(rendered.picture.height(), height);
            }
        }
        5 => {
            if let Ok(jets) = picture.jets(&options, &mut ()) {
                assert_eq!(
                    [jets.width(), jets.height()],
                    [width as usize, height as usize]
                );
            }
        }
        6 => {
            let derivative = DERIVATIVES[usize::from(view >> 3 & 7) % DERIVATIVES.len()];
            let _ = picture.render_derivative(derivative, None, &options, &mut ());
        }
        _ => {
            // Anywhere, inside the picture or not.
            let [x, y, z, w] = region.unwrap_or_default();
            let positions = [[x, y], [z, w]];
            if let Ok(samples) = picture.sample(&positions) {
                assert_eq!(samples.len(), 2 * picture.layout().channels());
            }
            let _ = picture.jets_at(&positions);
        }
    }
}

/// A region: any four numbers, or four that lie `inside` the picture.
fn numbers(bytes: &[u8; 32], inside: bool, picture: &InrPicture) -> [f64; 4] {
    let sides = [picture.width(), picture.height()].map(f64::from);
    let mut parts = [0.0; 4];
    for (axis, part) in parts.iter_mut().enumerate() {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[8 * axis..][..8]);
        *part = if inside {
            // Halved, for a start and an extent that fit.
            u64::from_le_bytes(eight) as f64 / 2.0_f64.powi(65) * sides[axis % 2]
        } else {
            f64::from_le_bytes(eight)
        };
    }
    parts
}

/// Pictures of every format, with their metadata: read or refused within the limits, and written again as PNG.
pub fn pictures(bytes: &[u8]) {
    let limits = Limits {
        pixels: 1 << 16,
        file_bytes: 1 << 18,
        metadata_bytes: 1 << 16,
        decompressed_bytes: 1 << 20,
        ..Limits::default()
    };
    let Ok(picture) = read_picture(bytes, &limits) else {
        return;
    };
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    assert!(pixels <= limits.pixels);
    match write_picture(&picture, FileFormat::Png, None) {
        Ok(written) => {
            let again = read_picture(&written.bytes, &Limits::default());
            let again = again.expect("what was written can be read");
            assert_eq!(
                (again.width(), again.height()),
                (picture.width(), picture.height())
            );
        }
        Err(PictureError::CannotHold { .. }) => {}
        Err(other) => panic!("{other}"),
    }
}
