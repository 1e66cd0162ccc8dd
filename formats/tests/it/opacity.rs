//! Maps of transparent and opaque pixels.

use inr_formats::{
    Activation, Depth, Grid, Header, InrFile, LayerData, Layout, Limits, Mlp, Model, Opacity,
    OpacityMap, Sampling, Tensor,
};
use proptest::prelude::*;

fn class(number: usize) -> Opacity {
    [Opacity::Between, Opacity::Transparent, Opacity::Opaque][number % 3]
}

/// A disc with a soft edge, 600 pixels wide: uniform tiles and others.
fn disc(x: usize, y: usize) -> Opacity {
    let distance = (x as f64 - 300.0).hypot(y as f64 - 300.0);
    match distance {
        d if d < 250.0 => Opacity::Opaque,
        d if d < 252.0 => Opacity::Between,
        _ => Opacity::Transparent,
    }
}

fn file(width: u32, height: u32, layout: Layout, opacity: OpacityMap) -> InrFile {
    let mlp = Mlp {
        activation: Activation::Sine,
        frequencies: 0,
        hidden: vec![1],
        omega_first: 30.0,
        omega_hidden: 30.0,
        grid: Grid::PixelCentre,
    };
    let shapes = mlp.layer_shapes(layout.channels());
    let layers = shapes.into_iter().map(|(outputs, inputs)| LayerData {
        matrix: Tensor::Float(vec![0.5; outputs * inputs]),
        bias: Tensor::Float(vec![0.5; outputs]),
    });
    let header = Header {
        width,
        height,
        layout,
        depth: Depth::U8,
        value_range: [0.0, 1.0],
        sampling: Sampling::Point,
        cicp: None,
        model: Model::Mlp(mlp.clone()),
    };
    let mut file = InrFile::new(header, layers.collect());
    file.opacity = Some(opacity);
    file
}

fn classes(map: &OpacityMap) -> Vec<Vec<Opacity>> {
    let [columns, rows] = map.tiles();
    (0..columns * rows)
        .map(|tile| map.decode(tile).unwrap().0)
        .collect()
}

#[test]
fn every_pixel_comes_back_and_shapes_are_cheap() {
    let map = OpacityMap::new(700, 600, disc);
    let bytes = file(700, 600, Layout::Rgba, map.clone()).write().unwrap();
    let again = InrFile::read(&bytes, &Limits::default()).unwrap();
    assert_eq!(again.opacity.as_ref(), Some(&map));
    assert_eq!(map.tiles(), [3, 3]);
    for tile in 0..9 {
        let (classes, width) = map.decode(tile).unwrap();
        let (left, top) = (tile % 3 * 256, tile / 3 * 256);
        for (at, found) in classes.into_iter().enumerate() {
            assert_eq!(found, disc(left + at % width, top + at / width));
        }
    }
    // 0.02 bits for each of 420,000 pixels.
    assert!(map.bytes() < 1_100, "{}", map.bytes());
}

#[test]
fn maps_of_other_pictures_are_refused() {
    let map = OpacityMap::new(20, 10, disc);
    assert!(file(20, 10, Layout::Rgb, map.clone()).write().is_err());
    assert!(file(10, 20, Layout::Rgba, map).write().is_err());
}

#[test]
fn damaged_maps_are_refused() {
    let whole = file(
        300,
        300,
        Layout::GreyAlpha,
        OpacityMap::new(300, 300, |x, y| class(x * y / 7)),
    );
    let bytes = whole.write().unwrap();
    let at = bytes.windows(4).position(|name| name == b"opac").unwrap();
    let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
    let payload = &bytes[at + 8..at + 8 + length];
    for payload in [
        &payload[..length - 1],
        &payload[..1],
        &[],
        &[payload, &[0]].concat(),
    ] {
        let mut damaged = bytes[..at].to_vec();
        damaged.extend(b"opac");
        damaged.extend((payload.len() as u32).to_le_bytes());
        damaged.extend(payload);
        damaged.extend(crc32(&damaged[at..]).to_le_bytes());
        damaged.extend(&bytes[at + 12 + length..]);
        let error = InrFile::read(&damaged, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("opacity map"), "{error}");
    }
}

/// CRC-32 as chunks want it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

proptest! {
    #[test]
    fn any_map_comes_back(width in 1_u32..40, height in 1_u32..40, seed in any::<u64>()) {
        let map = OpacityMap::new(width, height, |x, y| {
            let mixed = seed.wrapping_mul(x as u64 + 7).wrapping_add(seed >> (y % 32));
            class((mixed >> 9) as usize)
        });
        let bytes = file(width, height, Layout::Rgba, map.clone()).write().unwrap();
        let again = InrFile::read(&bytes, &Limits::default()).unwrap().opacity.unwrap();
        prop_assert_eq!(classes(&again), classes(&map));
    }
}
