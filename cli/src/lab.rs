//! `inr lab`: the study's experiments, from recipes to a report.

mod activations;
mod chart;
mod grid;
mod measure;
pub mod recipe;
mod report;
pub mod settings;
mod show;
mod source;
mod targets;
mod trial;
pub mod weights;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use self::recipe::{Recipe, Trial};
use self::report::Report;
use self::settings::Settings;
use self::source::{Grey, Sources};
use self::trial::{Fitted, Store};
use self::weights::Weights;
use crate::args::{LabArgs, LabExperiment};
use crate::failure::Outcome;
use crate::output::{self, write_over};
use crate::terminal::say;

/// One trial with its fits, one for each seed; or why there is none.
pub struct Row<'a> {
    pub trial: &'a Trial,
    pub ran: Result<Ran, String>,
}

/// Fits of one trial.
pub struct Ran {
    pub picture: Grey,
    pub fits: Vec<(u64, Fitted)>,
}

/// Runs the experiments and writes the report.
pub fn run(args: &LabArgs) -> Result<Outcome> {
    let overrides = recipe::overrides(&args.set)?;
    let experiments = LabExperiment::chosen(&args.experiments);
    let recipes = experiments.iter().map(|&experiment| {
        let folder = args.recipes.as_deref();
        Ok((
            experiment,
            Recipe::load(experiment, folder, args.quick, &overrides)?,
        ))
    });
    let recipes = recipes.collect::<Result<Vec<_>>>()?;
    let sources = Sources {
        data: args.data.clone(),
        image: args.image.clone(),
        quick: args.quick,
    };
    let began = Instant::now();
    let weights = Weights::new(args);
    let mut report = Report::new(args.quick);
    for (experiment, recipe) in &recipes {
        let folder = args.out.join(experiment.to_string());
        let fits = folder.join(if args.quick { "fits-quick" } else { "fits" });
        std::fs::create_dir_all(&fits)
            .with_context(|| format!("cannot make {}", fits.display()))?;
        let store = Store::new(fits, args, &weights);
        one(recipe, &sources, &store, &folder, args, &mut report)
            .with_context(|| format!("cannot finish {experiment}"))?;
    }
    let path = args.out.join("report.html");
    write_over(&path, report.html().as_bytes())?;
    write_over(&args.out.join("tables.md"), report.markdown().as_bytes())?;
    if args.json {
        let object = json!({ "report": output::output_name(&path), "experiments": recipes.len(),
            "fits": report.fits, "not_run": report.not_run, "seconds": began.elapsed().as_secs_f64() });
        output::to_stdout(format!("{object}\n").as_bytes())?;
    } else if !args.quiet {
        say(&format!("{} shows it all", path.display()));
    }
    Ok(Outcome::Done)
}

fn one(
    recipe: &Recipe,
    sources: &Sources,
    store: &Store,
    folder: &Path,
    args: &LabArgs,
    report: &mut Report,
) -> Result<()> {
    report.begin(recipe);
    for (index, group) in recipe.groups.iter().enumerate() {
        let mut rows = Vec::new();
        for (number, trial) in group.trials.iter().enumerate() {
            let name = format!("{}-{}-{}", index + 1, number + 1, slug(&trial.name));
            let ran = fits(recipe, trial, &name, sources, store)?;
            if !args.quiet {
                let told = match &ran {
                    Ok(ran) => show::brief(ran),
                    Err(why) => why.clone(),
                };
                say(&format!("{}, {}: {told}", group.title, trial.name));
            }
            rows.push(Row { trial, ran });
        }
        show::group(recipe, group, index + 1, &rows, folder, report)?;
    }
    report.end(folder)
}

/// The fits of one trial, or why there are none.
fn fits(
    recipe: &Recipe,
    trial: &Trial,
    name: &str,
    sources: &Sources,
    store: &Store,
) -> Result<Result<Ran, String>> {
    if let Some(why) = &trial.unavailable {
        return Ok(Err(why.clone()));
    }
    let settings: &Settings = &trial.settings;
    if let Some(why) = store.weights().lacking(settings) {
        return Ok(Err(why));
    }
    if recipe.show == recipe::Show::Activations {
        // Weights before any training, of no picture.
        let picture = Grey {
            side: 1,
            samples: vec![0.0],
        };
        let fits = Vec::new();
        return Ok(Ok(Ran { picture, fits }));
    }
    let picture = match sources.open(settings)? {
        Ok(picture) => picture,
        Err(why) => return Ok(Err(why)),
    };
    let fits = settings.seeds.iter().map(|&seed| {
        let name = match settings.seeds.len() {
            1 => name.to_owned(),
            _ => format!("{name}-{seed}"),
        };
        Ok((seed, store.fit(&name, settings, seed, &picture)?))
    });
    let fits = fits.collect::<Result<Vec<_>>>()?;
    Ok(Ok(Ran { picture, fits }))
}

/// A name for files.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.to_lowercase().chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
