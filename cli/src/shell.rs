//! `inr completions` and `inr man`.

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::failure::Outcome;
use super::output;

/// Prints completions for a shell.
pub fn completions(args: &CompletionsArgs) -> Result<Outcome> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "inr", &mut text);
    output::to_stdout(&text)?;
    Ok(Outcome::Done)
}

/// Prints the manual pages, or writes one page per command into a folder.
pub fn man(args: &ManArgs) -> Result<Outcome> {
    if let Some(folder) = &args.out_dir {
        let failed = || format!("cannot write manual pages into {}", folder.display());
        std::fs::create_dir_all(folder).with_context(failed)?;
        clap_mangen::generate_to(Cli::command(), folder).with_context(failed)?;
        return Ok(Outcome::Done);
    }
    let mut pages = Vec::new();
    let mut program = Cli::command();
    program.build();
    let commands = program
        .get_subcommands()
        .filter(|command| command.get_name() != "help");
    for command in [&program].into_iter().chain(commands) {
        clap_mangen::Man::new(command.clone()).render(&mut pages)?;
    }
    output::to_stdout(&pages)?;
    Ok(Outcome::Done)
}
