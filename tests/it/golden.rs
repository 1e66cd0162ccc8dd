//! Golden images: what a fixed `.inr` file must look like, at several sizes.
//!
//! A failure writes expected | difference | actual under `target/golden`. `INR_BLESS=1` writes the references anew; look
//! at them before they are committed.

use std::fs;
use std::path::{Path, PathBuf};

use inr::decode::RenderMethod;
use inr::{
    Depth, FileFormat, InrPicture, Layout, Limits, Metadata, OutputSize, Picture, Raster, Region,
    RenderOptions, RowsMut, Samples, metrics, read_picture, write_picture,
};

/// Largest difference in 8-bit steps: kernels of different width add up in different order, and rounding to 8 bits may
/// then fall on either side.
const MAX_ABS: u8 = 1;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn options(scale: f64, region: Option<[f64; 4]>, method: RenderMethod) -> RenderOptions {
    RenderOptions::default()
        .size(OutputSize::Scale(scale))
        .region(region.map(|[x, y, width, height]| Region {
            x,
            y,
            width,
            height,
        }))
        .method(method)
        .depth(Depth::U8)
}

fn png(picture: &Picture) -> Vec<u8> {
    write_picture(picture, FileFormat::Png, None).unwrap().bytes
}

fn steps(picture: &Picture) -> Vec<u8> {
    let round = |sample: f32| (sample * 255.0).round() as u8;
    picture.to_f32().into_iter().map(round).collect()
}

/// Expected, difference and actual, one above the other.
fn panels(expected: &Picture, actual: &Picture) -> Picture {
    let (a, b) = (expected.to_f32(), actual.to_f32());
    let difference = a.iter().zip(&b).map(|(a, b)| 0.5 + 16.0 * (b - a));
    let samples: Vec<f32> = a
        .iter()
        .copied()
        .chain(difference)
        .chain(b.iter().copied())
        .collect();
    Picture::from_f32(
        expected.width(),
        3 * expected.height(),
        Layout::Rgb,
        Depth::U8,
        &samples,
        Metadata::default(),
    )
    .unwrap()
}

fn check(name: &str, options: &RenderOptions) {
    let bytes = fs::read(root().join("fixtures/golden/chelsea.inr")).unwrap();
    let file = InrPicture::open(&bytes, &Limits::default()).unwrap();
    let actual = file.render(options, &mut ()).unwrap().picture;
    let reference: PathBuf = root().join(format!("fixtures/golden/{name}.png"));
    if std::env::var_os("INR_BLESS").is_some() {
        fs::write(&reference, png(&actual)).unwrap();
    }
    let expected = read_picture(&fs::read(&reference).unwrap(), &Limits::default()).unwrap();
    assert_eq!(
        (expected.width(), expected.height(), expected.layout()),
        (actual.width(), actual.height(), actual.layout()),
        "{name}"
    );
    let pairs = steps(&expected).into_iter().zip(steps(&actual));
    let worst = pairs.map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0);
    if worst > MAX_ABS {
        let folder = root().join("target/golden");
        fs::create_dir_all(&folder).unwrap();
        let seen = folder.join(format!("{name}.png"));
        fs::write(&seen, png(&panels(&expected, &actual))).unwrap();
        panic!("{name} differs by {worst} steps; see {}", seen.display());
    }
}

#[test]
fn a_quarter_of_the_size_looks_as_it_did() {
    check("quarter", &options(0.25, None, RenderMethod::Inr));
}

#[test]
fn a_region_at_its_own_size_looks_as_it_did() {
    check(
        "region",
        &options(1.0, Some([100.0, 60.0, 160.0, 120.0]), RenderMethod::Inr),
    );
}

#[test]
fn an_enlarged_region_looks_as_it_did() {
    let region = Some([160.5, 90.25, 40.0, 30.0]);
    check("eye-x4.3", &options(4.3, region, RenderMethod::Inr));
}

#[test]
fn a_bicubic_enlargement_looks_as_it_did() {
    let region = Some([160.5, 90.25, 40.0, 30.0]);
    check(
        "eye-x4.3-bicubic",
        &options(4.3, region, RenderMethod::Bicubic),
    );
}

#[test]
fn the_references_show_the_photo() {
    let photo = fs::read(root().join("fixtures/chelsea.png")).unwrap();
    let photo = read_picture(&photo, &Limits::default()).unwrap();
    let bytes = fs::read(root().join("fixtures/golden/chelsea.inr")).unwrap();
    let file = InrPicture::open(&bytes, &Limits::default()).unwrap();
    let native = file
        .render(&options(1.0, None, RenderMethod::Inr), &mut ())
        .unwrap();
    let (a, b) = (photo.to_f32(), native.picture.to_f32());
    let raster = |samples| Raster {
        width: photo.width() as usize,
        height: photo.height() as usize,
        channels: 3,
        samples,
    };
    let report = metrics::compare(raster(&a), raster(&b)).unwrap();
    assert!(report.psnr > 27.0, "{report:?}");
    let (x, y) = report.shift.unwrap();
    assert!(x.abs().max(y.abs()) < 0.05, "{report:?}");
}

#[test]
fn bands_and_buffers_of_the_caller_hold_what_a_whole_render_does() {
    let bytes = fs::read(root().join("fixtures/golden/chelsea.inr")).unwrap();
    let file = InrPicture::open(&bytes, &Limits::default()).unwrap();
    let options = RenderOptions::default()
        .size(OutputSize::Scale(5.0))
        .method(RenderMethod::Inr);
    let whole = file
        .render(&options, &mut ())
        .expect("the render is within the limits")
        .picture;
    let Samples::U8(whole) = whole.samples() else {
        panic!("the file has 8 bits");
    };
    let mut bands = Vec::new();
    let mut count = 0;
    file.render_bands(&options, &mut (), |band| {
        let Samples::U8(band) = band else {
            panic!("the file has 8 bits");
        };
        bands.extend_from_slice(band);
        count += 1;
        Ok::<(), inr::Error>(())
    })
    .expect("the render is within the limits");
    assert!(count > 1, "the render is too small for two bands");
    assert!(*whole == bands);

    let small = options.size(OutputSize::Width(60));
    let picture = file
        .render(&small, &mut ())
        .expect("the render is within the limits")
        .picture;
    let (row, stride) = (60 * 3, 60 * 3 + 7);
    let mut buffer = vec![123; (picture.height() as usize - 1) * stride + row];
    fn rows(buffer: &mut [u8], stride: usize, length: usize) -> Vec<&mut [u8]> {
        let rows = buffer.chunks_mut(stride);
        rows.map(|row| &mut row[..length]).collect()
    }
    file.render_into(&small, RowsMut::U8(rows(&mut buffer, stride, row)), &mut ())
        .expect("the rows are the render's");
    let Samples::U8(samples) = picture.samples() else {
        panic!("the file has 8 bits");
    };
    for (got, wanted) in buffer.chunks(stride).zip(samples.chunks(row)) {
        assert_eq!(&got[..row], wanted);
        assert!(got[row..].iter().all(|&untouched| untouched == 123));
    }
    let few = RowsMut::U8(rows(&mut buffer[stride..], stride, row));
    let few = file.render_into(&small, few, &mut ());
    assert!(matches!(few, Err(inr::Error::Misuse { .. })), "{few:?}");
    let narrow = RowsMut::U8(rows(&mut buffer, stride, row - 1));
    let narrow = file.render_into(&small, narrow, &mut ());
    assert!(
        matches!(narrow, Err(inr::Error::Misuse { .. })),
        "{narrow:?}"
    );
    let mut floats = vec![0.0; row * picture.height() as usize];
    let other = small.depth(Depth::U8);
    let other = file.render_into(
        &other,
        RowsMut::F32(floats.chunks_mut(row).collect()),
        &mut (),
    );
    assert!(matches!(other, Err(inr::Error::Misuse { .. })), "{other:?}");
}
