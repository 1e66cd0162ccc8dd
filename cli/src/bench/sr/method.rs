//! What enlarges: methods of the library, and outside programs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use inr::upscale::{Compression, Degradation, UpscaleMethod};
use inr::{FileFormat, Limits, Picture, UpscaleOptions, read_picture, upscale, write_picture};

use crate::args::SrArgs;
use crate::failure::{bad_arguments, refused};
use crate::program;

/// A column of the comparison.
pub enum Method {
    /// One of `inr upscale`.
    Own {
        /// Its name.
        name: String,
        /// All but the scale.
        options: Box<UpscaleOptions>,
    },
    /// A program.
    External {
        /// What it is called.
        name: String,
        /// Where it is.
        program: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
}

impl Method {
    /// Those asked for.
    pub fn all(args: &SrArgs, degradation: &Degradation) -> Result<Vec<Self>> {
        let own = |method: &UpscaleMethod| Self::Own {
            name: method.to_string(),
            options: Box::new(
                UpscaleOptions::default()
                    .method(*method)
                    .effort(args.effort)
                    .degradation((!args.blind).then(|| degradation.clone()))
                    .threads(args.threads),
            ),
        };
        let own = args.methods.iter().map(|method| Ok(own(method)));
        let external = args.external.iter().map(|line| Self::external(line));
        let all: Vec<Self> = own.chain(external).collect::<Result<_>>()?;
        for (index, method) in all.iter().enumerate() {
            let name = method.name();
            if name.is_empty() || all[..index].iter().any(|other| other.name() == name) {
                let what = format!("two methods are called {name:?}, or one has no name");
                return Err(bad_arguments(what, "write NAME=COMMAND with other names"));
            }
        }
        Ok(all)
    }

    fn external(line: &str) -> Result<Self> {
        let (label, line) = match line.split_once('=') {
            Some((label, rest)) if !label.contains(char::is_whitespace) => (Some(label), rest),
            _ => (None, line),
        };
        let mut words = line.split_whitespace().map(str::to_owned);
        let named = words.next().unwrap_or_default();
        let args: Vec<String> = words.collect();
        for place in ["{in}", "{out}"] {
            if !args.iter().any(|arg| arg == place) {
                let what = format!("the command {line:?} has no word {place}");
                let help = "write it like 'program {in} {out} {scale}'";
                return Err(bad_arguments(what, help));
            }
        }
        let program = program::on_search_path(&named).ok_or_else(|| {
            let what = format!("there is no program {named:?}");
            refused(what, "install it, or give its whole path")
        })?;
        Ok(Self::External {
            name: match label {
                Some(label) => label.to_owned(),
                None => format!("external:{}", crate::output::stem(&program)),
            },
            program,
            args,
        })
    }

    /// Name in tables.
    pub fn name(&self) -> &str {
        match self {
            Self::Own { name, .. } | Self::External { name, .. } => name,
        }
    }

    /// Enlarges `small`; also gives the seconds that it took. Files go into `folder`.
    pub fn enlarge(
        &self,
        small: &Picture,
        compression: Compression,
        scale: u32,
        folder: &Path,
    ) -> Result<(Picture, f64)> {
        match self {
            Self::Own { options, .. } => {
                let options = (**options).clone().scale(f64::from(scale));
                let options = options.compression(compression);
                let started = Instant::now();
                let enlarged = upscale(small, &options, &mut ())?;
                Ok((enlarged.picture, started.elapsed().as_secs_f64()))
            }
            Self::External { program, args, .. } => {
                let (input, output) = (folder.join("small.png"), folder.join("large.png"));
                let written = write_picture(small, FileFormat::Png, None);
                std::fs::write(&input, written?.bytes)?;
                let values = [
                    ("{in}", input.into_os_string()),
                    ("{out}", output.clone().into_os_string()),
                    ("{scale}", OsString::from(scale.to_string())),
                ];
                let taken = program::run(program, args, &values)?;
                let bytes = std::fs::read(&output)
                    .with_context(|| format!("{} wrote nothing", program.display()))?;
                // What a later run leaves unwritten must not be taken for its own.
                std::fs::remove_file(&output)?;
                let picture = read_picture(&bytes, &Limits::default())?;
                Ok((picture, taken.as_secs_f64()))
            }
        }
    }
}
