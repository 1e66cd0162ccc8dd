//! `inr train-sr`, and the rows of `inr lab` that need the user's weights.

use super::*;

const ENLARGED: &str = r#"
title = "Enlarged"
about = "Small."
show = "enlargements"
[settings]
side = 32
scale = 2
width = 16
steps = 20
points = 2
[[group]]
title = "Both"
[[group.trial]]
name = "SIREN"
[[group.trial]]
name = "VGG"
settings = { vgg = { weight = 0.5, side = 24 } }
[[group.trial]]
name = "SRGAN"
settings = { model = "srgan" }
"#;

fn enlarged(more: &[&str]) -> (TempDir, Output) {
    let camera = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/camera-64.png");
    let camera = fs::read(camera).expect("a fixture");
    let folder = folder(&[("sisr.toml", ENLARGED.as_bytes()), ("camera.png", &camera)]);
    let usual = [
        "lab",
        "sisr",
        "--recipes",
        ".",
        "--data",
        ".",
        "--out",
        "out",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
    command.current_dir(folder.path()).args(usual).args(more);
    command.env_remove("INR_VGG19").env_remove("INR_SRGAN");
    let output = command.output().expect("the program starts");
    (folder, output)
}

/// The row called `name` of the report's table.
fn row(folder: &TempDir, name: &str) -> String {
    let table = String::from_utf8(read(folder, "out/tables.md")).expect("text");
    let mut rows = table.lines().filter(|line| line.starts_with('|'));
    let row = rows.find(|line| line.contains(&format!("| {name} |")));
    row.unwrap_or_else(|| panic!("{name} in {table}"))
        .to_owned()
}

#[test]
fn rows_without_their_weights_say_how_to_give_them() {
    let (folder, output) = enlarged(&[]);
    expect_code(&output, 0);
    let [vgg, srgan] = ["VGG", "SRGAN"].map(|name| row(&folder, name));
    if cfg!(feature = "candle") {
        assert!(vgg.contains("--vgg-weights or in INR_VGG19"), "{vgg}");
        assert!(srgan.contains("--srgan-weights or in INR_SRGAN"), "{srgan}");
    } else {
        assert!(vgg.contains("--features candle") && srgan.contains("--features candle"));
    }
}

#[cfg(feature = "candle")]
mod candle {
    use super::*;

    const PARITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/parity/");

    #[test]
    fn rows_with_their_weights_have_figures() {
        let (vgg, srgan) = (
            format!("{PARITY}vgg-legacy.pth"),
            format!("{PARITY}srresnet-twhui.pth"),
        );
        let (folder, output) = enlarged(&["--vgg-weights", &vgg, "--srgan-weights", &srgan]);
        expect_code(&output, 0);
        let results = String::from_utf8(read(&folder, "out/sisr/results.csv")).expect("text");
        let line = |name: &str| {
            let line = results.lines().find(|line| line.contains(name));
            line.unwrap_or_else(|| panic!("{name} in {results}"))
        };
        for name in ["SIREN", "VGG", "SRGAN"] {
            let figures = line(name)
                .split(',')
                .filter_map(|cell| cell.parse::<f64>().ok());
            assert!(figures.count() >= 3, "{}", line(name));
        }
        // The features have a say.
        let fields = ["1-1-siren", "1-2-vgg"]
            .map(|name| read(&folder, &format!("out/sisr/fits/{name}.inr")));
        assert!(fields[0] != fields[1]);

        let (_, output) = enlarged(&["--vgg-weights", &srgan]);
        expect_code(&output, 1);
        let told = stderr(&output);
        assert!(told.contains("has no tensor features.0.weight"), "{told}");
    }

    fn photos() -> TempDir {
        let chelsea = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/astronaut-96.png");
        let folder = folder(&[]);
        fs::create_dir(folder.path().join("photos")).expect("a folder");
        fs::copy(chelsea, folder.path().join("photos/a.png")).expect("a copy");
        folder
    }

    const SMALL: [&str; 14] = [
        "train-sr",
        "photos",
        "-o",
        "w.safetensors",
        "--scale",
        "2",
        "--width",
        "4",
        "--blocks",
        "1",
        "--patch",
        "16",
        "--batch",
        "2",
    ];

    #[test]
    fn a_training_writes_weights_and_measures_them() {
        let folder = photos();
        let train = |more: &[&str]| inr(folder.path(), &[&SMALL, more].concat());
        let output = train(&["--steps", "3", "--test", "photos", "--json"]);
        expect_code(&output, 0);
        let told: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(told["steps"], 3);
        assert!(told["tests"][0]["psnr_y"].as_f64() < told["tests"][0]["bicubic_psnr_y"].as_f64());
        assert!(!folder.path().join("w.safetensors.checkpoint").exists());
        let output = train(&["--steps", "3"]);
        expect_code(&output, 1);
        assert!(stderr(&output).contains("--force"));
        for wrong in ["--scale=3", "--steps=0", "--patch=2", "--learning-rate=0"] {
            expect_code(&train(&["-f", wrong]), 2);
        }
        expect_code(&train(&["-f", "--patch", "18", "--adversarial", "1"]), 2);
        expect_code(&train(&["-f", "--test", "nowhere"]), 1);
    }

    #[cfg(unix)]
    #[test]
    fn an_interrupted_training_goes_on_where_it_was() {
        let (whole, cut) = (photos(), photos());
        let steps = ["--steps", "150", "--quiet"];
        expect_code(&inr(whole.path(), &[&SMALL[..], &steps].concat()), 0);
        let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
        command.current_dir(cut.path()).args(SMALL).args(steps);
        let child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let output = signalled(child, "-INT", 0.3);
        expect_code(&output, 1);
        assert!(stderr(&output).contains("the same command resumes it"));
        assert!(cut.path().join("w.safetensors.checkpoint").exists());
        let other = inr(cut.path(), &[&SMALL[..], &["--steps", "151"]].concat());
        expect_code(&other, 1);
        assert!(stderr(&other).contains("other options"));
        expect_code(&inr(cut.path(), &[&SMALL[..], &steps].concat()), 0);
        assert!(read(&whole, "w.safetensors") == read(&cut, "w.safetensors"));
    }
}

#[cfg(feature = "candle")]
#[test]
fn upscale_takes_the_weights_of_a_generator() {
    let folder = folder(&[("a.png", &PNG)]);
    let weights = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/parity/srresnet-twhui.pth"
    );
    let arguments = [
        "upscale", "a.png", "--method", "srgan", "--scale", "4", "--json",
    ];
    let output = inr(folder.path(), &arguments);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("--weights"), "{}", stderr(&output));
    let output = inr(
        folder.path(),
        &[&arguments[..], &["--weights", weights]].concat(),
    );
    expect_code(&output, 0);
    assert_eq!(json_lines(&output)[0]["method"], "srgan");
    assert_eq!(size_of(&folder, "a.x4.png"), (4 * WIDTH, 4 * HEIGHT));
}
