//! Damaged picture files are read or refused: no reader panics, whatever the damage.

use std::fs;
use std::path::Path;

use inr_image::{
    Depth, Error, FileFormat, Layout, Limits, Metadata, Picture, ReadOptions, read_picture_with,
    write_picture,
};

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

fn sources() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/faults");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let named = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    };
    let mut sources: Vec<(String, Vec<u8>)> = paths.into_iter().map(named).collect();
    let samples: Vec<f32> = (0..9 * 7 * 3).map(|i| i as f32 / 200.0).collect();
    let metadata = Metadata::default();
    let picture = Picture::from_f32(9, 7, Layout::Rgb, Depth::F32, &samples, metadata).unwrap();
    for format in [FileFormat::Exr, FileFormat::Pfm, FileFormat::Tiff] {
        let written = write_picture(&picture, format, None).unwrap();
        sources.push((format!("9x7 {format}"), written.bytes));
    }
    sources
}

#[test]
fn no_damage_makes_a_reader_panic() {
    let mut numbers = Numbers(7);
    // Small pictures only: the damage may change the size.
    let limits = Limits {
        pixels: 1 << 20,
        ..Limits::default()
    };
    for (name, whole) in sources() {
        for round in 0..60 {
            let mut bytes = whole.clone();
            // Headers are at either end; damage there does the most.
            let reach = match round % 3 {
                0 => 64,
                1 => 600,
                _ => bytes.len(),
            };
            for _ in 0..1 + numbers.below(4) {
                let at = numbers.below(reach.min(bytes.len()));
                let at = if numbers.below(3) == 0 {
                    bytes.len() - 1 - at
                } else {
                    at
                };
                bytes[at] = match numbers.below(3) {
                    0 => 0,
                    1 => 255,
                    _ => numbers.below(256) as u8,
                };
            }
            if round % 5 == 4 {
                bytes.truncate(numbers.below(bytes.len()));
            }
            let options = ReadOptions::default()
                .limits(limits.clone())
                .partial(round % 2 == 1)
                .page(
                    (round % 7 == 0)
                        .then_some(1)
                        .filter(|_| name.ends_with("tif")),
                );
            let read = read_picture_with(&bytes, &options);
            assert!(
                !matches!(read, Err(Error::Panicked { .. })),
                "{name}, round {round}"
            );
        }
    }
}
