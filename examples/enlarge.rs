//! Encodes a picture and renders its middle at eight times the size: `cargo run --release --example enlarge`.

use inr::{EncodeOptions, FileFormat, InrPicture, Limits, OutputSize, Region, RenderOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::default();
    let picture = inr::read_picture(&std::fs::read("fixtures/camera-64.png")?, &limits)?;
    let encoded = inr::encode(&picture, &EncodeOptions::default(), &mut ())?;
    let psnr = encoded.report.psnr;
    println!("{psnr:.2} dB in {} bytes", encoded.bytes.len());

    let opened = InrPicture::open(&encoded.bytes, &limits)?;
    let middle = Region {
        x: 16.0,
        y: 16.0,
        width: 32.0,
        height: 32.0,
    };
    let rendered = opened.render(
        &RenderOptions {
            size: OutputSize::Scale(8.0),
            region: Some(middle),
            ..RenderOptions::default()
        },
        &mut (),
    )?;
    let file = inr::write_picture(&rendered.picture, FileFormat::Png, None)?;
    std::fs::write("target/middle.png", file.bytes)?;
    Ok(())
}
