//! The header says what the Rust types are: generated from them, and compiled as C11 and C++17.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The header that the types give.
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

/// Sizes and offsets as Rust has them, as assertions for C.
fn assertions() -> String {
    use inr_plugin_api::*;
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
            // A field that is missing here would not be checked.
            let fields: usize = [$(stringify!($field)),*].len();
            writeln!(text, "/* {name}: {fields} fields */").unwrap();
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
            picture_render encode bytes_free
        }
    }
    text.push_str("static_assert(INR_INTERNAL == 9 && INR_OK == 0, \"codes\");\nint main(void) { return 0; }\n");
    text
}

#[test]
fn c_and_cpp_agree_on_every_size_and_offset() {
    let folder = tempfile::tempdir().unwrap();
    let text = assertions();
    let header = made();
    std::fs::write(folder.path().join("inr_plugin.h"), &header).unwrap();
    let suite = format!(
        "#define INR_SUITE_CODEC \"{}\"",
        inr_plugin_api::INR_SUITE_CODEC
    );
    assert!(header.contains(&suite));
    // Every struct of the header is among the assertions, with every field.
    let structs = header.matches("size_t struct_size;").count();
    assert_eq!(text.matches("static_assert(sizeof(").count(), structs);
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
