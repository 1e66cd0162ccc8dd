//! Encodes a picture and renders its middle at eight times the size: `cargo run --release --example enlarge`.

use inr::{EncodeOptions, InrPicture, Limits, OutputSize, Picture, Region, RenderOptions};

fn main() -> Result<(), inr::Error> {
    let photo = Picture::open("fixtures/camera-64.png")?;
    let encoded = inr::encode(&photo, &EncodeOptions::default(), &mut ())?;
    let psnr = encoded.report.psnr;
    println!("{psnr:.2} dB in {} bytes", encoded.bytes.len());

    let field = InrPicture::open(&encoded.bytes, &Limits::default())?;
    let options = RenderOptions::default()
        .size(OutputSize::Scale(8.0))
        .region(Region::new(16.0, 16.0, 32.0, 32.0));
    let middle = field.render(&options, &mut ())?.picture;
    middle.save("target/middle.png")?;
    Ok(())
}
