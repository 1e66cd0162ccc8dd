//! A GIMP plug-in that shows the filters of plug-ins behind the C ABI of `inr-plugin-api` as GIMP's own, and opens and
//! exports `.inr` files. It is to lie in GIMP's folder of plug-ins with the plug-ins that it shows: `scripts/install-gimp`.
//!
//! GIMP's libraries are loaded when GIMP starts it, so that it is built without them. [`catalogue`], [`filter`], [`mod@file`],
//! [`pixels`] and [`editor`] know images and layers by handles of any type; [`v2`] and [`v3`] are the front ends for
//! GIMP 2.10 and 3.0; one program has both.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod catalogue;
#[cfg(target_os = "linux")]
mod editor;
#[cfg(target_os = "linux")]
mod file;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod pixels;
#[cfg(target_os = "linux")]
mod procedure;
#[cfg(target_os = "linux")]
mod v2;
#[cfg(target_os = "linux")]
mod v3;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    // GEGL then does not load its operations, none of which is used here: that is half of what a start takes.
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("GEGL_PATH", "/nonexistent") };
    // GIMP 3 names the version of its protocol beside what GIMP 2.10 says.
    match std::env::args_os().len() {
        7.. => v3::main(),
        _ => v2::main(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this plug-in is for GIMP on Linux");
}
