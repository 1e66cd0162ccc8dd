//! Links the loader against the host's libraries.

include!("../needed.rs");

fn main() {
    link(&[
        "libgdk_pixbuf-2.0.so.0",
        "libgobject-2.0.so.0",
        "libglib-2.0.so.0",
    ]);
}
