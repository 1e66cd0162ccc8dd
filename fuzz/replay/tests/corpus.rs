//! The fuzz targets' bodies on the inputs in `fuzz/seeds`, without a fuzzer.

#[path = "../../src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;

/// Runs `target` on the inputs of its name.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let entries = fs::read_dir(folder.join(name)).expect("every target has inputs");
    let mut inputs = 0;
    for entry in entries {
        let path = entry.expect("an entry").path();
        // What fails is named last.
        println!("{}", path.display());
        target(&fs::read(&path).expect("an input"));
        inputs += 1;
    }
    assert!(inputs > 10, "{inputs} inputs of {name}");
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name), targets::$name);
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            let manifest = include_str!("../../Cargo.toml");
            let binaries = manifest.split("[[bin]]").skip(1);
            let names: Vec<_> = binaries.filter_map(|bin| bin.split('"').nth(1)).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

replayed! {
    read_file inspect write_read latents render_small pictures abi arguments recipes checkpoint
}
