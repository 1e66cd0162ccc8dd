//! Encodes a picture in at most 4,000 bytes and measures the loss: `cargo run --release --example compress`.

use inr::{EncodeOptions, InrPicture, Limits, Picture, Raster, RenderOptions, Target, metrics};

fn main() -> Result<(), inr::Error> {
    let photo = Picture::open("fixtures/chelsea.png")?;
    let options = EncodeOptions::default().target(Target::Bytes(4_000));
    let encoded = inr::encode(&photo, &options, &mut ())?;
    std::fs::write("target/chelsea.inr", &encoded.bytes)?;

    let field = InrPicture::open(&encoded.bytes, &Limits::default())?;
    let decoded = field.render(&RenderOptions::default(), &mut ())?.picture;
    let (before, after) = (photo.to_f32(), decoded.to_f32());
    let found = metrics::compare(Raster::of(&photo, &before), Raster::of(&decoded, &after))?;
    println!("{} bytes: {found:#?}", encoded.bytes.len());
    Ok(())
}
