//! What people type who know cwebp, cjxl, avifenc and magick.

use std::fs;
use std::time::{Duration, SystemTime};

use inr::{Layout, Metadata, Picture, Samples};

use crate::faults::fixture;
use crate::{INR, PNG, expect_code, folder, inr, inr_with_input, names, read, stderr};

#[test]
fn the_second_operand_is_the_output() {
    let folder = folder(&[("a.png", &PNG)]);
    let run = |arguments: &[&str]| {
        let output = inr(folder.path(), arguments);
        expect_code(&output, 0);
    };
    run(&["encode", "a.png", "b.inr", "-q80"]);
    run(&["decode", "b.inr", "c.jpg"]);
    run(&["upscale", "a.png", "d.tiff"]);
    assert_eq!(names(&folder), ["a.png", "b.inr", "c.jpg", "d.tiff"]);
    let again = inr(folder.path(), &["encode", "a.png", "b.inr"]);
    expect_code(&again, 1);
    assert!(stderr(&again).contains("b.inr exists already"));
    let piped = inr_with_input(folder.path(), &["encode", "-", "-"], &PNG);
    expect_code(&piped, 0);
    assert!(piped.stdout.starts_with(b"\x89INR"));
    let wrong = inr(folder.path(), &["encode", "a.png", "-o", "x.jpg"]);
    expect_code(&wrong, 2);
    assert!(stderr(&wrong).contains("encode writes .inr files"));
}

#[test]
fn folders_are_walked_and_finished_files_passed_over() {
    let folder = folder(&[
        ("in/a.png", &PNG),
        ("in/deep/b.png", &PNG),
        ("in/notes.txt", b"no picture"),
    ]);
    let refused = inr(folder.path(), &["encode", "in"]);
    expect_code(&refused, 1);
    assert!(stderr(&refused).contains("--recursive"));
    let all = ["encode", "-r", "in", "--out-dir", "out", "--skip-existing"];
    let first = inr(folder.path(), &all);
    expect_code(&first, 0);
    let written = fs::read(folder.path().join("out/deep/b.inr")).expect("the folder is there too");
    assert!(folder.path().join("out/a.inr").is_file());
    let again = inr(folder.path(), &all);
    expect_code(&again, 0);
    assert_eq!(
        stderr(&again).matches("skipped").count(),
        2,
        "{}",
        stderr(&again)
    );
    assert_eq!(
        fs::read(folder.path().join("out/deep/b.inr")).expect("kept"),
        written
    );
}

#[test]
fn times_are_kept_on_request() {
    let folder = folder(&[("a.png", &PNG)]);
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(folder.path().join("a.png"));
    file.expect("a.png").set_modified(then).expect("a time");
    expect_code(&inr(folder.path(), &["encode", "a.png", "--keep-times"]), 0);
    let data = fs::metadata(folder.path().join("a.inr")).expect("a.inr");
    assert_eq!(data.modified().expect("a time"), then);
}

#[test]
fn boxes_keep_the_shape_and_sizes_that_do_not_say_so() {
    let folder = folder(&[("a.inr", &INR)]);
    let fitted = inr(
        folder.path(),
        &["decode", "a.inr", "small.png", "--fit", "12x12"],
    );
    expect_code(&fitted, 0);
    assert!(stderr(&fitted).contains("12 x 8"), "{}", stderr(&fitted));
    assert!(!stderr(&fitted).contains("nothing is enlarged"));
    let distorted = inr(
        folder.path(),
        &["decode", "a.inr", "square.png", "--size", "12x12"],
    );
    expect_code(&distorted, 0);
    assert!(stderr(&distorted).contains("--fit 12x12 keeps the shape"));
}

#[test]
fn transparency_goes_before_a_background() {
    let samples = Samples::U8([200, 0, 0, 0].repeat(64));
    let clear = Picture::new(8, 8, Layout::Rgba, samples, Metadata::default()).expect("a picture");
    let png = inr::write_picture(&clear, inr::FileFormat::Png, None).expect("PNG holds it");
    let folder = folder(&[("a.png", &png.bytes)]);
    expect_code(&inr(folder.path(), &["encode", "a.png"]), 0);
    let refused = inr(folder.path(), &["decode", "a.inr", "b.jpg"]);
    expect_code(&refused, 1);
    assert!(stderr(&refused).contains("--background"));
    let given = inr(
        folder.path(),
        &["decode", "a.inr", "b.jpg", "--background", "#00ff00"],
    );
    expect_code(&given, 0);
    let jpeg = inr::read_picture(&read(&folder, "b.jpg"), &inr::Limits::default()).expect("a JPEG");
    let Samples::U8(samples) = jpeg.samples() else {
        panic!("8 bits")
    };
    assert!(samples[0] < 4 && samples[1] > 250 && samples[2] < 4);
}

#[test]
fn pages_are_asked_for() {
    let pages = crate::faults::fixture("faults/three-pages.tif");
    let folder = folder(&[("a.tif", &pages)]);
    let refused = inr(folder.path(), &["encode", "a.tif"]);
    expect_code(&refused, 1);
    assert!(stderr(&refused).contains("3 pages"));
    expect_code(&inr(folder.path(), &["encode", "a.tif", "--page", "2"]), 0);
}

#[test]
fn a_missed_target_has_an_exit_code_of_its_own_and_more_bytes_are_never_worse() {
    let folder = folder(&[("a.png", &PNG)]);
    let psnr = |arguments: &[&str]| {
        let all = [
            &["encode", "a.png", "-f", "--json", "-o", "a.inr"],
            arguments,
        ]
        .concat();
        let output = inr(folder.path(), &all);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let exact = report["psnr"].is_null();
        let psnr = report["psnr"]
            .as_f64()
            .filter(|_| !exact)
            .unwrap_or(f64::INFINITY);
        (output.status.code(), psnr)
    };
    let short = [
        "--model", "siren", "--hidden", "8,8", "--epochs", "3", "--psnr", "60",
    ];
    assert_eq!(psnr(&short).0, Some(4));
    // Three layers of 24 stop at 29.7 dB after the usual epochs with the usual omega0.
    fs::write(folder.path().join("a.png"), fixture("camera-64.png")).expect("room");
    let narrow = ["--model", "siren", "--hidden", "24,24,24", "--psnr", "31"];
    let (code, reached) = psnr(&narrow);
    assert!(code == Some(0) && reached >= 31.0, "{code:?} {reached}");
    fs::write(folder.path().join("a.png"), &*PNG).expect("room");
    let sizes = ["400", "700", "1k", "1500", "2k", "4k", "20k", "1M", "10M"];
    let reached: Vec<f64> = sizes
        .iter()
        .map(|size| psnr(&["--bytes", size]).1)
        .collect();
    assert!(
        reached.windows(2).all(|pair| pair[0] <= pair[1]),
        "{reached:?}"
    );
    assert_eq!(reached.last(), Some(&f64::INFINITY));
}

#[test]
fn info_says_in_words_what_a_file_is() {
    let folder = folder(&[("a.inr", &INR)]);
    let output = inr(folder.path(), &["info", "a.inr"]);
    expect_code(&output, 0);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("a picture of 24 x 16 pixels, colour, 8 bits a sample"),
        "{text}"
    );
}

#[test]
fn memory_is_shared_or_refused() {
    let photo = fixture("chelsea.png");
    let folder = folder(&[("a.png", &photo), ("b.png", &photo), ("c.png", &photo)]);
    let output = inr(folder.path(), &["encode", "a.png", "--memory", "1M"]);
    expect_code(&output, 1);
    assert!(stderr(&output).contains("allow more memory"));
    let output = inr(folder.path(), &["encode", "a.png", "--memory", "53M"]);
    expect_code(&output, 1);
    assert!(stderr(&output).contains("encoding it takes about 54 MB of memory"));
    // Room for one after the other.
    let together = "encode a.png b.png c.png --jobs 3 --memory 56M";
    let arguments: Vec<&str> = together.split(' ').collect();
    expect_code(&inr(folder.path(), &arguments), 0);
    assert!(
        ["a.inr", "b.inr", "c.inr"]
            .iter()
            .all(|name| names(&folder).contains(&(*name).into()))
    );
}
