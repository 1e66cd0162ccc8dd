//! Fits a SIREN with float weights for at most five seconds: `cargo run --release --example siren`.

use std::time::Duration;

use inr::encode::NetworkOptions;
use inr::{EncodeOptions, Picture};

fn main() -> Result<(), inr::Error> {
    let photo = Picture::open("fixtures/camera-64.png")?;
    let network = NetworkOptions::default().hidden(vec![64; 3]).float(true);
    let options = EncodeOptions::default()
        .model(network)
        .time_budget(Duration::from_secs(5));
    let encoded = inr::encode(&photo, &options, &mut ())?;
    println!("{:#?}", encoded.report);
    std::fs::write("target/siren.inr", &encoded.bytes)?;
    Ok(())
}
