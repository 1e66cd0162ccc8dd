//! `inr info`.

use std::path::Path;

use anyhow::Result;
use inr::decode::Network;
use inr::formats::Model;
use inr::{Error, InrPicture, Limits};
use inr_formats::{ChunkInfo, inspect};
use serde_json::{Value, json};

use super::args::InfoArgs;
use super::failure::Outcome;
use super::output;
use crate::input;

/// Prints what each file holds; of a damaged one what is intact, and then the error.
pub fn run(args: &InfoArgs) -> Result<Outcome> {
    // A damaged file has its JSON object already, with the error in it.
    super::each(&args.inputs, "use", false, 1, |input| one(input, args.json))
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
        "for_upscale": picture.file().enlarge,
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
        }),
        _ => Value::Null,
    }
}

fn text(name: &str, bytes: usize, picture: Option<&InrPicture>, chunks: &[ChunkInfo]) -> String {
    let mut lines = vec![format!("{name}: {bytes} bytes")];
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
