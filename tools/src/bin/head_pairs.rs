//! Writes training data for the sine head: `head_pairs OUT QUALITIES PICTURE...` writes one file of exact and decoded
//! coefficients for each picture and quality. `tools/head/train.py` then trains the head.

use std::path::Path;

use inr::{EncodeOptions, Limits, Target};
use inr_formats::InrFile;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const USAGE: &str = "give a folder, qualities such as 8,45,82, and pictures";
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or(USAGE)?;
    let qualities = arguments.next().ok_or(USAGE)?;
    let limits = Limits::default();
    for path in arguments {
        let picture = inr::read_picture(&std::fs::read(&path)?, &limits)?;
        let stem = Path::new(&path).file_stem().ok_or(USAGE)?;
        for quality in qualities.split(',') {
            let options = EncodeOptions::default().target(Target::Quality(quality.parse()?));
            let encoded = inr::encode(&picture, &options, &mut ())?;
            let file = InrFile::read(&encoded.bytes, &limits)?;
            let latents = file.latents.ok_or("a file without latents")?;
            let name = format!("{}-{quality}.pairs", stem.display());
            let pairs = inr::encode::coefficient_pairs(&picture, &latents)?;
            std::fs::write(Path::new(&folder).join(name), pairs)?;
        }
    }
    Ok(())
}
