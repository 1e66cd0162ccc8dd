//! Filters of plug-ins through the program.

use super::*;
use inr::{Depth, InrPicture};
use inr_plugin_api::host::{Options, Pixmap, Plugin};
use inr_plugin_api::{Format, Region, Sample};
use std::path::PathBuf;

/// The plug-in that cargo builds with these tests.
fn plugin() -> PathBuf {
    let here = std::env::current_exe().expect("a path");
    let file = here.with_file_name("libinr_plugin.so");
    assert!(file.is_file(), "{} is missing", file.display());
    file
}

fn filter(folder: &TempDir, arguments: &[&str]) -> Output {
    let plugin = plugin();
    let plugin = plugin.to_str().expect("UTF-8");
    inr(
        folder.path(),
        &[&["filter", "--plugin", plugin], arguments].concat(),
    )
}

/// A picture of waves in any layout and depth, with metadata.
fn waves(layout: Layout, depth: Depth) -> Picture {
    let channels = layout.channels();
    let samples = (0..48 * 32 * channels).map(|i| {
        let (x, y, c) = (i / channels % 48, i / channels / 48, i % channels);
        0.5 + 0.4 * ((x as f32 * 0.3 + c as f32).sin() * (y as f32 * 0.2).cos())
    });
    let samples: Vec<f32> = samples.collect();
    let metadata = Metadata {
        icc: Some(b"a profile, which nobody reads".repeat(8)),
        ..Metadata::default()
    };
    Picture::from_f32(48, 32, layout, depth, &samples, metadata).expect("the samples fit")
}

fn png(picture: &Picture) -> Vec<u8> {
    let written = inr::write_picture(picture, FileFormat::Png, None);
    written.expect("PNG holds it").bytes
}

fn picture(folder: &TempDir, name: &str) -> Picture {
    inr::read_picture(&read(folder, name), &Limits::default()).expect("a picture")
}

#[test]
fn filters_are_listed_for_people_and_for_programs() {
    let folder = folder(&[]);
    let listed = filter(&folder, &["--list"]);
    expect_code(&listed, 0);
    assert!(stdout(&listed).contains("--param radius="));
    let listed = filter(&folder, &["--list", "--json"]);
    expect_code(&listed, 0);
    let object = &json_lines(&listed)[0];
    let filters = object["filters"].as_array().expect("an array");
    let keys: Vec<&str> = filters.iter().filter_map(|f| f["key"].as_str()).collect();
    let expected = [
        "upscale",
        "sharpen",
        "smooth",
        "gradient",
        "laplacian",
        "edge-boost",
        "flatten-light",
        "seamless-paste",
        "denoise",
    ];
    assert_eq!(keys, expected);
    let amount = &filters[1]["params"][0];
    assert_eq!(amount["type"], "double");
    assert_eq!(amount["default"], 1.0);
    assert_eq!(filters[7]["inputs"].as_array().map(Vec::len), Some(3));
    assert_eq!(object["encode"][0]["key"], "quality");
}

#[test]
fn alpha_depth_and_profile_are_kept() {
    for depth in [Depth::U8, Depth::U16] {
        for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
            let source = waves(layout, depth);
            let folder = folder(&[("a.png", &png(&source))]);
            for name in ["sharpen", "laplacian", "denoise", "upscale"] {
                let output = filter(&folder, &[name, "a.png", "b.png", "-f"]);
                expect_code(&output, 0);
                let made = picture(&folder, "b.png");
                assert_eq!((made.layout(), made.depth()), (layout, depth), "{name}");
                assert_eq!(made.metadata().icc, source.metadata().icc, "{name}");
                if layout.has_alpha() && name != "upscale" {
                    let alpha = |picture: &Picture| -> Vec<f32> {
                        let channels = layout.channels();
                        let samples = picture.to_f32();
                        samples
                            .chunks_exact(channels)
                            .map(|p| p[channels - 1])
                            .collect()
                    };
                    assert_eq!(alpha(&made), alpha(&source), "{name}");
                }
            }
        }
    }
}

#[test]
fn parameters_reach_the_filter() {
    let source = waves(Layout::Rgb, Depth::U16);
    let folder = folder(&[("a.png", &png(&source))]);
    let output = filter(&folder, &["sharpen", "a.png", "b.png", "-p", "amount=0"]);
    expect_code(&output, 0);
    assert_eq!(picture(&folder, "b.png").samples(), source.samples());
    let arguments = ["upscale", "a.png", "c.png", "-p", "width=100"];
    expect_code(&filter(&folder, &arguments), 0);
    assert_eq!(size_of(&folder, "c.png"), (100, 67));
    let arguments = ["gradient", "a.png", "d.png", "-p", "show=magnitude"];
    let output = filter(&folder, &[&arguments[..], &["--json"]].concat());
    expect_code(&output, 0);
    assert_eq!(json_lines(&output)[0]["filter"], "gradient");
    let made = picture(&folder, "d.png");
    assert_eq!(made.layout(), Layout::Grey);
    assert_eq!(
        made.metadata().icc,
        None,
        "a profile of colours is not grey's"
    );
}

/// The filter is the command, whatever the samples.
#[test]
fn upscale_gives_what_inr_upscale_gives() {
    let cases: [(Layout, Depth, &[&str], &[&str]); 5] = [
        (Layout::Rgb, Depth::U8, &[], &[]),
        (
            Layout::Rgba,
            Depth::U8,
            &["--scale", "1.7"],
            &["-p", "scale=1.7"],
        ),
        (
            Layout::Grey,
            Depth::U16,
            &["--scale", "3"],
            &["-p", "width=144"],
        ),
        (
            Layout::GreyAlpha,
            Depth::U16,
            &["--effort", "1", "--degradation", "area"],
            &["-p", "effort=1", "-p", "degradation=area"],
        ),
        (
            Layout::Rgb,
            Depth::U16,
            &["--degradation", "gaussian:0.8"],
            &["-p", "degradation=gaussian", "-p", "blur=0.8"],
        ),
    ];
    for (layout, depth, options, params) in cases {
        let folder = folder(&[("a.png", &png(&waves(layout, depth)))]);
        let command = ["upscale", "a.png", "-o", "b.png"];
        expect_code(&inr(folder.path(), &[&command[..], options].concat()), 0);
        let filtered = filter(
            &folder,
            &[&["upscale", "a.png", "c.png"][..], params].concat(),
        );
        expect_code(&filtered, 0);
        let [wanted, found] = ["b.png", "c.png"].map(|name| picture(&folder, name));
        assert!(
            found.samples() == wanted.samples(),
            "{layout:?} {options:?}"
        );
        assert!(
            stderr(&filtered).contains("method "),
            "{}",
            stderr(&filtered)
        );
    }
}

/// What has no gradient takes the shape of what is around it: a plane stays a plane.
#[test]
fn a_flat_source_vanishes_in_a_plane() {
    let ramp: Vec<f32> = (0..40 * 30)
        .map(|i| 0.1 + 0.015 * (i % 40) as f32 + 0.008 * (i / 40) as f32)
        .collect();
    let plane = Picture::from_f32(40, 30, Layout::Grey, Depth::U16, &ramp, Metadata::default());
    let plane = plane.expect("the samples fit");
    let flat = Picture::new(
        9,
        7,
        Layout::Grey,
        Samples::U8(vec![200; 63]),
        Metadata::default(),
    );
    let files = [
        ("a.png", png(&plane)),
        ("s.png", png(&flat.expect("the samples fit"))),
    ];
    let folder = folder(&[(files[0].0, &files[0].1), (files[1].0, &files[1].1)]);
    let arguments = ["seamless-paste", "a.png", "b.png", "-i", "source=s.png"];
    let place = ["-p", "left=12", "-p", "top=9"];
    expect_code(&filter(&folder, &[&arguments[..], &place].concat()), 0);
    let made = picture(&folder, "b.png").to_f32();
    let largest = made
        .iter()
        .zip(&ramp)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(largest < 3.0 / 65_535.0, "{largest}");
}

#[test]
fn mistakes_are_named() {
    let png = png(&waves(Layout::Rgb, Depth::U8));
    let folder = folder(&[("a.png", &png), ("b.png", &png), ("text.so", b"no library")]);
    let cases: [(&[&str], i32, &str); 8] = [
        (
            &["blur", "a.png", "c.png"],
            2,
            "no filter blur; it has upscale, sharpen",
        ),
        (
            &["smooth", "a.png", "c.png", "-p", "amount=2"],
            2,
            "give a number from 0 to 1",
        ),
        (
            &["smooth", "a.png", "c.png", "-p", "size=2"],
            2,
            "no parameter size",
        ),
        (&["smooth", "a.png", "c.png", "-p", "size"], 2, "KEY=VALUE"),
        (&["smooth", "a.png", "b.png"], 1, "exists already"),
        (&["smooth", "a.png", "c.xyz"], 2, "extension"),
        (&["smooth", "none.png", "c.png"], 1, "cannot read none.png"),
        (
            &["seamless-paste", "a.png", "c.png"],
            2,
            "input source is missing",
        ),
    ];
    for (arguments, wanted, part) in cases {
        let output = filter(&folder, arguments);
        expect_code(&output, wanted);
        assert!(
            stderr(&output).contains(part),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    for (plugin, part) in [
        ("text.so", "cannot be loaded"),
        ("no-such-plugin", "INR_PLUGIN_PATH"),
    ] {
        let arguments = ["filter", "--plugin", plugin, "smooth", "a.png", "c.png"];
        let output = inr(folder.path(), &arguments);
        expect_code(&output, 1);
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert_eq!(names(&folder), ["a.png", "b.png", "text.so"]);
}

#[test]
fn a_plug_in_in_c_is_found_by_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-api");
    let folder = folder(&[("a.png", &png(&waves(Layout::Grey, Depth::U8)))]);
    let compiled = Command::new("cc")
        .args(["-std=c11", "-shared", "-fPIC", "-I"])
        .arg(root.join("include"))
        .arg(root.join("tests/programs/threshold.c"))
        .arg("-o")
        .arg(folder.path().join("libthreshold.so"))
        .status();
    assert!(compiled.expect("a C compiler").success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_inr"));
    command.current_dir(folder.path());
    command.env("INR_PLUGIN_PATH", folder.path());
    command.args([
        "filter",
        "--plugin",
        "threshold",
        "threshold",
        "a.png",
        "b.png",
    ]);
    expect_code(&command.output().expect("the program starts"), 0);
    let made = picture(&folder, "b.png");
    assert!(made.to_f32().iter().all(|value| [0.0, 1.0].contains(value)));
}

/// What the program decodes is what hosts get, at any size, region and depth; of a network and of a pyramid.
#[test]
fn the_program_and_the_abi_render_the_same_pixels() {
    same_pixels("../fixtures/golden/chelsea.inr", "network");
    same_pixels("../fixtures/latents/astronaut-96.inr", "pyramid");
}

fn same_pixels(file: &str, model: &str) {
    let file = fs::read(file).expect("a fixture");
    let folder = folder(&[("a.inr", &file)]);
    let plugin = Plugin::load(&plugin()).expect("a plug-in");
    let mut session = plugin.open(&Options::default()).expect("a session");
    let mut codec = session.codec().expect("a codec");
    let mut opened = codec.open(&file).expect("a picture");
    let info = opened.info().expect("its info");
    let native = InrPicture::open(&file, &Limits::default()).expect("a picture");
    assert_eq!(info.size, [native.width(), native.height()]);
    assert_eq!(info.model, model);
    assert_eq!(info.icc, native.metadata().icc);
    let scaled = |scale: f64| {
        info.size
            .map(|side| (f64::from(side) * scale).round() as u32)
    };
    let width = [
        100,
        (100.0 / f64::from(info.size[0]) * f64::from(info.size[1])).round() as u32,
    ];
    let region = Region {
        origin: [20.5, 30.0],
        step: [64.0 / 320.0, 48.0 / 240.0],
        size: [320, 240],
    };
    let zoomed = ["--region", "20.5,30,64,48", "--scale", "5"];
    let cases: [(&[&str], [u32; 2], Option<&Region>); 4] = [
        (&[], info.size, None),
        (&["--scale", "2.5"], scaled(2.5), None),
        (&["--width", "100"], width, None),
        (&zoomed, [320, 240], Some(&region)),
    ];
    for (arguments, size, region) in cases {
        for (depth, sample) in [("8", Sample::U8), ("16", Sample::U16)] {
            let decode = ["decode", "a.inr", "-f", "-o", "b.png", "--depth", depth];
            expect_code(&inr(folder.path(), &[&decode[..], arguments].concat()), 0);
            let shown = picture(&folder, "b.png");
            assert_eq!([shown.width(), shown.height()], size);
            let mut output = Pixmap::new(size, Format::plain(sample, info.format.layout));
            let rendered = opened.render(region, 0, 0.0, &mut output, None);
            rendered.expect("a render");
            let bytes: Vec<u8> = match shown.samples() {
                Samples::U8(samples) => samples.clone(),
                Samples::U16(samples) => samples.iter().flat_map(|v| v.to_ne_bytes()).collect(),
                Samples::F32(_) => panic!("PNG has no floats"),
            };
            assert!(output.data == bytes, "{arguments:?} {depth}: other pixels");
        }
    }
}
