//! Experiments as TOML: settings, and in groups what is varied.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use toml::Table;

use super::settings::Settings;
use crate::args::LabExperiment;
use crate::failure::bad_arguments;

/// An experiment, ready to run.
pub struct Recipe {
    pub title: String,
    pub about: String,
    pub show: Show,
    pub groups: Vec<Group>,
}

/// What a report shows of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    /// Curves and final figures.
    Curves,
    /// Curves, and pictures with their gradients and Laplacians.
    Fields,
    /// Reconstructions from derivatives.
    Poisson,
    /// Distributions and spectra of activations.
    Activations,
    /// Enlargements.
    Enlargements,
}

/// Trials that are compared with each other.
pub struct Group {
    pub title: String,
    pub note: String,
    pub trials: Vec<Trial>,
}

/// One row of a table.
pub struct Trial {
    pub name: String,
    /// What was published: PSNR in dB, SSIM.
    pub published: Vec<f64>,
    pub settings: Settings,
    /// Why it cannot be run.
    pub unavailable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    title: String,
    about: String,
    show: Show,
    #[serde(default)]
    settings: Table,
    #[serde(default)]
    quick: Table,
    group: Vec<GroupDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupDocument {
    title: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    settings: Table,
    #[serde(default)]
    quick: Table,
    /// A setting that takes each of `values` in turn.
    vary: Option<String>,
    #[serde(default)]
    values: Vec<toml::Value>,
    #[serde(default)]
    published: Vec<f64>,
    #[serde(default)]
    trial: Vec<TrialDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrialDocument {
    name: String,
    #[serde(default)]
    published: Vec<f64>,
    #[serde(default)]
    settings: Table,
    #[serde(default)]
    quick: Table,
    unavailable: Option<String>,
}

/// The recipe that comes with the program.
fn built_in(experiment: LabExperiment) -> &'static str {
    match experiment {
        LabExperiment::Fit => include_str!("../../recipes/fit.toml"),
        LabExperiment::Poisson => include_str!("../../recipes/poisson.toml"),
        LabExperiment::Relu => include_str!("../../recipes/relu.toml"),
        LabExperiment::Init => include_str!("../../recipes/init.toml"),
        LabExperiment::Omega => include_str!("../../recipes/omega.toml"),
        LabExperiment::Activations => include_str!("../../recipes/activations.toml"),
        LabExperiment::Sisr | LabExperiment::All => {
            include_str!("../../recipes/sisr.toml")
        }
    }
}

/// The settings of `KEY=VALUE`s.
pub fn overrides(asked: &[String]) -> Result<Table> {
    let mut table = Table::new();
    for text in asked {
        let wrong = || {
            let help = "give a setting of the recipes and a value, such as --set side=128";
            bad_arguments(format!("--set {text}"), help)
        };
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let parsed = format!("value = {value}").parse::<Table>();
        let value = match parsed {
            Ok(mut found) => found.remove("value").ok_or_else(wrong)?,
            Err(_) => toml::Value::String(value.into()),
        };
        table.insert(key.into(), value);
    }
    // A mistyped name is told before any work.
    Settings::of(table.clone()).map_err(|error| {
        bad_arguments(
            format!("{error:#}"),
            "the settings are those under [settings] in cli/recipes",
        )
    })?;
    Ok(table)
}

impl Recipe {
    /// The recipe of `experiment` in `folder`, or the one that comes with the program, with `overrides` on top.
    pub fn load(
        experiment: LabExperiment,
        folder: Option<&Path>,
        quick: bool,
        overrides: &Table,
    ) -> Result<Self> {
        let name = format!("{}.toml", experiment);
        let text = match folder {
            None => built_in(experiment).to_owned(),
            Some(folder) => {
                let path = folder.join(&name);
                std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?
            }
        };
        Self::read(&name, &text, quick, overrides)
    }

    /// The recipe that `text` is, which messages call `name`.
    pub fn read(name: &str, text: &str, quick: bool, overrides: &Table) -> Result<Self> {
        let document: Document =
            toml::from_str(text).with_context(|| format!("cannot read the recipe {name}"))?;
        let mut groups = Vec::new();
        for group in &document.group {
            let base = [&document.settings, &group.settings];
            let quick_tables = [&document.quick, &group.quick];
            let settle = |own: &Table, own_quick: &Table| {
                let mut merged = Table::new();
                base.into_iter()
                    .chain([own])
                    .for_each(|table| merged.extend(table.clone()));
                if quick {
                    quick_tables
                        .into_iter()
                        .chain([own_quick])
                        .for_each(|table| merged.extend(table.clone()));
                }
                merged.extend(overrides.clone());
                Settings::of(merged).with_context(|| format!("recipe {name}: {}", group.title))
            };
            let mut trials = Vec::new();
            if let Some(key) = &group.vary {
                for (index, value) in group.values.iter().enumerate() {
                    let keys = key.split(',');
                    let own = keys.map(|key| (key.to_owned(), value.clone())).collect();
                    trials.push(Trial {
                        name: match value {
                            toml::Value::String(name) => name.clone(),
                            toml::Value::Float(number) => number.to_string(),
                            other => format!("{other:?}"),
                        },
                        published: group.published.get(index).copied().into_iter().collect(),
                        settings: settle(&own, &Table::new())?,
                        unavailable: None,
                    });
                }
            }
            for trial in &group.trial {
                trials.push(Trial {
                    name: trial.name.clone(),
                    published: trial.published.clone(),
                    settings: settle(&trial.settings, &trial.quick)?,
                    unavailable: trial.unavailable.clone(),
                });
            }
            groups.push(Group {
                title: group.title.clone(),
                note: group.note.clone(),
                trials,
            });
        }
        Ok(Self {
            title: document.title,
            about: document.about,
            show: document.show,
            groups,
        })
    }
}
