//! `inr filter`: pictures through the filters of plug-ins.

mod list;
mod pixmap;

use crate::input;
use crate::terminal::say;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use inr::{Depth, FileFormat, Limits, Metadata, read_picture, write_picture};
use inr_plugin_api::host::{
    Options, Outcome as Plan, Pixmap, Plugin, Request, Session, Source, Watcher, find,
};
use inr_plugin_api::{Failure, Format, INR_LOG_INFO, Status};
use serde_json::json;

use super::args::{FilterArgs, OutputArgs};
use super::failure::{Outcome, bad_arguments, refused};
use super::output::{self, Outputs};
use super::progress::{self, Reporter};

/// Lists filters, or runs one.
pub fn run(args: &FilterArgs) -> Result<Outcome> {
    let plugin = load(&args.plugin)?;
    match (&args.filter, &args.input, &args.output) {
        (Some(filter), Some(input), Some(output)) => {
            let request = Job {
                plugin: &plugin,
                filter,
                input,
                output,
                args,
            };
            let named = || format!("cannot apply {filter} to {}", input::display_name(input));
            request.run().with_context(named)?;
        }
        _ => list::print(&plugin, args.report.json)?,
    }
    Ok(Outcome::Done)
}

fn load(name: &Path) -> Result<Plugin> {
    let file = find(name, &[]).map_err(|error| {
        let help = "build it with cargo build -p inr-plugin, or name another with --plugin";
        refused(error.to_string(), help)
    })?;
    Ok(Plugin::load(&file)?)
}

/// One run of a filter.
struct Job<'a> {
    plugin: &'a Plugin,
    filter: &'a str,
    input: &'a Path,
    output: &'a Path,
    args: &'a FilterArgs,
}

impl Job<'_> {
    fn run(&self) -> Result<()> {
        let (_, filter) = self.plugin.filter(self.filter).map_err(told)?;
        let key = |key: &str| filter.params.iter().find(|param| param.key == key);
        let values = self.args.params.iter().map(|(name, text)| match key(name) {
            Some(param) => Ok((name.clone(), param.parse(text).map_err(told)?)),
            None => {
                let keys: Vec<&str> = filter
                    .params
                    .iter()
                    .map(|param| param.key.as_str())
                    .collect();
                let what = format!("{} has no parameter {name}", filter.key);
                Err(bad_arguments(what, format!("it has {}", keys.join(", "))))
            }
        });
        let values = values.collect::<Result<Vec<_>>>()?;
        let others = self.args.inputs.iter().map(|(_, file)| PathBuf::from(file));
        let inputs: Vec<PathBuf> = [self.input.to_path_buf()]
            .into_iter()
            .chain(others)
            .collect();
        let target = OutputArgs {
            output: Some(self.output.to_path_buf()),
            force: self.args.force,
            ..OutputArgs::default()
        };
        let outputs = Outputs::new(&target, &inputs[..1], self.args.report.json)?;
        let format = self.format()?;
        let pictures = inputs.iter().map(|file| open(file));
        let pictures = pictures.collect::<Result<Vec<_>>>()?;
        let keys = [None]
            .into_iter()
            .chain(self.args.inputs.iter().map(|(key, _)| Some(key.as_str())));
        let sources = keys
            .zip(&pictures)
            .map(|(key, (pixels, _))| Source::whole(key, pixels));
        let request = Request {
            filter: self.filter,
            sources: sources.collect(),
            values,
            region: None,
        };
        let (pixels, metadata) = &pictures[0];
        let mut session = self.session()?;
        let plan = session.plan(&request).map_err(told)?;
        let depth = self.args.depth.map_or(pixmap::depth(pixels), Into::into);
        format.check(pixmap::layout(plan.layout), depth)?;
        format.check_size(plan.size)?;
        let output = outputs.choose(self.input, "")?;
        let made = self.make(&mut session, &request, plan, depth)?;
        let picture = pixmap::picture(made, kept(metadata, pixels, plan))?;
        let written = write_picture(&picture, format, None)?;
        outputs.write(&output, &written.bytes)?;
        self.report(&output, plan)
    }

    fn session(&self) -> Result<Session> {
        let limits = Limits::default();
        let options = Options {
            threads: self.args.threads.unwrap_or(0) as u32,
            max_pixels: limits.render_pixels,
            max_bytes: limits.file_bytes,
            log: (!self.args.report.quiet && !self.args.report.json).then_some(log),
        };
        self.plugin.open(&options).map_err(told)
    }

    /// Runs the filter, under the eyes of the user.
    fn make(
        &self,
        session: &mut Session,
        request: &Request,
        plan: Plan,
        depth: Depth,
    ) -> Result<Pixmap> {
        let sample = pixmap::sample(depth);
        let limit = Limits::default().render_pixels;
        if u64::from(plan.size[0]) * u64::from(plan.size[1]) > limit {
            let what = format!("a result of {} x {} pixels", plan.size[0], plan.size[1]);
            return Err(bad_arguments(what, format!("the limit is {limit} pixels")));
        }
        let mut made = Pixmap::new(plan.size, Format::plain(sample, plan.layout));
        let name = input::display_name(self.input);
        let quiet = self.args.report.quiet || self.args.report.json;
        let mut reporter = Reporter::new(&name, quiet, false);
        let cancelled = AtomicBool::new(false);
        let mut told_of = |share: f64| {
            reporter.show(share, self.filter);
            cancelled.store(progress::interrupted(), Ordering::Relaxed);
            !progress::interrupted()
        };
        let watcher = Watcher {
            progress: &mut told_of,
            cancelled: &cancelled,
        };
        let result = session.run(request, &mut made, Some(watcher));
        reporter.finish();
        result.map_err(told)?;
        Ok(made)
    }

    fn format(&self) -> Result<FileFormat> {
        if input::is_stdio(self.output) {
            return Ok(FileFormat::Png);
        }
        FileFormat::from_path(self.output).ok_or_else(|| {
            let what = format!(
                "{} has no extension of a known picture format",
                self.output.display()
            );
            bad_arguments(
                what,
                "use .png, .jpg, .webp, .tiff, .bmp, .qoi, .pnm or .exr",
            )
        })
    }

    fn report(&self, output: &Path, plan: Plan) -> Result<()> {
        let (from, to) = (input::display_name(self.input), output::output_name(output));
        let [width, height] = plan.size;
        if self.args.report.json {
            let object = json!({
                "input": from, "output": to, "filter": self.filter, "width": width, "height": height,
            });
            return output::to_stdout(format!("{object}\n").as_bytes());
        }
        if !self.args.report.quiet {
            say(&format!(
                "{from} -> {to}: {width} x {height}, {}",
                self.filter
            ));
        }
        Ok(())
    }
}

/// The metadata of a result: an ICC profile of colours does not fit grey, nor the other way round.
fn kept(metadata: &Metadata, source: &Pixmap, plan: Plan) -> Metadata {
    let mut metadata = metadata.clone();
    let colours = |layout: inr_plugin_api::Layout| pixmap::layout(layout).colour_channels();
    if colours(source.format.layout) != colours(plan.layout) {
        metadata.icc = None;
        metadata.cicp = None;
    }
    metadata
}

/// Reads a picture file for a plug-in.
fn open(file: &Path) -> Result<(Pixmap, Metadata)> {
    let read = || -> Result<(Pixmap, Metadata)> {
        let bytes = input::read(file, input::MOST_BYTES)?;
        let picture = read_picture(&bytes, &Limits::default())?;
        Ok((pixmap::of(&picture), picture.metadata().clone()))
    };
    read().with_context(|| format!("cannot read {}", input::display_name(file)))
}

/// A plug-in's failure as the program tells of it.
fn told(failure: Failure) -> anyhow::Error {
    match failure.status {
        Status::BadArgument | Status::Unsupported | Status::TooLarge => bad_arguments(
            failure.message,
            "`inr filter --list` shows what filters take",
        ),
        Status::Cancelled => refused(failure.message, "nothing was written"),
        _ => failure.into(),
    }
}

fn log(level: u32, text: &str) {
    let word = if level > INR_LOG_INFO {
        "warning:"
    } else {
        "note: "
    };
    say(&format!("{word} {text}"));
}
