//! Differentiates a picture, exactly and at any point: `cargo run --release --example derivatives`.

use inr::decode::{Component, Derivative};
use inr::{EncodeOptions, InrPicture, Limits, OutputSize, Picture, RenderOptions};

fn main() -> Result<(), inr::Error> {
    let photo = Picture::open("fixtures/camera-64.png")?;
    let encoded = inr::encode(&photo, &EncodeOptions::default(), &mut ())?;
    let field = InrPicture::open(&encoded.bytes, &Limits::default())?;

    let jets = field.jets_at(&[[20.25, 31.5]])?;
    for component in [
        Component::Value,
        Component::Dx,
        Component::Dy,
        Component::Laplacian,
    ] {
        println!("{component:?}: {:?}", jets.plane(component, 0));
    }
    let options = RenderOptions::default().size(OutputSize::Scale(4.0));
    let edges = field.render_derivative(Derivative::Magnitude, None, &options, &mut ())?;
    println!("{}", edges.scale);
    edges.picture.save("target/edges.png")?;
    Ok(())
}
