//! The C header matches the Rust types: it is generated from them and compiles as C11 and C++17.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Generates the header.
fn made() -> String {
    let config = cbindgen::Config::from_file(Path::new(ROOT).join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new()
        .with_src(Path::new(ROOT).join("src/abi.rs"))
        .with_src(Path::new(ROOT).join("src/abi_codec.rs"))
        .with_config(config)
        .generate()
        .unwrap();
    let mut made = Vec::new();
    bindings.write(&mut made);
    String::from_utf8(made).unwrap()
}

#[test]
fn the_header_is_generated_from_the_types() {
    let made = made();
    let path = Path::new(ROOT).join("include/inr_plugin.h");
    if std::env::var_os("INR_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "include/inr_plugin.h is not what src/abi.rs and src/abi_codec.rs give; INR_BLESS=1 rewrites it"
    );
}

/// C assertions of the sizes and offsets in Rust, and the number of members of each struct.
fn assertions() -> (String, Vec<(&'static str, usize)>) {
    use inr_plugin_api::*;
    let mut counts = Vec::new();
    let mut text = String::from("#include <stddef.h>\n#include \"inr_plugin.h\"\n");
    text.push_str("#ifndef __cplusplus\n#define static_assert _Static_assert\n#endif\n");
    macro_rules! check {
        ($($name:ident { $($field:ident)* })*) => {$(
            let name = stringify!($name);
            let size = size_of::<$name>();
            writeln!(text, "static_assert(sizeof({name}) == {size}, \"{name}\");").unwrap();
            $(
                let (field, offset) = (stringify!($field), std::mem::offset_of!($name, $field));
                writeln!(text, "static_assert(offsetof({name}, {field}) == {offset}, \"{name}.{field}\");").unwrap();
            )*
            counts.push((name, [$(stringify!($field)),*].len()));
        )*};
    }
    check! {
        InrHost { struct_size abi_major abi_minor name ctx alloc free log max_threads reserved max_pixels max_bytes }
        InrBuffer { struct_size data stride width height sample layout alpha transfer icc icc_size }
        InrRegion { struct_size x y step_x step_y width height }
        InrProgress { struct_size ctx progress is_cancelled }
        InrChoice { struct_size key label }
        InrParamInfo {
            struct_size key label hint group kind digits hard_min hard_max display_min display_max default_number step
            default_text default_rgb choices choice_count reserved enabled_by enabled_if
        }
        InrInputInfo { struct_size key label hint required reserved }
        InrFilterInfo {
            struct_size id key label hint version capabilities thread_class inputs params input_count param_count
        }
        InrValue { struct_size key number text rgb }
        InrInput { struct_size key buffer left top picture_width picture_height }
        InrFilterCall {
            struct_size filter input_count inputs values value_count reserved region output progress
        }
        InrPlan { struct_size width height layout halo need_left need_top need_width need_height }
        InrApi {
            struct_size abi_major abi_minor id name version capabilities thread_class filters filter_count reserved
            session_open session_close session_message filter_plan filter_run suite
        }
        InrPictureInfo {
            struct_size width height sample layout alpha transfer icc icc_size exif exif_size xmp xmp_size model
            file_size cicp
        }
        InrRenderCall { struct_size region output derivative reserved range progress }
        InrEncodeCall {
            struct_size input values value_count reserved exif exif_size xmp xmp_size progress cicp
        }
        InrBytes { struct_size data size }
        InrCodec {
            struct_size version param_count params picture_open picture_close picture_message picture_info
            picture_render encode bytes_free extension mime_type magic magic_size
        }
    }
    text.push_str("static_assert(INR_INTERNAL == 9 && INR_OK == 0, \"codes\");\nint main(void) { return 0; }\n");
    (text, counts)
}

/// The number of members of a struct in `header`.
fn members(header: &str, name: &str) -> usize {
    let start = format!("typedef struct {name} {{\n");
    let (_, body) = header
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {name}"));
    let (body, _) = body.split_once(&format!("}} {name};")).unwrap();
    let lines = body.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with("//") && line.ends_with(';'))
        .count()
}

#[test]
fn c_and_cpp_agree_on_every_size_and_offset() {
    let folder = tempfile::tempdir().unwrap();
    let (text, counts) = assertions();
    let header = made();
    std::fs::write(folder.path().join("inr_plugin.h"), &header).unwrap();
    let suite = format!(
        "#define INR_SUITE_CODEC \"{}\"",
        inr_plugin_api::INR_SUITE_CODEC
    );
    assert!(header.contains(&suite));
    // The assertions cover every member of every struct.
    assert_eq!(counts.len(), header.matches("size_t struct_size;").count());
    for (name, count) in counts {
        assert_eq!(count, members(&header, name), "members of {name}");
    }
    for (compiler, standard, name) in [("cc", "-std=c11", "a.c"), ("c++", "-std=c++17", "a.cpp")] {
        let source = folder.path().join(name);
        std::fs::write(&source, &text).unwrap();
        let compiled = Command::new(compiler)
            .args([
                standard,
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pedantic",
                "-fsyntax-only",
            ])
            .arg(&source)
            .output()
            .unwrap_or_else(|error| panic!("{compiler}: {error}; scripts/test installs it"));
        let errors = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{compiler} {standard}: {errors}");
    }
}

/// The constants of `header` that begin with `prefix`: the rest of each name in lower case, and its value.
fn constants(header: &str, prefix: &str) -> Vec<(String, u32)> {
    let start = format!("#define {prefix}");
    let lines = header.lines().filter_map(|line| line.strip_prefix(&start));
    let found = lines.filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_lowercase(), value.parse().ok()?))
    });
    found.collect()
}

#[test]
fn enums_have_the_names_of_the_constants() {
    use inr_plugin_api::*;
    let header = made();
    macro_rules! check {
        ($($prefix:literal $name:ident)*) => {$(
            let found = constants(&header, $prefix);
            assert!(found.len() > 1, $prefix);
            for (name, value) in found {
                assert_eq!($name::from_code(value).unwrap().to_string(), name, $prefix);
            }
        )*};
    }
    check! {
        "INR_SAMPLE_" Sample
        "INR_LAYOUT_" Layout
        "INR_ALPHA_" Alpha
        "INR_TRANSFER_" Transfer
        "INR_THREADS_" ThreadClass
        "INR_PARAM_" ParamType
    }
    for (name, bit) in constants(&header, "INR_CAP_") {
        assert_eq!(Capabilities(bit).words(), [name]);
    }
    assert_eq!(
        Status::from_code(INR_BAD_ARGUMENT).to_string(),
        "bad_argument"
    );
    assert_eq!(Status::from_code(77), Status::Internal);
}
