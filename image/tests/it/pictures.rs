//! Picture files in and out, through the public API.

use std::fs;
use std::path::{Path, PathBuf};

use image::DynamicImage;
use inr_image::{
    Depth, Error, FileFormat, Layout, Limits, Metadata, Picture, Samples, read_picture,
    write_picture,
};
use proptest::prelude::*;

fn fixtures(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn read(path: &Path) -> Result<Picture, Error> {
    read_picture(&fs::read(path).unwrap(), &Limits::default())
}

fn broken_on_purpose(path: &Path) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with('x')
}

#[test]
fn every_valid_pngsuite_picture_survives_writing_and_reading() {
    for path in fixtures("pngsuite", "png")
        .iter()
        .filter(|path| !broken_on_purpose(path))
    {
        let picture = read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let written = write_picture(&picture, FileFormat::Png, None).unwrap();
        let again = read_picture(&written.bytes, &Limits::default()).unwrap();
        assert_eq!(picture, again, "{path:?}");
    }
}

#[test]
fn every_broken_pngsuite_picture_is_refused() {
    for path in fixtures("pngsuite", "png")
        .iter()
        .filter(|path| broken_on_purpose(path))
    {
        assert!(read(path).is_err(), "{path:?}");
    }
}

#[test]
fn sixteen_bit_pngs_stay_sixteen_bit() {
    let picture = read(&fixtures("pngsuite", "png")[0].with_file_name("basn2c16.png")).unwrap();
    assert_eq!(
        (picture.depth(), picture.layout()),
        (Depth::U16, Layout::Rgb)
    );
}

/// Mean absolute difference of the samples, 0.0..=1.0.
fn distance(a: &Picture, b: &Picture) -> f32 {
    assert_eq!(
        (a.width(), a.height(), a.layout()),
        (b.width(), b.height(), b.layout())
    );
    let (a, b) = (a.to_f32(), b.to_f32());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32
}

/// The value of tag 0x0112 in an Exif block.
fn orientation(exif: &[u8]) -> u16 {
    let little = exif.starts_with(b"II");
    let short = |at: usize| {
        let bytes = [exif[at], exif[at + 1]];
        if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        }
    };
    let ifd = usize::from(if little { short(4) } else { short(6) });
    let entries = (0..usize::from(short(ifd))).map(|entry| ifd + 2 + 12 * entry);
    entries
        .into_iter()
        .find(|&at| short(at) == 0x0112)
        .map_or(1, |at| short(at + 8))
}

#[test]
fn every_exif_orientation_gives_the_same_upright_picture_and_the_tag_says_so() {
    for kind in ["Landscape", "Portrait"] {
        let of_kind = |path: &&PathBuf| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(kind)
        };
        let all = fixtures("orientation", "jpg");
        let pictures: Vec<Picture> = all
            .iter()
            .filter(of_kind)
            .map(|path| read(path).unwrap())
            .collect();
        assert_eq!(pictures.len(), 9);
        let upright = &pictures[1];
        for (index, picture) in pictures.iter().enumerate().skip(1) {
            assert!(
                distance(upright, picture) < 0.03,
                "{kind} {index}: {}",
                distance(upright, picture)
            );
            assert_eq!(
                orientation(picture.metadata().exif.as_ref().unwrap()),
                1,
                "{kind} {index}"
            );
        }
    }
}

fn described(layout: Layout, depth: Depth) -> Picture {
    let values: Vec<f32> = (0..35 * layout.channels())
        .map(|i| (i % 29) as f32 / 28.0)
        .collect();
    let metadata = Metadata {
        icc: Some(b"profile, opaque to us".to_vec()),
        exif: Some(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0".to_vec()),
        xmp: Some(b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>".to_vec()),
        cicp: Some([9, 16, 0, 1]),
    };
    Picture::from_f32(7, 5, layout, depth, &values, metadata).unwrap()
}

#[test]
fn png_carries_all_metadata_and_jpeg_all_but_code_points() {
    let picture = described(Layout::Rgb, Depth::U8);
    let png = write_picture(&picture, FileFormat::Png, None).unwrap();
    assert!(png.dropped.is_empty());
    assert_eq!(
        read_picture(&png.bytes, &Limits::default()).unwrap(),
        picture
    );

    let jpeg = write_picture(&picture, FileFormat::Jpeg, None).unwrap();
    assert_eq!(jpeg.dropped, ["cICP colour description"]);
    let again = read_picture(&jpeg.bytes, &Limits::default()).unwrap();
    let expected = Metadata {
        cicp: None,
        ..picture.metadata().clone()
    };
    assert_eq!(again.metadata(), &expected);
}

#[test]
fn lossless_formats_return_every_sample_and_name_what_they_drop() {
    use FileFormat::{Bmp, Png, Pnm, Qoi, Tiff, WebP};
    for (format, depths) in [
        (Png, [Depth::U8, Depth::U16].as_slice()),
        (WebP, &[Depth::U8]),
        (Tiff, &[Depth::U8, Depth::U16, Depth::F32]),
        (Bmp, &[Depth::U8]),
        (Qoi, &[Depth::U8]),
        (Pnm, &[Depth::U8, Depth::U16]),
    ] {
        for &depth in depths {
            for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
                let picture = described(layout, depth);
                let written = write_picture(&picture, format, None)
                    .unwrap_or_else(|e| panic!("{format} {layout:?} {depth:?}: {e}"));
                let again = read_picture(&written.bytes, &Limits::default()).unwrap();
                let same = again.samples() == picture.samples()
                    || again.samples() == picture.clone().into_colour().samples();
                assert!(same, "{format} {layout:?} {depth:?}");
                assert!(
                    written.dropped.is_empty() == (format == Png),
                    "{format}: {:?}",
                    written.dropped
                );
            }
        }
    }
}

#[test]
fn samples_that_a_format_cannot_hold_are_refused_with_advice() {
    let refused = |layout, depth, format| {
        write_picture(&described(layout, depth), format, None)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(Layout::Rgb, Depth::F32, FileFormat::Jpeg).contains("--depth 8"));
    assert!(refused(Layout::Rgba, Depth::U8, FileFormat::Jpeg).contains("--background"));
    assert!(refused(Layout::Rgb, Depth::F32, FileFormat::Png).contains("--depth 16"));
}

#[test]
fn opaque_alpha_and_16_bits_become_a_jpeg_with_a_note() {
    let deep = described(Layout::Rgb, Depth::U16);
    let written = write_picture(&deep, FileFormat::Jpeg, None).unwrap();
    assert_eq!(written.notes.len(), 1);
    let opaque = described(Layout::Rgba, Depth::U8).over([1.0, 0.0, 0.0]);
    assert_eq!(opaque.layout(), Layout::Rgb);
    let samples = Samples::U8([10, 20, 30, 255].repeat(35));
    let full = Picture::new(7, 5, Layout::Rgba, samples, Metadata::default()).unwrap();
    let written = write_picture(&full, FileFormat::Jpeg, None).unwrap();
    assert!(written.notes.is_empty());
    assert_eq!(
        read_picture(&written.bytes, &Limits::default())
            .unwrap()
            .layout(),
        Layout::Rgb
    );
}

#[test]
fn anymaps_are_named_by_what_they_hold() {
    for (format, layout, magic) in [
        (FileFormat::Ppm, Layout::Rgb, b"P6"),
        (FileFormat::Ppm, Layout::Grey, b"P6"),
        (FileFormat::Pgm, Layout::Grey, b"P5"),
        (FileFormat::Pnm, Layout::Grey, b"P5"),
        (FileFormat::Pnm, Layout::Rgba, b"P7"),
        (FileFormat::Pam, Layout::Rgb, b"P7"),
    ] {
        let written = write_picture(&described(layout, Depth::U8), format, None).unwrap();
        assert_eq!(&written.bytes[..2], magic, "{format}");
    }
}

#[test]
fn floats_go_through_exr_and_pfm() {
    for (format, layouts) in [
        (FileFormat::Exr, [Layout::Rgb, Layout::Rgba].as_slice()),
        (FileFormat::Pfm, &[Layout::Grey, Layout::Rgb]),
    ] {
        for &layout in layouts {
            let picture = described(layout, Depth::F32);
            let written = write_picture(&picture, format, None).unwrap();
            let again = read_picture(&written.bytes, &Limits::default()).unwrap();
            assert_eq!(again.layout(), layout);
            let channels = layout.channels();
            let (wanted, found) = (picture.to_f32(), again.to_f32());
            let pixels = wanted.chunks(channels).zip(found.chunks(channels));
            // A transparent pixel has no colour.
            for (a, b) in pixels.filter(|(a, _)| channels < 4 || a[3] > 0.0) {
                assert!(
                    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5),
                    "{a:?} {b:?}"
                );
            }
        }
    }
}

#[test]
fn cmyk_and_12_bit_jpegs_and_animations_are_refused_with_advice() {
    let frame = |precision: u8, components: u8| {
        let mut jpeg = vec![
            0xff,
            0xd8,
            0xff,
            0xc0,
            0,
            8 + 3 * components,
            precision,
            0,
            4,
            0,
            4,
            components,
        ];
        jpeg.extend((0..components).flat_map(|id| [id, 0x11, 0]));
        jpeg
    };
    let message = |bytes: &[u8]| {
        read_picture(bytes, &Limits::default())
            .unwrap_err()
            .to_string()
    };
    assert!(message(&frame(8, 4)).contains("CMYK"));
    assert!(message(&frame(12, 3)).contains("8 bits"));

    let mut animated = write_picture(&described(Layout::Rgb, Depth::U8), FileFormat::Png, None)
        .unwrap()
        .bytes;
    let mut control = b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0".to_vec();
    control.extend(crc32(&control[4..]).to_be_bytes());
    animated.splice(33..33, control);
    assert!(message(&animated).contains("animated"));
}

/// CRC-32 as PNG wants it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[test]
fn unknown_files_and_inr_files_say_what_they_are() {
    let message = |bytes: &[u8]| {
        read_picture(bytes, &Limits::default())
            .unwrap_err()
            .to_string()
    };
    assert!(message(b"").contains("not a picture"));
    assert!(message(b"\x01\x02\x03\x04").contains("01, 02, 03, 04"));
    assert!(message(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf").contains("AVIF"));
    assert!(message(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").contains("HEIC"));
    assert!(message(b"\0\0\0\x18ftypisom\0\0\0\0isommp41").contains("film"));
    assert!(message(b"%PDF-1.7 ...").contains("PDF"));
    assert!(message(b"\x89INR\r\n\x1a\n more").contains("decode it first"));
}

#[test]
fn pictures_beyond_the_pixel_limit_are_refused_before_they_are_decoded() {
    let limits = Limits {
        pixels: 34,
        ..Limits::default()
    };
    let bytes = write_picture(&described(Layout::Rgb, Depth::U8), FileFormat::Png, None)
        .unwrap()
        .bytes;
    assert!(matches!(
        read_picture(&bytes, &limits),
        Err(Error::TooLarge { limit: 34, .. })
    ));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    assert!(
        Picture::new(
            2,
            2,
            Layout::Rgb,
            Samples::U8(vec![0; 11]),
            Metadata::default()
        )
        .is_err()
    );
    assert!(
        Picture::new(
            0,
            2,
            Layout::Rgb,
            Samples::U8(Vec::new()),
            Metadata::default()
        )
        .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_pictures_never_panic(at in 0usize..4000, value in any::<u8>(), cut in 0usize..4000) {
        let limits = Limits { pixels: 1 << 16, ..Limits::default() };
        for format in [FileFormat::Png, FileFormat::Jpeg, FileFormat::WebP, FileFormat::Tiff, FileFormat::Qoi] {
            let mut bytes = write_picture(&described(Layout::Rgb, Depth::U8), format, None).unwrap().bytes;
            let length = bytes.len();
            bytes[at % length] = value;
            bytes.truncate(length - cut % length);
            let _ = read_picture(&bytes, &limits);
        }
    }
}

#[test]
fn pictures_open_and_save_by_the_names_of_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let samples = Samples::U8((0..2 * 3 * 4).collect());
    let picture = Picture::new(2, 3, Layout::Rgba, samples, Metadata::default()).unwrap();
    for name in ["a.png", "b.TIFF", "c.webp"] {
        let path = folder.path().join(name);
        assert!(picture.save(&path).unwrap().is_empty());
        assert_eq!(Picture::open(&path).unwrap(), picture, "{name}");
    }
    let refused = picture.save(folder.path().join("d.txt")).unwrap_err();
    assert!(refused.to_string().contains("d.txt"), "{refused}");
    let absent = Picture::open(folder.path().join("e.png")).unwrap_err();
    assert!(matches!(absent, Error::Io(_)), "{absent}");
}

#[test]
fn pictures_become_images_of_the_crate_image_and_back() {
    for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
        let count = 3 * 2 * layout.channels();
        let stores = [
            Samples::U8((0..count).map(|v| v as u8 * 9).collect()),
            Samples::U16((0..count).map(|v| v as u16 * 2_500).collect()),
            Samples::F32((0..count).map(|v| v as f32 / 24.0).collect()),
        ];
        for samples in stores {
            let picture = Picture::new(3, 2, layout, samples, Metadata::default()).unwrap();
            let image = DynamicImage::from(picture.clone());
            assert_eq!([image.width(), image.height()], [3, 2]);
            let back = Picture::try_from(image).unwrap();
            let grey = picture.depth() == Depth::F32 && layout.colour_channels() == 1;
            let wanted = if grey { picture.into_colour() } else { picture };
            assert_eq!(back, wanted);
        }
    }
    let infinite = image::Rgb32FImage::from_raw(1, 1, vec![0.0, f32::INFINITY, 0.0]).unwrap();
    assert!(Picture::try_from(DynamicImage::from(infinite)).is_err());
}
