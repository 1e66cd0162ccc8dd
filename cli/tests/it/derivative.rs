//! `inr decode --derivative`.

use inr::decode::Derivative;
use inr::{Depth, Layout, Limits, read_picture};
use strum::VariantNames;

use super::*;

#[test]
fn every_derivative_is_written_in_16_bits_with_its_scale() {
    let folder = folder(&[("a.inr", &INR)]);
    for &name in Derivative::VARIANTS {
        let output = inr(
            folder.path(),
            &[
                "decode",
                "a.inr",
                "--derivative",
                name,
                "--scale",
                "2",
                "--json",
            ],
        );
        expect_code(&output, 0);
        let told: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(told["derivative"], name);
        assert!(told["range"].as_f64().expect("a number") > 0.0);
        let bytes = read(&folder, &format!("a.x2.{name}.png"));
        let picture = read_picture(&bytes, &Limits::default()).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (2 * WIDTH, 2 * HEIGHT));
        assert_eq!(picture.depth(), Depth::U16, "{name}");
        let grey = picture.layout() == Layout::Grey;
        assert_eq!(grey, name == "magnitude", "{name}");
        let xmp = picture.metadata().xmp.clone().expect("a description");
        let scale = told["scale"].as_str().expect("text");
        assert!(String::from_utf8(xmp).expect("text").contains(scale));
    }
}

#[test]
fn floats_hold_the_derivative_itself() {
    let folder = folder(&[("a.inr", &INR)]);
    for name in ["a.tiff", "a.exr"] {
        let output = inr(
            folder.path(),
            &["decode", "a.inr", "--derivative", "dx", "-o", name],
        );
        expect_code(&output, 0);
    }
    let opened = inr::InrPicture::open(&INR, &Limits::default()).expect("it opens");
    let jets = opened
        .jets(&inr::RenderOptions::default(), &mut ())
        .expect("jets");
    let exact = jets.plane(inr::decode::Component::Dx, 2);
    let tiff = read_picture(&read(&folder, "a.tiff"), &Limits::default()).expect("a picture");
    let exr = image::load_from_memory(&read(&folder, "a.exr")).expect("OpenEXR");
    for samples in [tiff.to_f32(), exr.into_rgb32f().into_raw()] {
        let blue: Vec<f32> = samples.iter().skip(2).step_by(3).copied().collect();
        assert_eq!(blue, exact);
    }
}

#[test]
fn a_range_goes_with_a_derivative_alone() {
    let folder = folder(&[("a.inr", &INR)]);
    let run = |arguments: &[&str]| inr(folder.path(), &[&["decode", "a.inr"], arguments].concat());
    expect_code(&run(&["--range", "0.1"]), 2);
    expect_code(&run(&["--derivative", "dz"]), 2);
    expect_code(&run(&["--derivative", "dx", "--range", "0"]), 2);
    expect_code(&run(&["--derivative", "dx", "--compare"]), 2);
    let output = run(&["--derivative", "dx", "--range", "0.5"]);
    expect_code(&output, 0);
    assert!(stderr(&output).contains("5.000000e-1 sample value per source pixel"));
}
