//! Training of networks that enlarge pictures, through the public interface.

use std::fs;

use inr::{DeviceChoice, FileFormat, Layout, Metadata, Picture, Samples, write_picture};
use inr_networks::{Error, SrOptions, SrRecipe, SrShape, SrTrainer, enlarge_srgan};
use tempfile::TempDir;

/// A picture of edges and waves.
fn picture(width: u32, height: u32, phase: f32) -> Picture {
    let sample = |x: u32, y: u32, channel: u32| {
        let (x, y) = (x as f32, y as f32);
        let wave = (0.4 * x + phase).sin() * (0.23 * y + channel as f32).cos();
        let edge = if (x + 2.0 * y + 9.0 * phase) % 23.0 < 9.0 {
            60.0
        } else {
            0.0
        };
        (90.0 + 50.0 * wave + edge) as u8
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let samples = pixels.flat_map(|(x, y)| [0, 1, 2].map(|channel| sample(x, y, channel)));
    let samples = Samples::U8(samples.collect());
    Picture::new(width, height, Layout::Rgb, samples, Metadata::default()).unwrap()
}

fn pictures() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, width, phase) in [("a", 40, 0.0), ("b", 57, 1.0), ("c", 33, 2.0)] {
        let written = write_picture(&picture(width, 36, phase), FileFormat::Png, None).unwrap();
        fs::write(folder.path().join(format!("{name}.png")), written.bytes).unwrap();
    }
    // No picture, too small a one.
    fs::write(folder.path().join("notes.txt"), "nothing to see").unwrap();
    let small = write_picture(&picture(6, 6, 0.0), FileFormat::Png, None).unwrap();
    fs::write(folder.path().join("d.png"), small.bytes).unwrap();
    folder
}

fn recipe() -> SrRecipe {
    SrRecipe {
        shape: SrShape {
            width: 4,
            blocks: 1,
            doublings: 1,
            norm: true,
        },
        patch: 16,
        batch: 2,
        steps: 5,
        adversarial_steps: 4,
        device: DeviceChoice::Cpu,
        ..SrRecipe::default()
    }
}

#[test]
fn a_training_that_was_interrupted_ends_as_one_that_was_not() {
    let folder = pictures();
    let vgg = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/parity/vgg.pth");
    let recipe = SrRecipe {
        vgg: Some(vgg.into()),
        // Patches are too small for the last pooling but one.
        vgg_after: 18,
        ..recipe()
    };
    let new = || SrTrainer::new(folder.path(), recipe.clone()).unwrap();
    let finish = |mut trainer: SrTrainer| {
        while trainer.steps_done() < trainer.steps() {
            let step = trainer.step().unwrap();
            assert_eq!(
                step.discriminator.is_some(),
                trainer.steps_done() > recipe.steps
            );
        }
        trainer.weights()
    };
    let whole = finish(new());
    for cut in [3, 5, 7] {
        let mut first = new();
        for _ in 0..cut {
            first.step().unwrap();
        }
        let mut second = new();
        second.resume(&first.checkpoint()).unwrap();
        assert_eq!(second.steps_done(), cut);
        assert!(finish(second) == whole, "cut after {cut} steps");
    }
    let other = SrRecipe {
        seed: 1,
        ..recipe.clone()
    };
    let mut other = SrTrainer::new(folder.path(), other).unwrap();
    let refused = other.resume(&new().checkpoint());
    assert!(matches!(
        refused,
        Err(Error::Field(inr::Error::Misuse { .. }))
    ));
}

#[test]
fn a_trained_network_is_read_again_and_has_learnt_something() {
    let folder = pictures();
    let recipe = SrRecipe {
        shape: SrShape {
            width: 8,
            blocks: 1,
            doublings: 1,
            norm: false,
        },
        batch: 4,
        steps: 150,
        adversarial_steps: 0,
        rate: 4e-3,
        ..recipe()
    };
    let mut trainer = SrTrainer::new(folder.path(), recipe).unwrap();
    let test = picture(48, 40, 0.5);
    let score = |trainer: &SrTrainer| trainer.scores(std::slice::from_ref(&test)).unwrap()[0];
    let before = score(&trainer);
    while trainer.steps_done() < trainer.steps() {
        trainer.step().unwrap();
    }
    let after = score(&trainer);
    assert!(
        after.network > before.network + 6.0,
        "{before:?}, {after:?}"
    );

    let path = folder.path().join("weights.safetensors");
    fs::write(&path, trainer.weights()).unwrap();
    let options = SrOptions {
        device: DeviceChoice::Cpu,
        ..SrOptions::default()
    };
    let grey = Picture::new(
        9,
        7,
        Layout::GreyAlpha,
        Samples::U16(vec![30_000; 126]),
        Metadata::default(),
    );
    let large = enlarge_srgan(&grey.unwrap(), &path, &options, &mut ()).unwrap();
    let shape = (large.width(), large.height(), large.layout());
    assert_eq!(shape, (18, 14, Layout::GreyAlpha));
    let Samples::U16(samples) = large.samples() else {
        panic!("{:?}", large.depth());
    };
    assert!(
        samples
            .iter()
            .skip(1)
            .step_by(2)
            .all(|alpha| *alpha == 30_000)
    );
}

#[test]
fn recipes_and_folders_that_make_no_sense_are_refused() {
    let folder = pictures();
    let refused = |folder: &TempDir, recipe: SrRecipe| {
        let step = SrTrainer::new(folder.path(), recipe).and_then(|mut trainer| trainer.step());
        assert!(
            matches!(step, Err(Error::Field(inr::Error::Misuse { .. }))),
            "{step:?}"
        );
    };
    let empty = tempfile::tempdir().unwrap();
    refused(&empty, recipe());
    for patch in [0, 2, 17, 24, 2048] {
        refused(&folder, SrRecipe { patch, ..recipe() });
    }
    refused(
        &folder,
        SrRecipe {
            patch: 64,
            ..recipe()
        },
    );
    refused(
        &folder,
        SrRecipe {
            batch: 0,
            ..recipe()
        },
    );
    let absent = SrTrainer::new(&folder.path().join("absent"), recipe());
    assert!(matches!(
        absent.err(),
        Some(Error::Field(inr::Error::Io(_)))
    ));
}
