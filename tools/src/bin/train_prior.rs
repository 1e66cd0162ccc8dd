//! Trains the coder's starting states on encoded pictures: `train_prior OUT.bin PICTURE.inr...`.

use inr_formats::{InrFile, Limits, latents};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let output = arguments
        .next()
        .ok_or("give an output file and .inr files")?;
    let mut pictures = Vec::new();
    for path in arguments {
        let file = InrFile::read(&std::fs::read(path)?, &Limits::default())?;
        pictures.extend(file.latents);
    }
    let (states, bits_per_pixel) = latents::train(&pictures)?;
    println!(
        "{} bytes; bits per pixel of each round: {bits_per_pixel:.4?}",
        states.len()
    );
    std::fs::write(output, states)?;
    Ok(())
}
