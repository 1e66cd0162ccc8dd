//! Enlarges a picture, without encoding it first: `cargo run --release --example upscale`.

use inr::upscale::{Blur, Degradation};
use inr::{Picture, UpscaleOptions};

fn main() -> Result<(), inr::Error> {
    let small = Picture::open("fixtures/camera-64.png")?;
    let options = UpscaleOptions::default()
        .scale(3.0)
        .degradation(Degradation::from(Blur::Area));
    let enlarged = inr::upscale(&small, &options, &mut ())?;
    println!("{}: {}", enlarged.method, enlarged.why);
    enlarged.picture.save("target/camera-192.png")?;
    Ok(())
}
