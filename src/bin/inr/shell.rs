//! `inr completions` and `inr man`.

use std::io;

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::output;

/// Prints completions for a shell.
pub fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "inr", &mut text);
    output::write("-".as_ref(), &text, false)
}

/// Prints the main manual page, or writes one page per command into a folder.
pub fn man(args: &ManArgs) -> Result<()> {
    if let Some(folder) = &args.out_dir {
        let failed = || format!("cannot write manual pages into {}", folder.display());
        std::fs::create_dir_all(folder).with_context(failed)?;
        return clap_mangen::generate_to(Cli::command(), folder).with_context(failed);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(io::Error::other)?;
    output::write("-".as_ref(), &page, false)
}
