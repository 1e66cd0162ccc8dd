//! Picture files that readers have got wrong. The right values are Pillow's, which uses libjpeg-turbo.

use std::fs;
use std::path::Path;

use inr_image::{
    Depth, Error, Limits, Picture, ReadOptions, Samples, quantisation_tables, read_picture,
    read_picture_with,
};

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/faults");
    fs::read(folder.join(name)).unwrap()
}

fn read(name: &str) -> Result<Picture, Error> {
    read_picture(&bytes(name), &Limits::default())
}

struct Right {
    file: &'static str,
    size: [u32; 2],
    means: [f64; 3],
    pixels: &'static [([usize; 2], [u8; 3])],
}

const RIGHT: [Right; 4] = [
    Right {
        file: "arithmetic.jpg",
        size: [224, 150],
        means: [142.799, 102.727, 68.365],
        pixels: &[
            ([44, 37], [158, 123, 95]),
            ([89, 37], [184, 141, 107]),
            ([134, 37], [203, 163, 127]),
            ([179, 37], [195, 147, 109]),
            ([44, 75], [155, 120, 62]),
            ([89, 75], [104, 82, 45]),
        ],
    },
    Right {
        file: "luma-subsampled.jpg",
        size: [224, 150],
        means: [142.785, 102.720, 68.345],
        pixels: &[
            ([44, 37], [170, 133, 106]),
            ([89, 37], [160, 119, 87]),
            ([134, 37], [196, 154, 116]),
            ([179, 37], [181, 137, 100]),
            ([44, 75], [152, 117, 59]),
            ([89, 75], [101, 81, 46]),
        ],
    },
    Right {
        file: "noninterleaved-420.jpg",
        size: [224, 150],
        means: [142.799, 102.727, 68.365],
        pixels: &[
            ([44, 37], [158, 123, 95]),
            ([89, 37], [184, 141, 107]),
            ([134, 37], [203, 163, 127]),
            ([179, 37], [195, 147, 109]),
            ([44, 75], [155, 120, 62]),
            ([89, 75], [104, 82, 45]),
        ],
    },
    Right {
        file: "orientation-exif-xmp.jpg",
        size: [224, 150],
        means: [147.649, 111.455, 86.788],
        pixels: &[
            ([44, 37], [166, 131, 99]),
            ([89, 37], [154, 117, 88]),
            ([134, 37], [147, 103, 68]),
            ([179, 37], [122, 92, 82]),
            ([44, 75], [172, 136, 112]),
            ([89, 75], [148, 103, 64]),
        ],
    },
];

/// Asserts that a file has this size, means within `off`, and pixels within 2 steps of 8 bits.
fn check<P: AsRef<[u8]>>(
    file: &str,
    size: [u32; 2],
    means: (&[f64], f64),
    pixels: impl IntoIterator<Item = ([usize; 2], P)>,
) {
    let picture = read(file).unwrap().with_depth(Depth::U8);
    assert_eq!([picture.width(), picture.height()], size, "{file}");
    let Samples::U8(samples) = picture.samples() else {
        panic!("8 bits")
    };
    let (channels, (means, off)) = (picture.layout().channels(), means);
    assert_eq!(channels, means.len(), "{file}");
    for (channel, wanted) in means.iter().enumerate() {
        let values = samples.iter().skip(channel).step_by(channels);
        let mean = values.map(|value| f64::from(*value)).sum::<f64>() / picture.pixels() as f64;
        assert!((mean - wanted).abs() < off, "{file}: {mean}, not {wanted}");
    }
    for ([x, y], wanted) in pixels {
        let at = channels * (y * size[0] as usize + x);
        let found = &samples[at..at + channels];
        let mut pairs = found.iter().zip(wanted.as_ref());
        assert!(
            pairs.all(|(a, b)| a.abs_diff(*b) <= 2),
            "{file} at {x},{y}: {found:?}"
        );
    }
}

#[test]
fn jpegs_of_any_sampling_scans_and_coding_are_those_of_libjpeg() {
    for right in RIGHT {
        let pixels = right.pixels.iter().copied();
        check(right.file, right.size, (&right.means, 0.1), pixels);
    }
}

#[test]
fn truncated_and_corrupt_jpegs_are_refused_or_read_in_part() {
    let whole = bytes("noninterleaved-420.jpg");
    let mut corrupt = whole.clone();
    // A stretch of 0xfb in the compressed data of the first scan, where no code is that long.
    let middle = whole.len() / 3;
    corrupt[middle..middle + 40].fill(0xfb);
    let partial = ReadOptions::default().partial(true);
    for (bytes, words) in [
        (bytes("truncated.jpg"), "cut off"),
        (whole[..whole.len() - 2].to_vec(), "cut off"),
        (whole[..whole.len() / 2].to_vec(), "cut off"),
        (corrupt, "corrupt"),
    ] {
        let error = read_picture(&bytes, &Limits::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
        let read = read_picture_with(&bytes, &partial).unwrap();
        assert_eq!(read.notes.len(), 1);
    }
    let read = read_picture_with(&bytes("truncated.jpg"), &partial).unwrap();
    let Samples::U8(samples) = read.picture.samples() else {
        panic!("8 bits")
    };
    for ([x, y], wanted) in [([10, 10], [156, 134, 123]), ([200, 40], [171, 137, 112])] {
        let at = 3 * (y * 451 + x);
        assert_eq!(samples[at..at + 3], wanted);
    }
    assert!(
        read_picture_with(&whole, &partial)
            .unwrap()
            .notes
            .is_empty()
    );
    assert!(matches!(
        read_picture(&whole[..40], &Limits::default()),
        Err(Error::Corrupt { .. })
    ));
}

#[test]
fn orientation_is_reset_in_exif_and_xmp() {
    let picture = read("orientation-exif-xmp.jpg").unwrap();
    let metadata = picture.metadata();
    let xmp = String::from_utf8(metadata.xmp.clone().unwrap()).unwrap();
    let at = xmp.find("tiff:Orientation").unwrap();
    let value = xmp[at..].find(|c: char| c.is_ascii_digit()).unwrap();
    assert_eq!(&xmp[at + value..at + value + 1], "1", "{xmp}");
    assert!(metadata.exif.is_some());
}

#[test]
fn quantisation_tables_are_those_of_the_file() {
    let tables = quantisation_tables(&bytes("noninterleaved-420.jpg"));
    let luma = tables[0].unwrap();
    assert!(luma.iter().all(|step| *step > 0) && luma[63] > luma[0]);
    assert!(tables[1].is_some() && tables[2].is_none());
    assert_eq!(quantisation_tables(b"no JPEG"), [None; 4]);
}

/// Size, channels, means and two pixels, at 44,37 and 100,100, in steps of 8 bits, from Pillow.
type Sample<'a> = (&'a str, [u32; 2], &'a [f64], [&'a [u8]; 2]);

const KINDS: [Sample; 12] = [
    (
        "bigtiff.tif",
        [224, 150],
        &[147.677, 111.449, 86.8],
        [&[166, 130, 96], &[151, 102, 56]],
    ),
    ("g3.tif", [224, 150], &[119.478], [&[255], &[0]]),
    (
        "grey-alpha.tif",
        [224, 150],
        &[119.475, 128.0],
        [&[137, 128], &[111, 128]],
    ),
    ("grey-float.tif", [224, 150], &[119.475], [&[137], &[111]]),
    (
        "jpeg-ycbcr.tif",
        [224, 150],
        &[94.953, 182.806, 122.527],
        [&[121, 189, 164], &[55, 204, 110]],
    ),
    (
        "palette.tif",
        [224, 150],
        &[147.712, 111.542, 86.816],
        [&[164, 127, 97], &[154, 99, 51]],
    ),
    (
        "premultiplied.tif",
        [224, 150],
        &[146.6, 110.66, 85.97, 128.0],
        [&[165, 129, 95, 128], &[149, 101, 55, 128]],
    ),
    (
        "rgb-uint32.tif",
        [224, 150],
        &[147.677, 111.449, 86.8],
        [&[166, 130, 96], &[151, 102, 56]],
    ),
    (
        "tiled-planar.tif",
        [224, 150],
        &[142.764, 102.714, 68.357],
        [&[154, 120, 92], &[41, 18, 12]],
    ),
    (
        "exif-after-idat.png",
        [224, 150],
        &[147.649, 111.455, 86.788],
        [&[166, 131, 99], &[149, 100, 59]],
    ),
    (
        "exif-prefix.webp",
        [224, 150],
        &[147.787, 111.549, 86.812],
        [&[168, 129, 99], &[152, 102, 59]],
    ),
    (
        "exif-raw-profile.png",
        [224, 150],
        &[147.677, 111.449, 86.8],
        [&[166, 130, 96], &[151, 102, 56]],
    ),
];

#[test]
fn kinds_of_tiff_and_places_of_exif_come_out_as_pillow_reads_them() {
    for (file, size, means, pixels) in KINDS {
        let places = [[44, 37], [100, 100]];
        check(file, size, (means, 0.3), places.into_iter().zip(pixels));
    }
}

#[test]
fn pages_are_chosen_and_never_guessed() {
    let bytes = bytes("three-pages.tif");
    let error = read_picture(&bytes, &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("3 pages"), "{error}");
    let first = |page| {
        let read = read_picture_with(&bytes, &ReadOptions::default().page(page));
        let picture = read.unwrap().picture;
        let Samples::U8(samples) = picture.samples() else {
            panic!("8 bits")
        };
        samples.clone()
    };
    assert!(first(1) != first(2) && first(2) != first(3));
    // A file that is one page has page 1.
    let png =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/faults/opaque-rgba.png"));
    assert!(read_picture_with(&png.unwrap(), &ReadOptions::default().page(1)).is_ok());
    let none = read_picture_with(&bytes, &ReadOptions::default().page(4)).unwrap_err();
    assert!(none.to_string().contains("page 4"), "{none}");
}

#[test]
fn gamma_and_primaries_of_png_become_a_profile() {
    for file in ["gama-1.0.png", "adobe-chrm.png"] {
        let icc = read(file).unwrap().metadata().icc.clone().unwrap();
        assert_eq!(&icc[36..40], b"acsp", "{file}");
    }
    assert!(read("opaque-rgba.png").unwrap().metadata().icc.is_none());
}

#[test]
fn resolution_is_kept_and_what_has_no_place_is_named() {
    let read = read_picture_with(&bytes("iptc-dpi.jpg"), &ReadOptions::default()).unwrap();
    assert!(read.notes.iter().any(|note| note.contains("IPTC")));
    // Exif's tag XResolution.
    assert!(read.picture.metadata().exif.is_some());
}

#[cfg(feature = "jxl")]
#[test]
fn a_lossless_jpeg_xl_is_its_source() {
    let picture = read("hard-alpha.jxl").unwrap();
    let png = read("hard-alpha.png").unwrap();
    let (Samples::U8(found), Samples::U8(whole)) = (picture.samples(), png.samples()) else {
        panic!("8 bits")
    };
    // It is cut out of the PNG at 40,30.
    assert_eq!([picture.width(), picture.height()], [64, 48]);
    for (y, row) in found.chunks_exact(4 * 64).enumerate() {
        let at = 4 * ((30 + y) * 224 + 40);
        for (a, b) in row
            .chunks_exact(4)
            .zip(whole[at..at + 4 * 64].chunks_exact(4))
        {
            assert!(a == b || a[3] == 0 && b[3] == 0, "{a:?} {b:?}");
        }
    }
}

#[test]
fn kinds_of_bmp_that_are_not_read_are_not_called_damaged() {
    // Bits with alpha masks, and a row of 70,000 pixels.
    for (width, compression) in [(4u32, 6u32), (70_000, 0)] {
        let mut file = b"BM".to_vec();
        let numbers = [
            0,
            0,
            54,
            40,
            width,
            1,
            0x18_0001,
            compression,
            0,
            0,
            0,
            0,
            0,
        ];
        numbers
            .iter()
            .for_each(|number| file.extend(number.to_le_bytes()));
        file.resize(54 + width as usize * 3, 0);
        let error = inr_image::read_picture(&file, &Default::default()).expect_err("not read");
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }
}
