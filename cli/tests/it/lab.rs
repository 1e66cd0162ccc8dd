//! `inr lab`.

use inr::decode::Component;
use inr::{InrPicture, RenderOptions, read_picture};

use super::*;

const FIT: &str = r#"
title = "Fitting"
about = "Small."
show = "fields"
[settings]
side = 16
width = 16
steps = 40
points = 4
[[group]]
title = "Both"
[[group.trial]]
name = "SIREN"
published = [50.0, 0.9]
[[group.trial]]
name = "ReLU"
settings = { model = "relu" }
[[group.trial]]
name = "absent"
settings = { image = "nowhere.png" }
[[group]]
title = "Varied"
vary = "omega-first"
values = [10.0, 20.0]
"#;

/// A folder with the recipe and the camera.
fn lab_folder(recipe: &str) -> TempDir {
    let camera = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/camera-64.png");
    let camera = fs::read(camera).expect("a fixture");
    folder(&[("fit.toml", recipe.as_bytes()), ("camera.png", &camera)])
}

fn lab(folder: &TempDir, more: &[&str]) -> Output {
    let usual = [
        "lab",
        "fit",
        "--recipes",
        ".",
        "--data",
        ".",
        "--out",
        "out",
    ];
    inr(folder.path(), &[&usual, more].concat())
}

#[test]
fn a_recipe_becomes_figures_curves_pictures_and_a_report() {
    let folder = lab_folder(FIT);
    let output = lab(&folder, &["--json"]);
    expect_code(&output, 0);
    let told: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!((&told["fits"], &told["not_run"]), (&4.into(), &1.into()));
    let text = |name: &str| String::from_utf8(read(&folder, name)).expect("text");
    let results = text("out/fit/results.csv");
    assert_eq!(results.lines().count(), 6, "{results}");
    assert!(results.contains("Both,absent,,,,,,,,,,,,,not run: nowhere.png is not in"));
    let curves = text("out/fit/curves.csv");
    assert!(curves.contains("Varied,20,0,40,40.000,"), "{curves}");
    let html = text("out/report.html");
    for part in [
        "<h2>Fitting</h2>",
        "<td>50.0</td>",
        "not run: nowhere.png",
        "<svg",
        "16 px",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(text("out/tables.md").contains("| ReLU | "));
    let grid = read_picture(&read(&folder, "out/fit/grid-1.png"), &Limits::default());
    let grid = grid.expect("a picture");
    // Three rows and columns of 128 pixels.
    assert_eq!((grid.width(), grid.height()), (3 * 128 + 24, 3 * 128 + 24));
    let field = read(&folder, "out/fit/fits/1-2-relu.inr");
    let field = InrPicture::open(&field, &Limits::default()).expect("a file");
    let jets = field
        .jets(&RenderOptions::default(), &mut ())
        .expect("jets");
    let laplacians = jets.plane(Component::Laplacian, 0);
    assert!(laplacians.iter().all(|value| *value == 0.0));
}

#[test]
fn settings_on_top_change_every_trial_and_wrong_ones_are_told() {
    let folder = lab_folder(FIT);
    expect_code(
        &lab(&folder, &["--set", "steps=10", "--set", "seeds=[1, 2]"]),
        0,
    );
    let results = String::from_utf8(read(&folder, "out/fit/results.csv")).expect("text");
    assert!(
        results.contains("16 px, 2 hidden layers of 16, 10 steps"),
        "{results}"
    );
    assert_eq!(results.lines().count(), 10, "{results}");
    for wrong in ["steps", "stride=3", "steps=fast"] {
        expect_code(&lab(&folder, &["--set", wrong]), 2);
    }
    let output = inr(folder.path(), &["lab", "fit", "--recipes", "none"]);
    expect_code(&output, 1);
    assert!(stderr(&output).contains("fit.toml"));
}

#[test]
fn gradients_and_laplacians_are_enough_for_a_picture() {
    let folder = folder(&[]);
    let arguments = ["lab", "poisson", "--quick", "--out", "out", "--quiet"];
    expect_code(&inr(folder.path(), &arguments), 0);
    let results = String::from_utf8(read(&folder, "out/poisson/results.csv")).expect("text");
    let psnr = |name: &str| -> f64 {
        let line = results.lines().find(|line| line.contains(name));
        let line = line.unwrap_or_else(|| panic!("{name} in {results}"));
        let after = &line[line.find(name).expect("it is there") + name.len()..];
        let mut numbers = after.split(',').filter_map(|cell| cell.parse().ok());
        // The seed comes first.
        numbers.nth(1).expect("a figure")
    };
    let gradients = psnr("Differences over 1, 8, ... pixels, the mean given");
    assert!(gradients > 25.0, "{gradients}");
    let laplacian = psnr("Sums over squares, the border given");
    assert!(laplacian > 20.0, "{laplacian}");
}

/// The figures of a run that was interrupted and went on are those of one that was not.
#[cfg(unix)]
#[test]
fn a_run_that_was_interrupted_goes_on_within_a_fit() {
    let recipe = FIT
        .replace("steps = 40", "steps = 3000")
        .replace("side = 16", "side = 32");
    let (whole, cut) = (lab_folder(&recipe), lab_folder(&recipe));
    let only = ["--set", "points=3", "--threads", "1", "--quiet"];
    expect_code(&lab(&whole, &only), 0);
    let usual = [
        "lab",
        "fit",
        "--recipes",
        ".",
        "--data",
        ".",
        "--out",
        "out",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
    command.current_dir(cut.path()).args(usual).args(only);
    let child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let output = signalled(child, "-INT", 0.5);
    expect_code(&output, 1);
    assert!(stderr(&output).contains("the same command resumes it"));
    let fits = fs::read_dir(cut.path().join("out/fit/fits")).expect("a folder");
    let mut names = fits.map(|entry| entry.expect("an entry").file_name());
    assert!(names.any(|name| name.to_string_lossy().ends_with(".checkpoint")));
    expect_code(&lab(&cut, &only), 0);
    for name in ["1-1-siren.inr", "1-2-relu.inr", "2-2-20.inr"] {
        let path = format!("out/fit/fits/{name}");
        assert!(read(&whole, &path) == read(&cut, &path), "{name}");
    }
}
