//! `inr decode`.

use crate::input;
use crate::terminal::say;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use inr::decode::{Derivative, RenderMethod, Rendered};
use inr::{
    Depth, FileFormat, InrPicture, Limits, Observer, OutputSize, Picture, Region, RenderOptions,
    write_picture, write_png,
};
use serde_json::json;

use super::args::DecodeArgs;
use super::failure::{Outcome, bad_arguments};
use super::output::{self, Outputs};
use super::progress::Reporter;

/// Renders every input.
pub fn run(args: &DecodeArgs) -> Result<Outcome> {
    let outputs = Outputs::new(&args.output, &args.inputs, args.report.json)?;
    let format = asked_format(args)?;
    super::each(&args.inputs, "decode", &args.report, 1, |input| {
        one(input, args, format, &outputs)
    })
}

fn one(
    input: &Path,
    args: &DecodeArgs,
    format: Option<FileFormat>,
    outputs: &Outputs,
) -> Result<()> {
    let limits = Limits::default();
    let bytes = input::read(input, limits.file_bytes)?;
    let file = if args.partial {
        InrPicture::open_partial(&bytes, &limits)?
    } else {
        InrPicture::open(&bytes, &limits)?
    };
    if let Some(derivative) = args.derivative {
        return derivative_of(&file, derivative, input, args, format, outputs);
    }
    let depth = args.depth.map_or(file.depth(), Into::into);
    let format = format.unwrap_or(match depth {
        Depth::F32 => FileFormat::Tiff,
        Depth::U8 | Depth::U16 => FileFormat::Png,
    });
    let output = outputs.choose(input, &default_name(input, args, format))?;
    format.check(file.layout(), depth)?;
    let options = options(args, limits);
    let (size, method, why) = file.plan(&options)?;
    let across = size[0].saturating_mul(if args.compare { 2 } else { 1 });
    format.check_size([across, size[1]])?;
    let mut reporter = reporter(input, args);
    if let Some((width, height)) = args.size {
        note_shape(&file, args.region, [width, height], &mut reporter);
    }
    if format == FileFormat::Png && !args.compare && args.background.is_none() {
        outputs.write_with(&output, |to| {
            bands(&file, &options, size, depth, &mut reporter, to)
        })?;
        reporter.finish();
        outputs.stamp(input, &output)?;
        let done = Done {
            size,
            method,
            why,
            dropped: Vec::new(),
            notes: Vec::new(),
        };
        return report(input, &output, args, &done);
    }
    let rendered = if args.compare {
        side_by_side(&file, &options, &mut reporter)?
    } else {
        file.render(&options, &mut reporter)?
    };
    reporter.finish();
    let picture = match args.background {
        Some(colour) => rendered.picture.over(colour),
        None => rendered.picture,
    };
    let written = write_picture(&picture, format, None)?;
    outputs.write(&output, &written.bytes)?;
    outputs.stamp(input, &output)?;
    let done = Done {
        size: [picture.width(), picture.height()],
        method: rendered.method,
        why: rendered.why,
        dropped: written.dropped,
        notes: written.notes,
    };
    report(input, &output, args, &done)
}

/// Writes a picture of a derivative, in floats where the format is made for them.
fn derivative_of(
    file: &InrPicture,
    derivative: Derivative,
    input: &Path,
    args: &DecodeArgs,
    format: Option<FileFormat>,
    outputs: &Outputs,
) -> Result<()> {
    let depth = match (args.depth, format) {
        (Some(depth), _) => depth.into(),
        (None, Some(FileFormat::Tiff | FileFormat::Exr | FileFormat::Pfm)) => Depth::F32,
        (
            None,
            None
            | Some(
                FileFormat::Png
                | FileFormat::Pnm
                | FileFormat::Pgm
                | FileFormat::Ppm
                | FileFormat::Pam,
            ),
        ) => Depth::U16,
        (None, Some(_)) => Depth::U8,
    };
    let format = format.unwrap_or(match depth {
        Depth::F32 => FileFormat::Tiff,
        Depth::U8 | Depth::U16 => FileFormat::Png,
    });
    let output = outputs.choose(input, &default_name(input, args, format))?;
    format.check(file.layout(), depth)?;
    let options = options(args, Limits::default()).depth(depth);
    format.check_size(file.plan(&options)?.0)?;
    let mut reporter = reporter(input, args);
    let rendered = file.render_derivative(derivative, args.range, &options, &mut reporter)?;
    reporter.finish();
    let written = write_picture(&rendered.picture, format, None)?;
    outputs.write(&output, &written.bytes)?;
    outputs.stamp(input, &output)?;
    let (width, height) = (rendered.picture.width(), rendered.picture.height());
    let name = derivative.to_string();
    if args.report.json {
        let object = json!({
            "input": input::display_name(input), "output": output::output_name(&output), "width": width,
            "height": height, "derivative": name, "range": rendered.range, "scale": rendered.scale,
        });
        return output::to_stdout(format!("{object}\n").as_bytes());
    }
    if !args.report.quiet {
        let (from, to) = (input::display_name(input), output::output_name(&output));
        say(&format!(
            "{from} -> {to}: {width} x {height}, {name}: {}",
            rendered.scale
        ));
    }
    Ok(())
}

/// Says that a size distorts the picture.
fn note_shape(file: &InrPicture, region: Option<Region>, size: [u32; 2], reporter: &mut Reporter) {
    let header = &file.file().header;
    let (width, height) = match region {
        Some(region) => (region.width, region.height),
        None => (f64::from(header.width), f64::from(header.height)),
    };
    let [across, down] = [f64::from(size[0]) / width, f64::from(size[1]) / height];
    // A side is whole: half a pixel is no distortion.
    let off = (f64::from(size[1]) - height * across)
        .abs()
        .min((f64::from(size[0]) - width * down).abs());
    if off > 1.0 {
        let [w, h] = size;
        reporter.note(&format!(
            "{w} x {h} has another shape than the picture and distorts it; --fit {w}x{h} keeps the shape"
        ));
    }
}

fn reporter(input: &Path, args: &DecodeArgs) -> Reporter {
    let quiet = args.report.quiet || args.report.json;
    Reporter::new(&input::display_name(input), quiet, false)
}

/// Why the field was taken, where no other method comes into question: it is not worth a word.
const NOTHING_ENLARGED: &str = "nothing is enlarged";

/// What is told of a finished render.
struct Done {
    size: [u32; 2],
    method: RenderMethod,
    why: String,
    dropped: Vec<&'static str>,
    notes: Vec<&'static str>,
}

/// The field's render band by band, so that memory does not grow with the picture.
fn bands(
    file: &InrPicture,
    options: &RenderOptions,
    size: [u32; 2],
    depth: Depth,
    reporter: &mut Reporter,
    to: &mut dyn Write,
) -> Result<()> {
    write_png(to, size, file.layout(), depth, &file.metadata(), |png| {
        file.render_bands(options, reporter, |band| {
            png.write(band).map_err(inr::Error::from)
        })
    })?;
    Ok(())
}

fn options(args: &DecodeArgs, limits: Limits) -> RenderOptions {
    let size = match (args.scale, args.size, args.width, args.height) {
        (Some(scale), ..) => OutputSize::Scale(scale),
        (_, Some((width, height)), ..) => OutputSize::Exact(width, height),
        (_, _, Some(width), _) => OutputSize::Width(width),
        (.., Some(height)) => OutputSize::Height(height),
        _ => match args.fit {
            Some((width, height)) => OutputSize::Within(width, height),
            None => OutputSize::Native,
        },
    };
    RenderOptions::default()
        .size(size)
        .region(args.region)
        .depth(args.depth.map(Depth::from))
        .method(args.method)
        .threads(args.threads)
        .device(args.device)
        .limits(limits)
}

/// The format that was asked for, by name or by the output's extension.
fn asked_format(args: &DecodeArgs) -> Result<Option<FileFormat>> {
    if args.format.is_some() {
        return Ok(args.format);
    }
    match &args.output.output {
        Some(path) if !input::is_stdio(path) => {
            FileFormat::from_path(path).map(Some).ok_or_else(|| {
                let what = format!(
                    "{} has no extension of a known picture format",
                    path.display()
                );
                bad_arguments(
                    what,
                    "use .png, .jpg, .webp, .tiff, .bmp, .qoi, .pnm, .ppm, .pgm, .pam, .exr or .pfm, or name it with --format",
                )
            })
        }
        _ => Ok(None),
    }
}

/// `photo.png`, `photo.x4.png`, `photo.3000x2000.png`, with `crop` and `compare` where they apply. A `photo.png`
/// that exists is most likely the source: a plain decode then goes to `photo.decoded.png`, with `--force` as well.
fn default_name(input: &Path, args: &DecodeArgs, format: FileFormat) -> String {
    let mut name = output::stem(input);
    if args.region.is_some() {
        name.push_str(".crop");
    }
    match (args.scale, args.size.or(args.fit), args.width, args.height) {
        (Some(scale), ..) if scale != 1.0 => name.push_str(&format!(".x{scale}")),
        (_, Some((width, height)), ..) => name.push_str(&format!(".{width}x{height}")),
        (_, _, Some(width), _) => name.push_str(&format!(".w{width}")),
        (.., Some(height)) => name.push_str(&format!(".h{height}")),
        _ => {}
    }
    if args.compare {
        name.push_str(".compare");
    }
    if let Some(derivative) = args.derivative {
        name.push_str(&format!(".{}", derivative));
    }
    let extension = format.extension();
    let plain = name == output::stem(input);
    let folder = args
        .output
        .out_dir
        .as_deref()
        .or(input.parent())
        .unwrap_or(Path::new(""));
    if plain && folder.join(format!("{name}.{extension}")).exists() {
        name.push_str(".decoded");
    }
    format!("{name}.{extension}")
}

/// The field on the left, bicubic on the right.
fn side_by_side(
    file: &InrPicture,
    options: &RenderOptions,
    reporter: &mut Reporter,
) -> Result<Rendered> {
    let with = |method| options.clone().method(method);
    // As decode renders it, but never bicubic instead.
    let mut rendered = file.render(&with(RenderMethod::Network), reporter)?;
    let left = &rendered.picture;
    let right = file.render(&with(RenderMethod::Bicubic), reporter)?.picture;
    let row = left.width() as usize * left.layout().channels();
    let (left_samples, right_samples) = (left.to_f32(), right.to_f32());
    let rows = left_samples
        .chunks_exact(row)
        .zip(right_samples.chunks_exact(row));
    let both: Vec<f32> = rows
        .flat_map(|(left, right)| left.iter().chain(right))
        .copied()
        .collect();
    let width = left.width().checked_mul(2).ok_or_else(|| {
        bad_arguments(
            format!("two pictures of width {}", left.width()),
            "ask for a smaller size",
        )
    })?;
    let (layout, metadata) = (left.layout(), left.metadata().clone());
    let (height, depth) = (left.height(), left.depth());
    rendered.picture = Picture::from_f32(width, height, layout, depth, &both, metadata)?;
    rendered.why = "the field on the left, bicubic on the right".into();
    Ok(rendered)
}

fn report(input: &Path, output: &Path, args: &DecodeArgs, done: &Done) -> Result<()> {
    let method = done.method.to_string();
    let [width, height] = done.size;
    if args.report.json {
        let object = json!({
            "input": input::display_name(input), "output": output::output_name(output), "width": width,
            "height": height, "method": method, "why": done.why, "dropped": done.dropped, "notes": done.notes,
        });
        return output::to_stdout(format!("{object}\n").as_bytes());
    }
    if !args.report.quiet {
        let (from, to) = (input::display_name(input), output::output_name(output));
        let how = match done.why.as_str() {
            NOTHING_ENLARGED => String::new(),
            why => format!(", method {method}: {why}"),
        };
        say(&format!("{from} -> {to}: {width} x {height}{how}"));
        output::say_losses(&done.dropped, &done.notes);
    }
    Ok(())
}
