//! What the built program promises: names, overwriting, streams, exit codes, messages.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use inr::{FileFormat, Layout, Limits, Metadata, Picture, Samples};
use serde_json::Value;
use tempfile::TempDir;

mod bench;
mod derivative;
#[cfg(unix)]
mod faults;
#[cfg(unix)]
mod filter;
#[cfg(unix)]
mod habits;
mod lab;
mod layers;
mod networks;
mod pages;
#[cfg(unix)]
mod unix;
mod upscale;

const WIDTH: u32 = 24;
const HEIGHT: u32 = 16;
/// A fit that takes a fraction of a second.
const FAST: [&str; 4] = ["--hidden", "16,16", "--epochs", "20"];

fn inr(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
    command.current_dir(folder).args(arguments);
    command.stdin(Stdio::null());
    command.output().expect("the program starts")
}

fn inr_with_input(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
    command.current_dir(folder).args(arguments);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A program that refuses its arguments does not read.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("ended by itself")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sends `signal` to `child` once it has used `seconds` of processor time, however busy the machine is; its output.
#[cfg(unix)]
fn signalled(child: std::process::Child, signal: &str, seconds: f64) -> Output {
    let stat = format!("/proc/{}/stat", child.id());
    // Fields 14 and 15 are ticks of a hundredth of a second in user and in system mode; the name before them ends in ')'.
    let used = || {
        let text = fs::read_to_string(&stat).ok()?;
        let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some((ticks(11)? + ticks(12)?) / 100.0)
    };
    let started = std::time::Instant::now();
    // Systems without /proc wait for four times the time.
    while used().unwrap_or(started.elapsed().as_secs_f64() / 4.0) < seconds {
        assert!(
            started.elapsed().as_secs() < 120,
            "the program does no work"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut kill = Command::new("kill");
    kill.args([signal, &child.id().to_string()]);
    assert!(kill.status().expect("kill starts").success());
    child.wait_with_output().expect("the program ends")
}

#[track_caller]
fn expect_code(output: &Output, wanted: i32) {
    assert_eq!(code(output), wanted, "stderr: {}", stderr(output));
}

/// A picture file of smooth colours.
static PNG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pixel = |x: u32, y: u32| [(x * 10) as u8, (y * 15) as u8, 128];
    let rows = (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y)));
    let samples = Samples::U8(rows.collect());
    let picture = Picture::new(WIDTH, HEIGHT, Layout::Rgb, samples, Metadata::default());
    let picture = picture.expect("the samples fit the shape");
    let written = inr::write_picture(&picture, FileFormat::Png, None);
    written.expect("PNG holds 8-bit RGB").bytes
});

/// The same as an `.inr` file.
static INR: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = folder(&[("a.png", &PNG)]);
    let output = inr(folder.path(), &[&["encode", "a.png"], &FAST[..]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    read(&folder, "a.inr")
});

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        fs::write(path, bytes).expect("a file is written");
    }
    folder
}

fn read(folder: &TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names in a folder, sorted.
fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|e| name(e.expect("an entry"))).collect();
    names.sort();
    names
}

#[track_caller]
fn size_of(folder: &TempDir, name: &str) -> (u32, u32) {
    let picture = inr::read_picture(&read(folder, name), &Limits::default());
    let picture = picture.expect("a picture");
    (picture.width(), picture.height())
}

fn encode(folder: &TempDir, arguments: &[&str]) -> Output {
    inr(folder.path(), &[&["encode"], arguments, &FAST[..]].concat())
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = stdout(output);
    let lines = text.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("a JSON object")).collect()
}

#[test]
fn a_picture_goes_to_inr_and_back_under_default_names() {
    let folder = folder(&[("leaf.png", &PNG)]);
    expect_code(&encode(&folder, &["leaf.png"]), 0);
    assert_eq!(names(&folder), ["leaf.inr", "leaf.png"]);
    for arguments in [&[][..], &["--scale", "4"], &["--size", "30x20"]] {
        let all = [&["decode", "leaf.inr"], arguments].concat();
        expect_code(&inr(folder.path(), &all), 0);
    }
    let expected = [
        "leaf.30x20.png",
        "leaf.decoded.png",
        "leaf.inr",
        "leaf.png",
        "leaf.x4.png",
    ];
    assert_eq!(names(&folder), expected);
    assert_eq!(read(&folder, "leaf.png"), *PNG, "the source is untouched");
    assert_eq!(size_of(&folder, "leaf.decoded.png"), (24, 16));
    assert_eq!(size_of(&folder, "leaf.x4.png"), (96, 64));
    assert_eq!(size_of(&folder, "leaf.30x20.png"), (30, 20));
}

#[test]
fn a_default_name_spares_the_source_even_with_force() {
    let folder = folder(&[("leaf.png", &PNG), ("leaf.inr", &INR)]);
    for _ in 0..2 {
        expect_code(&inr(folder.path(), &["decode", "leaf.inr", "--force"]), 0);
    }
    assert_eq!(read(&folder, "leaf.png"), *PNG);
    assert_eq!(names(&folder), ["leaf.decoded.png", "leaf.inr", "leaf.png"]);
}

#[test]
fn existing_files_are_replaced_with_force_only() {
    let folder = folder(&[("a.inr", &INR), ("out.png", b"precious")]);
    let output = inr(folder.path(), &["decode", "a.inr", "-o", "out.png"]);
    expect_code(&output, 1);
    let expected = "error: cannot decode a.inr: out.png exists already\n\
                    help:  replace it with --force, or choose another name with -o\n";
    assert_eq!(stderr(&output), expected);
    assert_eq!(read(&folder, "out.png"), b"precious");
    let output = inr(folder.path(), &["decode", "a.inr", "-o", "out.png", "-f"]);
    expect_code(&output, 0);
    assert_eq!(size_of(&folder, "out.png"), (24, 16));
    assert_eq!(names(&folder), ["a.inr", "out.png"]);
}

#[test]
fn an_input_is_never_overwritten() {
    let folder = folder(&[("a.png", &PNG), ("b.inr", &INR), ("b.png", &PNG)]);
    for arguments in [
        &["decode", "b.inr", "-o", "./b.inr", "--format", "png", "-f"][..],
        &["upscale", "a.png", "-o", "a.png", "--force"],
        &["compare", "a.png", "b.png", "-o", "b.png", "--force"],
    ] {
        let output = inr(folder.path(), arguments);
        expect_code(&output, 1);
        assert!(stderr(&output).contains("is an input"), "{arguments:?}");
    }
    assert_eq!(read(&folder, "a.png"), *PNG);
    assert_eq!(read(&folder, "b.inr"), *INR);
}

#[test]
fn two_inputs_of_one_name_do_not_share_an_output() {
    let folder = folder(&[("a.png", &PNG), ("a.bmp", &PNG)]);
    let output = encode(&folder, &["a.png", "a.bmp", "--force"]);
    expect_code(&output, 1);
    assert!(stderr(&output).contains("output of another input"));
    assert_eq!(names(&folder), ["a.bmp", "a.inr", "a.png"]);
}

#[test]
fn standard_input_and_output_are_a_dash() {
    let folder = folder(&[]);
    let arguments = [&["encode", "-", "-o", "-"], &FAST[..]].concat();
    let encoded = inr_with_input(folder.path(), &arguments, &PNG);
    expect_code(&encoded, 0);
    assert_eq!(
        encoded.stdout, *INR,
        "the same picture and seed give the same bytes"
    );
    let arguments = ["decode", "-", "--scale", "0.5", "--format", "bmp"];
    let decoded = inr_with_input(folder.path(), &arguments, &encoded.stdout);
    expect_code(&decoded, 0);
    let picture = inr::read_picture(&decoded.stdout, &Limits::default());
    assert_eq!(picture.expect("a picture").width(), WIDTH / 2);
    let info = inr_with_input(folder.path(), &["info", "-"], &INR);
    expect_code(&info, 0);
    assert!(names(&folder).is_empty());
}

#[test]
fn standard_streams_have_one_use_each() {
    let folder = folder(&[("a.inr", &INR)]);
    for arguments in [
        &["decode", "a.inr", "-o", "-", "--json"][..],
        &["decode", "-", "--json"],
        &["decode", "-", "-", "-"],
        &["compare", "-", "-"],
        &["decode", "a.inr", "a.inr", "-o", "b.png"],
    ] {
        let output = inr(folder.path(), arguments);
        expect_code(&output, 2);
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn exit_codes_tell_bad_arguments_bad_files_and_failures_apart() {
    let flipped = {
        let mut bytes = INR.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        bytes
    };
    let folder = folder(&[
        ("a.inr", &INR),
        ("a.png", &PNG),
        ("cut.inr", &INR[..INR.len() - 30]),
        ("flipped.inr", &flipped),
        ("cut.png", &PNG[..40]),
    ]);
    for (arguments, wanted) in [
        (&["--help"][..], 0),
        (&["decode", "a.inr", "--scale", "2"], 0),
        (&["decode", "missing.inr"], 1),
        (&["encode", "missing.png"], 1),
        (&["encode", "cut.png"], 1),
        (&["encode", "a.inr"], 1),
        (&[], 2),
        (&["decode"], 2),
        (&["decode", "a.inr", "-o", "a.doc"], 2),
        (&["decode", "a.inr", "--region", "20,0,10,10"], 2),
        (&["compare", "a.png", "a.inr", "-o", "a.doc"], 2),
        (&["decode", "cut.inr"], 3),
        (&["decode", "flipped.inr"], 3),
        (&["decode", "a.png"], 3),
        (&["info", "a.png"], 3),
        (&["compare", "a.png", "cut.inr"], 3),
    ] {
        let output = inr(folder.path(), arguments);
        assert_eq!(code(&output), wanted, "{arguments:?}: {}", stderr(&output));
    }
    let left: Vec<String> = names(&folder);
    let before = [
        "a.inr",
        "a.png",
        "a.x2.png",
        "cut.inr",
        "cut.png",
        "flipped.inr",
    ];
    assert_eq!(left, before, "failures leave nothing behind");
}

#[test]
fn numbers_out_of_range_are_bad_arguments() {
    let folder = folder(&[("a.inr", &INR), ("b.png", &PNG)]);
    for arguments in [
        &["decode", "a.inr", "--scale", "nan"][..],
        &["decode", "a.inr", "--scale", "inf"],
        &["decode", "a.inr", "--scale", "-2"],
        &["decode", "a.inr", "--scale", "0"],
        &["decode", "a.inr", "--scale", "1e9"],
        &["decode", "a.inr", "--size", "0x5"],
        &["decode", "a.inr", "--width", "0"],
        &["decode", "a.inr", "--region", "0,0,nan,5"],
        &["decode", "a.inr", "--region", "-1,0,5,5"],
        &["decode", "a.inr", "--threads", "0"],
        &["encode", "b.png", "--quality", "101"],
        &["encode", "b.png", "--quality", "-1"],
        &["encode", "b.png", "--quality", "nan"],
        &["encode", "b.png", "--bpp", "-0.5"],
        &["encode", "b.png", "--bytes", "40q"],
        &["encode", "b.png", "--bytes", "10"],
        &["encode", "b.png", "--psnr", "inf"],
        &["encode", "b.png", "--hidden", "0"],
        &["encode", "b.png", "--hidden", "16,,16"],
        &["encode", "b.png", "--time", "-5s"],
        &["encode", "b.png", "--epochs", "0"],
        &["encode", "b.png", "--omega0", "-30"],
        &["encode", "b.png", "--bits", "1"],
        &["encode", "b.png", "--device", "gpu"],
        &["compare", "b.png", "b.png", "--gain", "nan"],
    ] {
        let output = inr(folder.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}");
    }
    assert_eq!(names(&folder), ["a.inr", "b.png"]);
}

#[test]
fn one_size_and_one_target_at_a_time() {
    let folder = folder(&[("a.png", &PNG), ("a.inr", &INR)]);
    for pair in [
        ["--quality=50", "--bpp=1"],
        ["--bytes=4k", "--psnr=30"],
        ["--quality=50", "--bytes=4k"],
        ["--float", "--bits=8"],
    ] {
        let output = inr(folder.path(), &[&["encode", "a.png"], &pair[..]].concat());
        expect_code(&output, 2);
    }
    for pair in [
        ["--scale=2", "--width=9"],
        ["--size=5x5", "--height=9"],
        ["--compare", "--method=inr"],
    ] {
        let output = inr(folder.path(), &[&["decode", "a.inr"], &pair[..]].concat());
        expect_code(&output, 2);
    }
}

#[test]
fn a_device_that_is_absent_is_named() {
    let folder = folder(&[("a.png", &PNG)]);
    let output = encode(&folder, &["a.png", "--device", "cuda:63"]);
    expect_code(&output, 1);
    let text = stderr(&output);
    assert!(
        text.contains("cuda:63") && text.contains("help:  "),
        "{text}"
    );
    assert_eq!(names(&folder), ["a.png"]);
}

#[test]
fn one_bad_file_does_not_stop_the_rest() {
    let cut = &INR[..INR.len() / 2];
    let folder = folder(&[("a.inr", &INR), ("b.inr", cut), ("c.inr", &INR)]);
    let arguments = [
        "decode",
        "a.inr",
        "b.inr",
        "c.inr",
        "--out-dir",
        "new",
        "--json",
    ];
    let output = inr(folder.path(), &arguments);
    expect_code(&output, 3);
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["output"], "new/a.png");
    assert_eq!(lines[2]["width"], WIDTH);
    let error = lines[1]["error"].as_str().expect("an error");
    assert!(error.starts_with("cannot decode b.inr: "), "{error}");
    let told = stderr(&output);
    assert!(
        told.contains("cut short; `inr info b.inr` shows what is intact"),
        "{told}"
    );
    let written = fs::read_dir(folder.path().join("new")).expect("a folder");
    assert_eq!(written.count(), 2);
}

#[test]
fn json_tells_what_encoding_gave() {
    let folder = folder(&[("a.png", &PNG)]);
    let output = encode(&folder, &["a.png", "--json", "--seed", "7"]);
    expect_code(&output, 0);
    let lines = json_lines(&output);
    let [object] = lines.as_slice() else {
        panic!("one object per file: {lines:?}");
    };
    assert_eq!(object["output"], "a.inr");
    assert_eq!(object["bytes"], read(&folder, "a.inr").len());
    assert_eq!(object["network"]["hidden"], serde_json::json!([16, 16]));
    assert!(
        object["psnr"].as_f64().is_some_and(|psnr| psnr > 10.0),
        "{object}"
    );
}

#[test]
fn options_of_another_model_are_refused_by_name() {
    let folder = folder(&[("a.png", &PNG)]);
    let refused: [(&[&str], &str); 6] = [
        (
            &["--model", "siren", "--effort", "3"],
            "siren does not take --effort",
        ),
        (
            &["--hidden", "8,8", "--metric", "ssim"],
            "siren does not take --metric",
        ),
        (&["--seed", "3"], "pyramid does not take --seed"),
        (
            &["--optimizer", "adam", "--resume"],
            "pyramid does not take --optimizer, --resume",
        ),
        (&["--device", "cuda"], "pyramid does not take --device"),
        (
            &["--model", "pyramid", "--bits", "4"],
            "pyramid does not take --bits",
        ),
    ];
    for (arguments, words) in refused {
        let output = inr(folder.path(), &[&["encode", "a.png"], arguments].concat());
        expect_code(&output, 2);
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert_eq!(names(&folder), ["a.png"]);
    }
}

#[test]
fn quiet_says_nothing_but_errors() {
    let folder = folder(&[("a.png", &PNG)]);
    let output = encode(&folder, &["a.png", "--quiet"]);
    expect_code(&output, 0);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let output = encode(&folder, &["a.png", "--quiet"]);
    expect_code(&output, 1);
    assert!(stderr(&output).starts_with("error: "));
}

#[test]
fn messages_go_to_standard_error_only() {
    let folder = folder(&[("a.png", &PNG)]);
    let output = encode(&folder, &["a.png"]);
    expect_code(&output, 0);
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains("a.png -> a.inr"));
}

#[test]
fn info_shows_the_picture_and_its_chunks() {
    let folder = folder(&[("a.inr", &INR)]);
    let output = inr(folder.path(), &["info", "a.inr"]);
    expect_code(&output, 0);
    let text = stdout(&output);
    for word in [
        "24",
        "16",
        "bits_per_pixel",
        "HEAD",
        "NETW",
        "IEND",
        "intact",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let output = inr(folder.path(), &["info", "a.inr", "--json"]);
    let object = &json_lines(&output)[0];
    assert_eq!(object["picture"]["width"], WIDTH);
    assert_eq!(object["bytes"], INR.len());
    assert_eq!(object["error"], Value::Null);
}

#[test]
fn info_of_a_file_cut_short_lists_what_is_intact() {
    let folder = folder(&[("cut.inr", &INR[..INR.len() - 20])]);
    let output = inr(folder.path(), &["info", "cut.inr"]);
    expect_code(&output, 3);
    assert!(stdout(&output).contains("HEAD at byte 12"));
    assert!(stderr(&output).starts_with("error: cannot use cut.inr: "));
    let output = inr(folder.path(), &["info", "cut.inr", "--json"]);
    expect_code(&output, 3);
    let object = &json_lines(&output)[0];
    let chunks = object["chunks"].as_array().expect("a list");
    assert_eq!(chunks[0]["kind"], "HEAD");
    assert_eq!(chunks[0]["intact"], true);
    assert!(object["error"].is_string());
}

#[test]
fn compare_takes_pictures_and_inr_files() {
    let folder = folder(&[("a.png", &PNG), ("a.inr", &INR)]);
    let output = inr(folder.path(), &["compare", "a.png", "a.png", "--json"]);
    expect_code(&output, 0);
    assert_eq!(json_lines(&output)[0]["identical"], true);
    let arguments = ["compare", "a.png", "a.inr", "-o", "difference.png"];
    let output = inr(folder.path(), &arguments);
    expect_code(&output, 0);
    assert!(stdout(&output).starts_with("PSNR"));
    assert_eq!(size_of(&folder, "difference.png"), (24, 16));
    expect_code(&inr(folder.path(), &arguments), 1);
}

#[test]
fn compare_refuses_pictures_of_different_sizes() {
    let folder = folder(&[("a.png", &PNG), ("a.inr", &INR)]);
    let arguments = ["decode", "a.inr", "--scale", "2", "-o", "b.png"];
    expect_code(&inr(folder.path(), &arguments), 0);
    let output = inr(folder.path(), &["compare", "a.png", "b.png"]);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("help:  "), "{}", stderr(&output));
}

#[test]
fn decode_compares_side_by_side_and_zooms_into_a_region() {
    let folder = folder(&[("a.inr", &INR)]);
    let decode = |arguments: &[&str]| {
        let all = [&["decode", "a.inr"], arguments].concat();
        expect_code(&inr(folder.path(), &all), 0);
    };
    decode(&["--compare", "--scale", "2"]);
    assert_eq!(size_of(&folder, "a.x2.compare.png"), (96, 32));
    decode(&["--region", "1.5,2,6,4", "--scale", "10", "-o", "zoom.jpg"]);
    assert_eq!(size_of(&folder, "zoom.jpg"), (60, 40));
    decode(&[
        "--width", "12", "--depth", "16", "--method", "lanczos", "-o", "s.png",
    ]);
    assert_eq!(size_of(&folder, "s.png"), (12, 8));
    decode(&["--depth", "float"]);
    assert_eq!(size_of(&folder, "a.tiff"), (24, 16));
}

#[test]
fn pictures_fitted_at_the_same_time_give_the_same_files_as_one_by_one() {
    let other = INR.clone();
    let folder = folder(&[
        ("a.png", &PNG),
        ("b.png", &PNG),
        ("c.png", &other),
        ("d.png", &PNG),
    ]);
    let inputs = ["a.png", "b.png", "c.png", "d.png"];
    for (jobs, out) in [("1", "one"), ("3", "three")] {
        let more = ["--jobs", jobs, "--threads", "3", "--out-dir", out];
        let output = encode(&folder, &[&inputs[..], &more[..]].concat());
        expect_code(&output, 1);
        assert!(stderr(&output).contains("c.png"), "{}", stderr(&output));
        for name in ["a", "b", "d"] {
            assert!(read(&folder, &format!("{out}/{name}.inr")) == *INR);
        }
    }
}
