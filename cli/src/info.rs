//! `inr info`.

use std::path::Path;

use anyhow::Result;
use inr::decode::Network;
use inr::formats::Model;
use inr::{Depth, Error, InrPicture, Limits};
use inr_formats::{ChunkInfo, inspect};
use serde_json::{Value, json};

use super::args::{InfoArgs, ReportArgs};
use super::failure::Outcome;
use super::output;
use crate::input;

/// Prints what each file holds; of a damaged one what is intact, and then the error.
pub fn run(args: &InfoArgs) -> Result<Outcome> {
    // A damaged file has its JSON object already, with the error in it.
    super::each(&args.inputs, "use", &ReportArgs::default(), 1, |input| {
        one(input, args.json)
    })
}

fn one(input: &Path, as_json: bool) -> Result<()> {
    let name = input::display_name(input);
    let limits = Limits::default();
    let bytes = input::read(input, limits.file_bytes)?;
    let (chunks, state) = inspect(&bytes, &limits);
    let opened = state
        .map_err(Error::from)
        .and_then(|()| InrPicture::open(&bytes, &limits));
    let text = if as_json {
        let description = opened.as_ref().ok().map(describe);
        let error = opened.as_ref().err().map(Error::to_string);
        let chunks: Vec<Value> = chunks.iter().map(chunk_json).collect();
        let object = json!({
            "input": name, "bytes": bytes.len(), "picture": description, "chunks": chunks, "error": error,
        });
        format!("{object}\n")
    } else {
        text(&name, bytes.len(), opened.as_ref().ok(), &chunks)
    };
    output::to_stdout(text.as_bytes())?;
    Ok(opened.map(drop)?)
}

fn chunk_json(chunk: &ChunkInfo) -> Value {
    json!({ "kind": chunk.kind.to_string(), "offset": chunk.offset, "length": chunk.length, "intact": chunk.intact })
}

fn describe(picture: &InrPicture) -> Value {
    let header = &picture.file().header;
    let provenance = picture.file().provenance.clone().unwrap_or_default();
    let length = |data: &Option<Vec<u8>>| data.as_ref().map(Vec::len);
    json!({
        "width": header.width,
        "height": header.height,
        "layout": header.layout.to_string(),
        "depth": header.depth.to_string(),
        "sampling": header.sampling.to_string(),
        "opacity_bytes": picture.file().opacity.as_ref().map(inr_formats::OpacityMap::bytes),
        "value_range": header.value_range,
        "cicp": header.cicp,
        "bits_per_pixel": picture.bytes() as f64 * 8.0 / header.pixels() as f64,
        "model": model(picture),
        "icc_bytes": length(&picture.file().icc),
        "exif_bytes": length(&picture.file().exif),
        "xmp_bytes": length(&picture.file().xmp),
        "preview_bytes": length(&picture.file().preview),
        "provenance": {
            "encoder": provenance.encoder, "recipe": provenance.recipe, "seed": provenance.seed, "psnr": provenance.psnr,
            "epochs": provenance.epochs, "device": provenance.device,
        },
    })
}

fn model(picture: &InrPicture) -> Value {
    let file = picture.file();
    match (&file.header.model, &file.latents) {
        (Model::Mlp(mlp), _) => json!({
            "kind": "network",
            "activation": mlp.activation.to_string(),
            "frequencies": mlp.frequencies,
            "hidden": mlp.hidden,
            "omega0": mlp.omega_first,
            "omega0_hidden": mlp.omega_hidden,
            "parameters": mlp.parameters(file.header.layout.channels()),
            "multiply_adds_per_sample": picture.network().map(Network::multiply_adds),
        }),
        (_, Some(latents)) => json!({
            "kind": "pyramid",
            "levels": latents.partition.levels,
            "tile": latents.partition.tile,
            "step": latents.step,
            "segments": latents.segments.len(),
            "masking": latents.masking,
            "head": !latents.gains.is_empty(),
            "fitted_weights": latents.fitted.iter().map(Vec::len).sum::<usize>(),
            "grain": latents.grain.iter().any(|&strength| strength > 0),
            "degradation": latents.degradation,
        }),
        _ => Value::Null,
    }
}

fn text(name: &str, bytes: usize, picture: Option<&InrPicture>, chunks: &[ChunkInfo]) -> String {
    let mut lines = vec![format!("{name}: {bytes} bytes")];
    lines.extend(picture.map(|picture| format!("  {}", words(picture))));
    if let Some(Value::Object(fields)) = picture.map(describe) {
        for (field, value) in fields {
            match value {
                Value::Null => {}
                Value::Object(inner) => {
                    let known = inner.iter().filter(|(_, value)| !value.is_null());
                    let parts: Vec<String> = known
                        .map(|(key, value)| format!("{key} {}", plain(value)))
                        .collect();
                    lines.push(format!("  {field:15} {}", parts.join(", ")));
                }
                value => lines.push(format!("  {field:15} {}", plain(&value))),
            }
        }
    }
    if !chunks.is_empty() {
        lines.push("  chunks".into());
    }
    for chunk in chunks {
        let state = if chunk.intact { "intact" } else { "damaged" };
        lines.push(format!(
            "    {} at byte {}, {} bytes, {state}",
            chunk.kind, chunk.offset, chunk.length
        ));
    }
    lines.join("\n") + "\n"
}

/// What the file is, in a sentence.
fn words(picture: &InrPicture) -> String {
    let file = picture.file();
    let header = &file.header;
    let colours = match (header.layout.colour_channels(), header.layout.has_alpha()) {
        (1, false) => "grey",
        (1, true) => "grey with transparency",
        (_, false) => "colour",
        (_, true) => "colour with transparency",
    };
    let depth = match header.depth {
        Depth::U8 => "8 bits a sample",
        Depth::U16 => "16 bits a sample",
        Depth::F32 => "floating-point samples",
    };
    let model = match &header.model {
        Model::Mlp(_) => "a network fitted to the whole picture",
        _ => "a pyramid of latent grids",
    };
    let bpp = picture.bytes() as f64 * 8.0 / header.pixels() as f64;
    let psnr = file
        .provenance
        .as_ref()
        .and_then(|provenance| provenance.psnr);
    let psnr = psnr.map_or_else(String::new, |psnr| match psnr.is_finite() {
        true => format!(", {psnr:.2} dB from its source"),
        false => ", equal to its source".into(),
    });
    let parts = [
        ("a colour profile", file.icc.is_some()),
        ("Exif", file.exif.is_some()),
        ("XMP", file.xmp.is_some()),
        ("a preview", file.preview.is_some()),
    ];
    let there: Vec<&str> = parts
        .iter()
        .filter(|part| part.1)
        .map(|part| part.0)
        .collect();
    let with = match there.is_empty() {
        true => String::new(),
        false => format!(", with {}", there.join(", ")),
    };
    format!(
        "a picture of {} x {} pixels, {colours}, {depth}, as {model}: {bpp:.3} bits per pixel{psnr}{with}",
        header.width, header.height
    )
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let rounded = format!("{:.4}", number.as_f64().unwrap_or_default());
            rounded
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned()
        }
        other => other.to_string(),
    }
}
