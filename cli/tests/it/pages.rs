//! What documents the program.

use super::*;

#[test]
fn completions_and_manual_pages_are_printed() {
    let folder = folder(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = inr(folder.path(), &["completions", shell]);
        expect_code(&output, 0);
        assert!(stdout(&output).contains("decode"), "{shell}");
    }
    let output = inr(folder.path(), &["man"]);
    expect_code(&output, 0);
    assert!(stdout(&output).contains("inr\\-decode"));
    expect_code(&inr(folder.path(), &["man", "--out-dir", "pages"]), 0);
    assert!(folder.path().join("pages/inr-encode.1").is_file());
}

#[test]
fn help_tells_exit_codes_defaults_and_examples() {
    let folder = folder(&[]);
    let help = stdout(&inr(folder.path(), &["--help"]));
    for line in [
        "0  done",
        "1  failed",
        "2  bad arguments",
        "3  the input is not",
    ] {
        assert!(help.contains(line), "{line} in {help}");
    }
    for command in ["encode", "decode", "info", "compare"] {
        let output = inr(folder.path(), &[command, "--help"]);
        expect_code(&output, 0);
        assert!(stdout(&output).contains("Examples:"), "{command}");
        assert!(stdout(&output).contains("Exit codes:"), "{command}");
    }
    assert!(stdout(&inr(folder.path(), &["encode", "-h"])).contains("[default: 75]"));
}

#[test]
fn the_readme_has_the_example_word_for_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let [readme, example] = ["README.md", "examples/enlarge.rs"].map(|name| {
        let text = fs::read_to_string(root.join(name)).expect("a text");
        text.replace("\r\n", "\n")
    });
    assert!(readme.contains(&format!("```rust\n{example}```\n")));
}
