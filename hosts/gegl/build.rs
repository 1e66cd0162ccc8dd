//! Links the operations against the host's libraries.

include!("../needed.rs");

fn main() {
    link(&[
        "libgegl-0.4.so.0",
        "libbabl-0.1.so.0",
        "libgobject-2.0.so.0",
        "libglib-2.0.so.0",
    ]);
    // GEGL must not unload the library, because GLib keeps its types and threads may still run its code.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
