//! Steepens the edges of a picture through its gradients: `cargo run --release --example sharpen`.

use inr::{Picture, Raster, default_threads, edit};

fn main() -> Result<(), inr::Error> {
    let photo = Picture::open("fixtures/chelsea.png")?;
    let samples = photo.to_f32();
    let raster = Raster::of(&photo, &samples);
    let (amount, threshold, radius) = (1.0, 0.05, 16.0);
    let sharp = edit::boost_edges(
        raster,
        amount,
        threshold,
        radius,
        default_threads(),
        &mut (),
    )?;
    photo.with_samples(&sharp)?.save("target/sharp.png")?;
    Ok(())
}
