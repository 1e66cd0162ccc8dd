//! The structure of the sources: no two files import each other in a loop.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Sources of every crate, from the root of the workspace.
const SOURCES: [&str; 12] = [
    "src",
    "cli/src",
    "formats/src",
    "hosts/gdk-pixbuf/src",
    "hosts/gegl/src",
    "hosts/gimp/src",
    "image/src",
    "kernel/src",
    "networks/src",
    "plugin/src",
    "plugin-api/src",
    "tools/src",
];

type Module = Vec<String>;

/// Every `.rs` file under `folder`, tests aside.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_stem().is_some_and(|stem| stem != "tests")
        {
            found.push(path);
        }
    }
}

/// The module that the file at `path` below `source` is.
fn module(source: &Path, path: &Path) -> Module {
    let path = path
        .strip_prefix(source)
        .expect("it is below")
        .with_extension("");
    let mut parts: Module = path
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if ["mod", "lib", "main"].contains(&parts[parts.len() - 1].as_str()) {
        parts.pop();
    }
    parts
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn spread(tree: &str) -> Vec<String> {
    let Some((before, after)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree);
        return vec![name.trim().to_owned()];
    };
    let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
    for (at, character) in after.char_indices() {
        match character {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                let part = after[start..at].trim();
                if !part.is_empty() {
                    paths.extend(spread(part).iter().map(|path| format!("{before}{path}")));
                }
                start = at + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    paths.iter().map(|path| path.trim().to_owned()).collect()
}

/// The paths that a file names, in private `use` lines and in place; unit tests and re-exports do not count.
fn imports(text: &str) -> Vec<String> {
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let code: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect();
    let code = code.join(" ");
    let uses = code.split(';').filter_map(|statement| {
        let at = statement.rfind("use ")?;
        let public = statement[..at].trim_end().ends_with("pub")
            || statement[..at].trim_end().ends_with("pub(crate)")
            || statement[..at].trim_end().ends_with("pub(super)");
        (!public).then(|| &statement[at + 4..])
    });
    let in_place = code
        .split(';')
        .filter(|statement| !statement.contains("use "));
    let in_place = in_place.flat_map(|statement| {
        let word = |character: char| character.is_alphanumeric() || "_:".contains(character);
        statement.split(move |character| !word(character))
    });
    let in_place =
        in_place.filter(|path| path.starts_with("crate::") || path.starts_with("super::"));
    uses.flat_map(spread)
        .chain(in_place.map(str::to_owned))
        .collect()
}

/// The module among `known` that `path`, imported by `from`, lies in.
fn resolved(path: &str, from: &Module, known: &BTreeMap<Module, PathBuf>) -> Option<Module> {
    let mut parts: Vec<String> = path
        .split("::")
        .map(|part| part.trim().to_owned())
        .collect();
    let mut base = match parts[0].as_str() {
        "crate" => Vec::new(),
        "super" => from[..from.len().saturating_sub(1)].to_vec(),
        "self" => from.clone(),
        child => {
            let mut module = from.clone();
            module.push(child.to_owned());
            known.contains_key(&module).then_some(())?;
            parts.insert(0, String::new());
            from.clone()
        }
    };
    let mut rest = &parts[1..];
    while rest.first().is_some_and(|part| part == "super") {
        base.pop();
        rest = &rest[1..];
    }
    base.extend(rest.iter().cloned());
    while !known.contains_key(&base) {
        base.pop()?;
    }
    (base != *from).then_some(base)
}

/// What can be reached from `start` along `edges`.
fn reached<'a>(
    start: &'a Module,
    edges: &'a BTreeMap<Module, BTreeSet<Module>>,
) -> BTreeSet<&'a Module> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(module) = open.pop() {
        for next in &edges[module] {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}

#[test]
fn no_two_files_import_each_other_in_a_loop() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut loops = Vec::new();
    for source in SOURCES {
        let folder = root.join(source);
        let mut paths = Vec::new();
        files(&folder, &mut paths);
        assert!(!paths.is_empty(), "{source} has no files");
        let known: BTreeMap<Module, PathBuf> = paths
            .into_iter()
            .map(|path| (module(&folder, &path), path))
            .collect();
        let edges: BTreeMap<Module, BTreeSet<Module>> = known
            .iter()
            .map(|(module, path)| {
                let text = fs::read_to_string(path).expect("a source");
                let found = imports(&text).into_iter();
                let to = found.filter_map(|path| resolved(&path, module, &known));
                (module.clone(), to.collect())
            })
            .collect();
        let inside = known
            .keys()
            .filter(|module| reached(module, &edges).contains(module));
        loops.extend(inside.map(|module| format!("{source}: {}", module.join("/"))));
    }
    assert!(
        loops.is_empty(),
        "these import themselves by way of others: {loops:#?}"
    );
}

#[test]
fn imports_are_understood() {
    let text = "use crate::a::{b, c::{self, d as e}};\npub use x::y;\n// use no::t;\nuse super::z;\nlet x = super::w::f(1);";
    let found = imports(text);
    assert_eq!(
        found,
        [
            "crate::a::b",
            "crate::a::c::self",
            "crate::a::c::d",
            "super::z",
            "super::w::f"
        ]
    );
}
