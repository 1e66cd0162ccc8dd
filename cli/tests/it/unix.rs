//! Permissions, links and signals.

use super::*;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

#[test]
fn devices_are_written_to_and_stay() {
    let folder = folder(&[("a.inr", &INR)]);
    let arguments = [
        "decode",
        "a.inr",
        "-o",
        "/dev/null",
        "--format",
        "png",
        "-f",
    ];
    expect_code(&inr(folder.path(), &arguments), 0);
    let kind = fs::metadata("/dev/null").expect("it is there").file_type();
    assert!(kind.is_char_device());
}

#[test]
fn outputs_are_as_readable_as_other_new_files() {
    let folder = folder(&[("a.inr", &INR)]);
    expect_code(&inr(folder.path(), &["decode", "a.inr"]), 0);
    let mode = |name: &str| {
        let data = fs::metadata(folder.path().join(name)).expect("a file");
        data.permissions().mode()
    };
    assert_eq!(mode("a.png"), mode("a.inr"));
}

#[test]
fn nothing_is_left_in_a_folder_that_cannot_take_the_output() {
    let folder = folder(&[("a.inr", &INR), ("file", b"not a folder")]);
    let output = inr(folder.path(), &["decode", "a.inr", "-o", "file/a.png"]);
    expect_code(&output, 1);
    assert!(stderr(&output).contains("cannot write file/a.png"));
    assert_eq!(names(&folder), ["a.inr", "file"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
    command.args(["completions", "bash"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    expect_code(&output, 0);
    assert_eq!(stderr(&output), "");
}

/// The first signal ends the fit: nothing is written, or with `--keep` what is there.
#[test]
fn an_interrupt_ends_the_fit() {
    for (keep, wanted, left) in [
        (None, 1, &["a.png"][..]),
        (Some("--keep"), 0, &["a.inr", "a.png"]),
    ] {
        let folder = folder(&[("a.png", &PNG)]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
        command.current_dir(folder.path());
        command.args([
            "encode", "a.png", "--hidden", "16,16", "--epochs", "1000000",
        ]);
        command.args(keep).stderr(Stdio::piped());
        let child = command.spawn().expect("the program starts");
        let output = signalled(child, "-INT", 0.3);
        expect_code(&output, wanted);
        assert_eq!(names(&folder), left);
    }
}
