//! `inr bench engine`: how quick this machine is.

use anyhow::Result;
use inr::fit::{EngineBench, EngineFigure};
use serde_json::json;

use crate::args::EngineArgs;
use crate::failure::Outcome;
use crate::output::to_stdout;

/// Prints every figure as soon as it is measured.
pub fn run(args: &EngineArgs) -> Result<Outcome> {
    let bench = EngineBench {
        widths: args.widths.clone(),
        pixels: args.pixels,
        channels: args.channels,
        threads: args.threads.clone(),
        engines: args.engines.clone(),
        runs: args.runs,
    };
    if !args.json {
        to_stdout(b"engine   task    width threads  ns/pixel   GFLOP/s  of peak\n")?;
    }
    let mut written = Ok(());
    inr::fit::engine_bench(&bench, &mut |figure| {
        let line = if args.json {
            format!("{}\n", json(figure))
        } else {
            text(figure)
        };
        if written.is_ok() {
            written = to_stdout(line.as_bytes());
        }
    })?;
    written?;
    Ok(Outcome::Done)
}

fn text(figure: &EngineFigure) -> String {
    let EngineFigure {
        engine,
        task,
        width,
        threads,
        nanoseconds,
        gigaflops,
        share_of_peak,
    } = figure;
    let share = share_of_peak.map_or("-".into(), |share| format!("{:.1} %", share * 100.0));
    format!(
        "{engine:<8} {task:<7} {width:>5} {threads:>7} {nanoseconds:>9.1} {gigaflops:>9.1} {share:>8}\n"
    )
}

fn json(figure: &EngineFigure) -> serde_json::Value {
    json!({
        "engine": figure.engine,
        "task": figure.task,
        "width": figure.width,
        "threads": figure.threads,
        "nanoseconds_per_pixel": figure.nanoseconds,
        "gigaflops": figure.gigaflops,
        "share_of_peak": figure.share_of_peak,
    })
}
