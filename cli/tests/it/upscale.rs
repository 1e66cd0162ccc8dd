//! `inr upscale` and `inr bench sr`.

use super::*;
use inr::read_picture;

#[test]
fn upscale_names_its_output_and_says_what_it_took() {
    let folder = folder(&[("a.png", &PNG)]);
    let output = inr(folder.path(), &["upscale", "a.png", "--effort", "1"]);
    expect_code(&output, 0);
    let picture = read_picture(&read(&folder, "a.x2.png"), &Limits::default()).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (2 * WIDTH, 2 * HEIGHT));
    let told = stderr(&output);
    assert!(
        told.contains("method ") && told.contains("degradation "),
        "{told}"
    );
    // The second run would overwrite it.
    expect_code(&inr(folder.path(), &["upscale", "a.png"]), 1);
    let arguments = [
        "upscale",
        "a.png",
        "--scale",
        "1.5",
        "--degradation",
        "area",
        "--json",
    ];
    let output = inr(folder.path(), &arguments);
    expect_code(&output, 0);
    let line = &json_lines(&output)[0];
    assert_eq!(line["width"], 36);
    assert_eq!(line["degradation"], "area");
}

/// As the picture that the file decodes to.
#[test]
fn upscale_takes_inr_files() {
    let folder = folder(&[("a.inr", &INR)]);
    expect_code(&inr(folder.path(), &["decode", "a.inr"]), 0);
    for (input, output) in [("a.inr", "b.png"), ("a.png", "c.png")] {
        let arguments = ["upscale", input, "-o", output];
        expect_code(&inr(folder.path(), &arguments), 0);
    }
    let [b, c] = ["b.png", "c.png"].map(|name| {
        let picture = read_picture(&read(&folder, name), &Limits::default());
        picture.expect("a picture").to_f32()
    });
    assert_eq!(b, c);
}

/// What the format cannot hold is refused before the work.
#[test]
fn sides_that_webp_cannot_hold_are_refused_first() {
    let folder = folder(&[("a.png", &PNG), ("a.inr", &INR)]);
    let strip = [&b"P5 300 1 255\n"[..], &[9; 300]].concat();
    std::fs::write(folder.path().join("strip.pgm"), strip).expect("it can be written");
    let wide = ["a.inr", "--size", "20000x30", "-o", "c.webp"];
    for arguments in [
        &["upscale", "strip.pgm", "--scale", "64", "-o", "b.webp"][..],
        &[&["decode"][..], &wide].concat(),
    ] {
        let output = inr(folder.path(), arguments);
        expect_code(&output, 1);
        assert!(stderr(&output).contains("16383"), "{}", stderr(&output));
        assert!(!folder.path().join("b.webp").exists());
    }
    let arguments = ["upscale", "a.png", "-o", "d.png", "--depth", "16"];
    expect_code(&inr(folder.path(), &arguments), 0);
    let deep = read_picture(&read(&folder, "d.png"), &Limits::default());
    assert_eq!(deep.expect("a picture").depth(), inr::Depth::U16);
}

#[test]
fn upscale_takes_a_point_spread_function_and_streams() {
    let folder = folder(&[("psf.png", &PNG)]);
    let arguments = [
        "upscale",
        "-",
        "--degradation",
        "psf:psf.png",
        "--effort",
        "1",
    ];
    let output = inr_with_input(folder.path(), &arguments, &PNG);
    expect_code(&output, 0);
    let picture = read_picture(&output.stdout, &Limits::default()).expect("a picture");
    assert_eq!(picture.width(), 2 * WIDTH);
}

#[test]
fn upscale_refuses_what_it_cannot_do() {
    let folder = folder(&[("a.png", &PNG)]);
    for (arguments, wanted, part) in [
        (&["a.png", "--scale", "0.5"][..], 2, "scale"),
        (&["a.png", "--degradation", "gaussian:0"][..], 2, "gaussian"),
        (&["a.png", "--method", "magic"][..], 2, "magic"),
        (
            &["a.png", "--degradation", "psf:none.png"][..],
            1,
            "none.png",
        ),
    ] {
        let output = inr(folder.path(), &[&["upscale"], arguments].concat());
        expect_code(&output, wanted);
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert!(!folder.path().join("a.x2.png").exists());
}

#[test]
fn bench_sr_compares_methods_and_a_program() {
    let folder = bench::data();
    let program = env!("CARGO_BIN_EXE_inr");
    let external =
        format!("other={program} upscale {{in}} -o {{out}} --scale {{scale}} --method nearest");
    let arguments = [
        "bench",
        "sr",
        "--data",
        "data",
        "--out",
        "out",
        "--scales",
        "2",
        "--effort",
        "1",
        "--methods",
        "nearest,bicubic,inr",
        "--external",
        &external,
    ];
    let output = inr(folder.path(), &arguments);
    expect_code(&output, 0);
    let (headings, means) = bench::table(&folder, "out/means.csv");
    let psnr = headings
        .iter()
        .position(|name| name == "psnr_y")
        .expect("a column");
    let of = |method: &str| -> f64 {
        let line = means.iter().find(|line| line[1] == method).expect("a line");
        line[psnr].parse().expect("a number")
    };
    assert_eq!(of("nearest"), of("other"));
    assert!(of("inr") > of("bicubic") && of("bicubic") > of("nearest"));
    let (_, all) = bench::table(&folder, "out/results.csv");
    assert_eq!(all.len(), 2 * 4);
    let html = String::from_utf8(read(&folder, "out/report.html")).expect("text");
    assert!(html.contains("data:image/png;base64,"));
    assert!(folder.path().join("out/crops-x2.png").exists());
    let bad = ["bench", "sr", "--data", "data", "--external", "true {in}"];
    let output = inr(folder.path(), &bad);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("{out}"), "{}", stderr(&output));
}
