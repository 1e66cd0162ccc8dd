//! Has the operations name the host's libraries as needed.

include!("../needed.rs");

fn main() {
    link(&[
        "libgegl-0.4.so.0",
        "libbabl-0.1.so.0",
        "libgobject-2.0.so.0",
        "libglib-2.0.so.0",
    ]);
    // Types that are known to GLib, and threads, outlive what GEGL might unload.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
