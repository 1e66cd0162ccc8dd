//! What users type: arguments, and the lab's recipes. The program's own parsers, without the rest of the program: nothing
//! is read, written or run.

use std::sync::LazyLock;

use clap::{CommandFactory, Parser};
use inr_cli::args::{Cli, Command};
use inr_cli::lab::recipe::{Recipe, overrides};

/// Every command, option and named value, and a few values of others.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut words: Vec<String> = [
        "a.png",
        "b.inr",
        "-",
        "--",
        "",
        "0",
        "1",
        "-1",
        "4",
        "0.5",
        "1e300",
        "nan",
        "40k",
        "90s",
        "3000x2000",
        "1,2,3,4",
        "64,64",
        "gaussian:1.5",
        "psf:x.png",
        "cuda:1",
        "key=1",
        "=",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut commands = vec![Cli::command()];
    while let Some(command) = commands.pop() {
        words.push(command.get_name().to_owned());
        for argument in command.get_arguments() {
            words.extend(argument.get_long().map(|long| format!("--{long}")));
            words.extend(argument.get_short().map(|short| format!("-{short}")));
            let values = argument.get_possible_values();
            words.extend(values.iter().map(|value| value.get_name().to_owned()));
        }
        commands.extend(command.get_subcommands().cloned());
    }
    words.sort();
    words.dedup();
    words
});

/// Any arguments are taken, or refused with a message. A zero byte stands before two that choose a known word; words are
/// ended by line feeds, or by being chosen; `=` at the end of one joins the next.
pub fn arguments(bytes: &[u8]) {
    let mut arguments = vec!["inr".to_owned()];
    let mut joined = false;
    let mut add = |word: String| {
        match arguments.last_mut().filter(|_| joined) {
            Some(last) => last.push_str(&word),
            None => arguments.push(word),
        }
        joined = arguments
            .last()
            .is_some_and(|last| last.len() > 2 && last.ends_with('='));
    };
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => break,
            [0, high, low, tail @ ..] => {
                let at = usize::from(u16::from_be_bytes([*high, *low])) % WORDS.len();
                add(WORDS[at].clone());
                tail
            }
            _ => {
                let end = rest[1..].iter().position(|byte| matches!(byte, 0 | b'\n'));
                let end = end.map_or(rest.len(), |end| end + 1);
                let word = rest[..end].strip_prefix(b"\n").unwrap_or(&rest[..end]);
                add(String::from_utf8_lossy(word).into_owned());
                &rest[end..]
            }
        };
    }
    match Cli::try_parse_from(arguments) {
        Err(error) => assert!(!error.render().to_string().is_empty()),
        Ok(Cli { command }) => match command {
            Command::Encode(args) => {
                let _ = args.model();
                assert!((1..=args.inputs.len().max(1)).contains(&args.jobs(8)));
            }
            Command::Lab(args) => {
                let _ = overrides(&args.set);
            }
            _ => {}
        },
    }
}

/// Any text is a recipe or is refused; what a recipe gives has its settings. Up to the first zero byte it is a recipe, after
/// it come settings on top.
pub fn recipes(bytes: &[u8]) {
    let mut parts = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let text = parts.next().unwrap_or_default();
    let set: Vec<String> = parts.map(Into::into).collect();
    let Ok(set) = overrides(&set) else {
        return;
    };
    for quick in [false, true] {
        if let Ok(recipe) = Recipe::read("fit.toml", &text, quick, &set) {
            for trial in recipe.groups.iter().flat_map(|group| &group.trials) {
                trial.settings.recipe(0);
            }
        }
    }
}
