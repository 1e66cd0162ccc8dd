//! What PyTorch makes of small networks with random weights, by scripts/parity-fixtures, is what this library makes of them.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use inr::fit::PictureLoss;
use inr::{Depth, DeviceChoice, Layout, Metadata, Picture};
use inr_networks::{Error, SrOptions, VggLoss, VggOptions, Weights, WeightsError, enlarge_srgan};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/parity")
        .join(name)
}

/// A tensor of the file `name`.
struct Known(Weights);

impl Known {
    fn open(name: &str) -> Self {
        Self(Weights::open(&fixture(name)).unwrap())
    }

    fn shape(&self, tensor: &str) -> Vec<usize> {
        self.0.shape(tensor).unwrap().to_vec()
    }

    fn values(&self, tensor: &str) -> Vec<f32> {
        self.0.read(tensor, &self.shape(tensor)).unwrap()
    }
}

fn largest_difference(found: &[f32], wanted: &[f32]) -> f32 {
    assert_eq!(found.len(), wanted.len());
    let pairs = found.iter().zip(wanted);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, v| most.max(v.abs()))
}

fn vgg_loss(weights: &str, case: &str, options: VggOptions) -> (VggLoss, Vec<f32>) {
    let known = Known::open("vgg-known.safetensors");
    let shape = known.shape(&format!("{case}.x"));
    let loss = VggLoss::new(
        &fixture(weights),
        &known.values(&format!("{case}.wanted")),
        [shape[1] as u32, shape[0] as u32],
        shape[2],
        options,
        DeviceChoice::Cpu,
    );
    (loss.unwrap(), known.values(&format!("{case}.x")))
}

#[test]
fn features_and_their_gradients_are_pytorchs() {
    let known = Known::open("vgg-known.safetensors");
    let study = VggOptions {
        side: Some(24),
        raw: true,
        ..VggOptions::default()
    };
    let native = VggOptions {
        side: None,
        ..VggOptions::default()
    };
    for (case, options) in [("grey", study), ("colour", native)] {
        let (loss, x) = vgg_loss("vgg.safetensors", case, options);
        for (block, found) in loss.features_of(&x).unwrap().iter().enumerate() {
            let wanted = known.values(&format!("{case}.features.{block}"));
            let error = largest_difference(found, &wanted);
            assert!(error < 1e-4, "{case}, block {block}: {error}");
            assert!(largest(&wanted) > 0.1, "{case}, block {block} is silent");
        }
        let mut gradient = vec![0.0; x.len()];
        let value = loss.loss_and_gradient(&x, &mut gradient).unwrap();
        let wanted = f64::from(known.values(&format!("{case}.loss"))[0]);
        assert!(
            (value - wanted).abs() < 1e-4 * wanted,
            "{value} for {wanted}"
        );
        let wanted = known.values(&format!("{case}.gradient"));
        let error = largest_difference(&gradient, &wanted);
        // They are of the order of 1e-3: of a loss that is a mean over many values.
        let bound = 1e-4 * largest(&wanted);
        assert!(error < bound, "{case}: {error}, {bound} is allowed");
    }
}

#[test]
fn pth_files_of_both_kinds_hold_what_safetensors_do() {
    let wanted = Weights::open(&fixture("vgg.safetensors")).unwrap();
    for name in ["vgg.pth", "vgg-legacy.pth"] {
        let found = Weights::open(&fixture(name)).unwrap();
        assert_eq!(found.names(), wanted.names(), "{name}");
        for tensor in wanted.names() {
            let shape = wanted.shape(tensor).unwrap().to_vec();
            let [a, b] = [&found, &wanted].map(|weights| weights.read(tensor, &shape).unwrap());
            assert_eq!(a, b, "{name}, {tensor}");
        }
    }
}

fn picture(known: &Known, tensor: &str) -> Picture {
    let shape = known.shape(tensor);
    let (width, height) = (shape[1] as u32, shape[0] as u32);
    let samples = known.values(tensor);
    let metadata = Metadata::default();
    Picture::from_f32(width, height, Layout::Rgb, Depth::F32, &samples, metadata).unwrap()
}

#[test]
fn generators_of_three_layouts_enlarge_as_in_pytorch() {
    let known = Known::open("srresnet-known.safetensors");
    for (layout, file) in [
        ("lornatang", "srresnet-lornatang.safetensors"),
        ("twhui", "srresnet-twhui.pth"),
        ("leftthomas", "srresnet-leftthomas.pth"),
    ] {
        let small = picture(&known, &format!("{layout}.x"));
        let options = SrOptions {
            device: DeviceChoice::Cpu,
            ..SrOptions::default()
        };
        let found = enlarge_srgan(&small, &fixture(file), &options, &mut ()).unwrap();
        let wanted = picture(&known, &format!("{layout}.y")).to_f32();
        // Pictures end at 0 and 1.
        let wanted: Vec<f32> = wanted.iter().map(|v| v.clamp(0.0, 1.0)).collect();
        let error = largest_difference(&found.to_f32(), &wanted);
        assert!(error < 1e-4, "{layout}: {error}");
        let inside = wanted.iter().filter(|v| (0.01..0.99).contains(*v)).count();
        assert!(2 * inside > wanted.len(), "{layout}: nothing to compare");
    }
}

#[test]
fn tiles_do_not_show() {
    let known = Known::open("srresnet-known.safetensors");
    let small = picture(&known, "lornatang.x");
    let samples: Vec<f32> = (0..40)
        .flat_map(|y| (0..50).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let at = (y % 13 * 11 + x % 11) * 3;
            [at, at + 1, at + 2]
        })
        .map(|at| small.to_f32()[at])
        .collect();
    let metadata = Metadata::default();
    let large = Picture::from_f32(50, 40, Layout::Rgb, Depth::F32, &samples, metadata).unwrap();
    let enlarged = |tile| {
        let options = SrOptions {
            tile,
            device: DeviceChoice::Cpu,
            ..SrOptions::default()
        };
        let weights = fixture("srresnet-lornatang.safetensors");
        enlarge_srgan(&large, &weights, &options, &mut ())
            .unwrap()
            .to_f32()
    };
    let error = largest_difference(&enlarged(16), &enlarged(192));
    assert!(error < 1e-5, "{error}");
}

#[test]
fn other_scales_come_from_averaging_down() {
    let known = Known::open("srresnet-known.safetensors");
    let small = picture(&known, "leftthomas.x");
    for (scale, size) in [(1.5, (17, 20)), (3.0, (33, 39)), (4.0, (44, 52))] {
        let options = SrOptions {
            scale: Some(scale),
            device: DeviceChoice::Cpu,
            ..SrOptions::default()
        };
        let weights = fixture("srresnet-leftthomas.pth");
        let found = enlarge_srgan(&small, &weights, &options, &mut ()).unwrap();
        assert_eq!((found.width(), found.height()), size, "{scale}");
    }
}

fn refusal(error: Error) -> WeightsError {
    match error {
        Error::Weights(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn weights_of_another_network_are_told_apart() {
    let known = Known::open("srresnet-known.safetensors");
    let small = picture(&known, "twhui.x");
    let options = SrOptions {
        device: DeviceChoice::Cpu,
        ..SrOptions::default()
    };
    let enlarge =
        |file: &Path| refusal(enlarge_srgan(&small, file, &options, &mut ()).unwrap_err());
    assert!(matches!(
        enlarge(&fixture("vgg.pth")),
        WeightsError::UnknownGenerator { .. }
    ));
    assert!(matches!(
        enlarge(&fixture("absent.pth")),
        WeightsError::Io { .. }
    ));
    assert!(matches!(
        enlarge(&fixture("../chelsea.png")),
        WeightsError::Unknown { .. }
    ));
    let vgg = |file: &Path, after: usize| {
        let options = VggOptions {
            after: vec![after],
            ..VggOptions::default()
        };
        VggLoss::new(file, &[0.0; 4], [2, 2], 1, options, DeviceChoice::Cpu)
    };
    let missing = refusal(vgg(&fixture("srresnet-twhui.pth"), 36).unwrap_err());
    assert!(
        matches!(&missing, WeightsError::Missing { tensor, .. } if tensor == "features.0.weight"),
        "{missing}"
    );
    assert!(matches!(
        vgg(&fixture("vgg.pth"), 38).unwrap_err(),
        Error::Field(inr::Error::Misuse { .. })
    ));
}

/// A pickle that names a function, calls it and ends.
fn pickle(function: &str) -> Vec<u8> {
    let mut bytes = b"\x80\x02c".to_vec();
    bytes.extend(function.replace('.', "\n").as_bytes());
    bytes.extend(b"\nX\x04\x00\x00\x00true\x85R.");
    bytes
}

#[test]
fn hostile_weights_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |bytes: &[u8]| {
        let path = folder.path().join("weights");
        std::fs::write(&path, bytes).unwrap();
        Weights::open(&path).unwrap_err()
    };
    for function in ["posix.system", "builtins.eval", "torch.load"] {
        match open(&pickle(function)) {
            WeightsError::Refused { asked, .. } => assert_eq!(asked, function),
            other => panic!("{other}"),
        }
    }
    for bytes in [
        // Cut short; a mark that is not there; what was never remembered; nothing to take.
        b"\x80\x02X\xff\xff\xff\x7f".as_slice(),
        b"\x80\x02u.",
        b"\x80\x02h\x07.",
        b"\x80\x02R.",
        // A safetensors header longer than its file.
        b"\x40\x42\x0f\x00\x00\x00\x00\x00{",
        b"\x02\x00\x00\x00\x00\x00\x00\x00{",
    ] {
        let error = open(bytes);
        assert!(matches!(error, WeightsError::Malformed { .. }), "{error}");
    }
}

#[test]
fn tensors_that_leave_their_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["vgg.safetensors", "vgg.pth", "vgg-legacy.pth"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        for share in 1..16 {
            std::fs::write(&path, &bytes[..bytes.len() * share / 16]).unwrap();
            let read = Weights::open(&path).and_then(|weights| {
                let all = weights.names().into_iter();
                let mut all = all.map(|name| weights.read(name, weights.shape(name)?));
                all.find(|read| read.is_err()).unwrap_or(Ok(Vec::new()))
            });
            assert!(read.is_err(), "{name}, {share} sixteenths");
        }
    }
    let header = r#"{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([0; 4]);
    let path = folder.path().join("liar");
    std::fs::write(&path, bytes).unwrap();
    let read = Weights::open(&path).and_then(|weights| weights.read("a", &[1_000_000; 2]));
    assert!(
        matches!(read, Err(WeightsError::Malformed { .. })),
        "{read:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Containers say where tensors lie at either end of the file.
    #[test]
    fn damaged_weights_never_panic(
        changes in prop::collection::vec((any::<bool>(), 0_usize..6000, any::<u8>()), 1..4),
        cut in prop::option::of(0_usize..6000),
    ) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["vgg.safetensors", "vgg.pth", "vgg-legacy.pth"] {
            let mut bytes = std::fs::read(fixture(name)).unwrap();
            for (late, at, value) in &changes {
                let at = if *late { bytes.len() - 1 - at } else { *at };
                bytes[at] = *value;
            }
            bytes.truncate(bytes.len() - cut.unwrap_or(0));
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            if let Ok(weights) = Weights::open(&path) {
                for name in weights.names() {
                    let shape = weights.shape(name).unwrap();
                    let _ = weights.read(name, shape);
                }
            }
        }
    }
}
