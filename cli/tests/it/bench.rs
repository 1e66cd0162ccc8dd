//! What the benchmarks promise.

use super::*;

#[test]
fn bench_times_every_engine_asked_for() {
    let folder = folder(&[]);
    let small = [
        "--widths",
        "16",
        "--pixels",
        "512",
        "--runs",
        "1",
        "--threads",
        "1",
    ];
    let arguments = [
        &["bench", "engine", "--engines", "scalar", "--json"],
        &small[..],
    ]
    .concat();
    let output = inr(folder.path(), &arguments);
    expect_code(&output, 0);
    let figures = json_lines(&output);
    for task in ["train", "render"] {
        let figure = figures.iter().find(|figure| figure["task"] == task);
        let figure = figure.expect("the task is timed");
        assert_eq!(figure["engine"], "scalar");
        assert!(figure["nanoseconds_per_pixel"].as_f64().expect("a number") > 0.0);
    }
    let output = inr(folder.path(), &["bench", "engine", "--engines", "abacus"]);
    expect_code(&output, 2);
    assert!(stderr(&output).contains("abacus"), "{}", stderr(&output));
}

/// A folder `data` with fixtures that are coded quickly.
pub fn data() -> TempDir {
    let folder = folder(&[]);
    fs::create_dir(folder.path().join("data")).expect("a folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    for name in ["camera-64.png", "astronaut-96.png"] {
        let to = folder.path().join("data").join(name);
        fs::copy(fixtures.join(name), to).expect("a fixture");
    }
    folder
}

fn rd(folder: &TempDir, arguments: &[&str]) -> Output {
    let all = [
        &["bench", "rd", "--data", "data", "--out", "out"],
        arguments,
    ]
    .concat();
    inr(folder.path(), &all)
}

/// A CSV file of plain fields: its headings, and its lines.
pub fn table(folder: &TempDir, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let text = String::from_utf8(read(folder, name)).expect("text");
    let fields = |line: &str| line.split(',').map(str::to_owned).collect();
    let mut lines = text.lines().map(fields);
    (lines.next().expect("headings"), lines.collect())
}

#[track_caller]
fn number(field: &str) -> f64 {
    field.parse().unwrap_or_else(|_| panic!("{field:?}"))
}

/// True when the programs of a codec are there, which is for the machine to decide.
fn installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there =
        |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    programs.iter().all(there)
}

#[test]
fn bench_rd_measures_every_picture_at_every_quality() {
    let folder = data();
    let arguments = [
        "--codecs",
        "siren,relu",
        "--quick",
        "--metrics",
        "ssim,msssim",
    ];
    let output = rd(&folder, &arguments);
    expect_code(&output, 0);
    assert!(stdout(&output).contains("siren"), "{}", stdout(&output));
    let (headings, lines) = table(&folder, "out/results.csv");
    assert_eq!(
        headings[..6],
        ["codec", "picture", "quality", "bytes", "bpp", "psnr"]
    );
    assert_eq!(lines.len(), 2 * 2 * 5);
    let astronaut = lines.iter().find(|line| line[1] == "astronaut-96.png");
    let astronaut = astronaut.expect("a line");
    let bits = number(&astronaut[3]) * 8.0;
    assert!((number(&astronaut[4]) - bits / (96.0 * 96.0)).abs() < 1e-5);
    assert!(number(&astronaut[5]) > 10.0 && number(&astronaut[6]) > 0.0);
    assert_eq!(astronaut[7], "", "the picture is too small for MS-SSIM");
    assert_eq!(astronaut[8], "", "SSIMULACRA2 was not asked for");
    let (_, means) = table(&folder, "out/means.csv");
    assert_eq!(means.len(), 2 * 5);
    let at_first: Vec<f64> = lines
        .iter()
        .filter(|line| line[0] == "siren" && line[2] == "5")
        .map(|line| number(&line[4]))
        .collect();
    assert!((number(&means[0][4]) - (at_first[0] + at_first[1]) / 2.0).abs() < 1e-5);
    let svg = String::from_utf8(read(&folder, "out/rd.svg")).expect("text");
    let html = String::from_utf8(read(&folder, "out/report.html")).expect("text");
    assert!(svg.starts_with("<svg") && svg.contains(">relu</text>"));
    assert!(html.contains(">relu</text>") && !html.contains("src="));
}

#[test]
fn bench_rd_goes_on_where_it_was_unless_forced() {
    let folder = data();
    let arguments = ["--codecs", "relu", "--quick", "--metrics", "psnr"];
    expect_code(&rd(&folder, &arguments), 0);
    let cache = "out/cache-quick/camera-64.png.relu.csv";
    let text = String::from_utf8(read(&folder, cache)).expect("text");
    // Cut in the last line, as a full disk would.
    let cut = &text[..text.trim_end().rfind(',').expect("fields")];
    fs::write(folder.path().join(cache), cut).expect("a file is written");
    let before = read(&folder, "out/cache-quick/astronaut-96.png.relu.csv");
    let output = rd(&folder, &arguments);
    expect_code(&output, 0);
    assert!(stderr(&output).contains("9 files"), "{}", stderr(&output));
    let after = read(&folder, "out/cache-quick/astronaut-96.png.relu.csv");
    assert_eq!(before, after, "its seconds as well");
    let output = rd(&folder, &[&arguments[..], &["--force"]].concat());
    expect_code(&output, 0);
    assert!(
        !stderr(&output).contains("earlier run"),
        "{}",
        stderr(&output)
    );
    let output = rd(
        &folder,
        &["--codecs", "relu", "--quick", "--metrics", "ssim"],
    );
    expect_code(&output, 0);
    assert!(
        !stderr(&output).contains("earlier run"),
        "a metric is missing"
    );
}

#[test]
fn bench_rd_draws_published_curves() {
    let folder = data();
    let published = "codec,source,bpp,psnr_rgb_db\nA & B,somewhere,0.5,30\nA & B,somewhere,1,33\n";
    let file = folder.path().join("published.csv");
    fs::write(&file, published).expect("a file is written");
    let arguments = [
        "--codecs",
        "relu",
        "--quick",
        "--published",
        "published.csv",
    ];
    expect_code(&rd(&folder, &arguments), 0);
    let svg = String::from_utf8(read(&folder, "out/rd.svg")).expect("text");
    assert!(svg.contains("A &amp; B"));
    fs::write(&file, "codec,bpp\n").expect("a file is written");
    let output = rd(&folder, &arguments);
    expect_code(&output, 2);
    assert!(
        stderr(&output).contains("psnr_rgb_db"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn bench_rd_says_what_is_wrong_with_its_arguments() {
    let folder = data();
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    for (arguments, wanted, word) in [
        (&["--data", "empty"][..], 2, "no picture in empty"),
        (&["--data", "nowhere"], 2, "--data"),
        (&["--data", "data", "--codecs", "gif"], 2, "use avif-iq, "),
        (&["--data", "data", "--codecs", "relu,relu"], 2, "twice"),
        (&["--data", "data", "--codecs", "relu:3"], 2, "no efforts"),
        (
            &["--data", "data", "--qualities", "5,50,50,95"],
            2,
            "at least 4",
        ),
        (&["--data", "data", "--qualities", "5,50,80,101"], 2, "101"),
        (&["--data", "data", "--metrics", "beauty"], 2, "beauty"),
        (
            &["--data", "data", "--published", "none.csv"],
            1,
            "none.csv",
        ),
        (&[], 2, "--data"),
    ] {
        let codecs = if arguments.contains(&"--codecs") {
            &[][..]
        } else {
            &["--codecs", "relu"]
        };
        let all = [&["bench", "rd"], arguments, codecs].concat();
        let output = inr(folder.path(), &all);
        expect_code(&output, wanted);
        let text = stderr(&output);
        assert!(text.contains(word), "{arguments:?}: {text}");
    }
    assert_eq!(names(&folder), ["data", "empty"]);
}

#[test]
fn bench_rd_refuses_alpha_and_names_the_picture() {
    let folder = data();
    let samples = Samples::U8(vec![100; 4 * 9]);
    let picture = Picture::new(3, 3, Layout::Rgba, samples, Metadata::default());
    let picture = picture.expect("the samples fit the shape");
    let file = inr::write_picture(&picture, FileFormat::Png, None).expect("PNG holds it");
    fs::write(folder.path().join("data/alpha.png"), file.bytes).expect("a file is written");
    let output = rd(&folder, &["--codecs", "relu", "--quick"]);
    expect_code(&output, 1);
    let text = stderr(&output);
    assert!(
        text.contains("alpha.png") && text.contains("help:  "),
        "{text}"
    );
}

#[test]
fn bench_rd_names_the_package_of_a_program_that_is_absent() {
    let folder = data();
    for (codec, package) in [
        ("avif-iq", "scripts/bench-rd"),
        ("avif-psnr", "scripts/bench-rd"),
        ("libjxl", "scripts/bench-rd"),
        ("jpeg", "libjpeg-turbo-progs"),
        ("mozjpeg", "/opt/mozjpeg/bin/cjpeg"),
        ("webp", "webp"),
        ("avif", "libavif-bin"),
        ("avif-slow", "libavif-bin"),
        ("jxl", "libjxl-tools"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
        command.current_dir(folder.path()).env("PATH", "");
        command.args(["bench", "rd", "--data", "data", "--codecs", codec]);
        let output = command.output().expect("the program starts");
        if codec == "mozjpeg" && Path::new("/opt/mozjpeg/bin/cjpeg").is_file() {
            continue;
        }
        expect_code(&output, 1);
        let text = stderr(&output);
        assert!(
            text.contains(codec) && text.contains("help:  ") && text.contains(package),
            "{text}"
        );
    }
    assert_eq!(names(&folder), ["data"]);
}

/// With every rival that is installed; the test above covers those that are not.
#[test]
fn bench_rd_measures_the_rivals_that_are_there() {
    let rivals = [
        ("jpeg", ["cjpeg", "djpeg"]),
        ("webp", ["cwebp", "dwebp"]),
        ("avif", ["avifenc", "avifdec"]),
        ("jxl", ["cjxl", "djxl"]),
    ];
    for (codec, programs) in rivals {
        if !installed(&programs) {
            eprintln!("{codec} is not installed and not tested");
            continue;
        }
        let folder = data();
        let codecs = format!("{codec},relu");
        let output = rd(
            &folder,
            &["--codecs", &codecs, "--qualities", "30,60,75,90", "--quick"],
        );
        expect_code(&output, 0);
        let (_, means) = table(&folder, "out/means.csv");
        let mut ours = means.iter().filter(|line| line[0] == codec);
        let (first, last) = (
            ours.next().expect("a line"),
            ours.next_back().expect("a line"),
        );
        assert!(
            number(&first[4]) < number(&last[4]),
            "{codec}: rates rise with quality"
        );
        assert!(
            number(&first[5]) < number(&last[5]) && number(&last[5]) > 30.0,
            "{codec}"
        );
        let (_, rates) = table(&folder, "out/bd.csv");
        // The pictures are too small for MS-SSIM.
        let wanted = ["psnr", "ssim", "ssimulacra2"].map(|metric| ["relu", codec, metric]);
        let rated: Vec<_> = rates.iter().map(|line| &line[..3]).collect();
        assert_eq!(rated, wanted);
    }
}
