//! Latents coded once and for all: their coefficients never change, whatever becomes of the coder.
//!
//! `INR_BLESS=1` writes the files made by formula that are missing. When a check fails, the bitstream has changed, and
//! pictures that exist would decode to something else.

use crate::common::grids::*;
use inr_formats::*;
use std::path::PathBuf;

/// A file under `fixtures/latents`, and CRC-32s: of the file, and of its coefficients as [`checksum`] takes them.
struct Vector {
    name: &'static str,
    file: u32,
    coefficients: u32,
}

const VECTORS: [Vector; 5] = [
    // Photographs, encoded by the program.
    Vector {
        name: "camera-64",
        file: 0x8060_4c6f,
        coefficients: 0x18bd_5576,
    },
    Vector {
        name: "astronaut-96",
        file: 0xcc91_9f94,
        coefficients: 0xadf0_7b11,
    },
    // By formula: every optional part, four planes, tiles cut at the borders.
    Vector {
        name: "mixed-rgba",
        file: 0xe891_2bb9,
        coefficients: 0xb16a_ef88,
    },
    // Magnitudes up to 2^23 beside zeros.
    Vector {
        name: "large-grey-alpha",
        file: 0xd77c_ab8a,
        coefficients: 0x0a9b_5637,
    },
    // One column, halved until nothing is left to halve.
    Vector {
        name: "column-grey",
        file: 0x6cbd_cfa1,
        coefficients: 0x19d0_8bf1,
    },
];

/// The files made by formula.
fn made(name: &str) -> Option<InrFile> {
    let mut sequence = Sequence(0x1a7e);
    let latents = match name {
        "mixed-rgba" => return Some(small_pyramid()),
        "large-grey-alpha" => code(partition((37, 50), 2, 2, 24), |place| {
            let magnitude = (1 << (sequence.next() % 24)) - (sequence.next() % 3) as i32;
            match sequence.next() % 5 {
                0 => magnitude.min((1 << 23) - 1) >> u8::from(place.level == 0),
                1 => -magnitude >> u8::from(place.level == 0),
                2 => sequence.coefficient(),
                _ => 0,
            }
        }),
        "column-grey" => code(partition((1, 300), 1, 10, 16), |_| sequence.coefficient()),
        _ => return None,
    };
    Some(pyramid(latents.latents))
}

fn path(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/latents");
    PathBuf::from(folder).join(name).with_extension("inr")
}

#[test]
fn coefficients_never_change() {
    for vector in VECTORS {
        let name = vector.name;
        if std::env::var_os("INR_BLESS").is_some() && !path(name).exists() {
            std::fs::write(path(name), made(name).unwrap().write().unwrap()).unwrap();
        }
        let bytes = std::fs::read(path(name)).unwrap();
        let file = InrFile::read(&bytes, &Limits::default()).unwrap();
        let (low, tiles) = decode(file.latents.as_ref().unwrap()).unwrap();
        let found = [crc32fast::hash(&bytes), checksum(&low, &tiles)];
        let wanted = [vector.file, vector.coefficients];
        assert_eq!(
            found, wanted,
            "{name}: {found:08x?} found, {wanted:08x?} wanted"
        );
    }
}

#[test]
fn the_coder_gives_the_same_bytes_as_ever() {
    for Vector { name, .. } in VECTORS {
        let Some(file) = made(name) else { continue };
        assert!(
            file.write().unwrap() == std::fs::read(path(name)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn the_document_lists_every_vector() {
    let document = include_str!("../../SPEC.md");
    for vector in VECTORS {
        let (name, file, coefficients) = (vector.name, vector.file, vector.coefficients);
        let line = format!("| {name}.inr | {file:08x} | {coefficients:08x} |");
        assert!(document.contains(&line), "{line}");
    }
}

#[test]
fn each_vector_on_disk_is_checked() {
    let folder = path("any");
    let files = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    names.sort();
    let mut wanted: Vec<_> = VECTORS.iter().map(|vector| path(vector.name)).collect();
    wanted.sort();
    assert_eq!(names, wanted);
}
