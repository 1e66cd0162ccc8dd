//! A GIMP plug-in that runs the filters of plug-ins behind the C ABI of `inr-plugin-api`, and opens and exports `.inr` files.
//! `scripts/install-gimp` copies it with those plug-ins into GIMP's plug-in folder.
//!
//! The program loads GIMP's libraries at start, so building it does not need GIMP. It serves both versions of GIMP: [`v2`] and
//! [`v3`] are the front ends for 2.10 and 3.0, and the other modules are generic over their handles of images and layers.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod carried;
#[cfg(target_os = "linux")]
mod catalogue;
#[cfg(target_os = "linux")]
mod editor;
#[cfg(target_os = "linux")]
mod file;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod live;
#[cfg(target_os = "linux")]
mod metadata;
#[cfg(target_os = "linux")]
mod pixels;
#[cfg(target_os = "linux")]
mod preview;
#[cfg(target_os = "linux")]
mod procedure;
#[cfg(target_os = "linux")]
mod v2;
#[cfg(target_os = "linux")]
mod v3;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    // Stops GEGL from loading its operations, which halves the start-up time; the plug-in uses none of them.
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("GEGL_PATH", "/nonexistent") };
    // GIMP 3 passes the version of its protocol in addition to the arguments of GIMP 2.10.
    match std::env::args_os().len() {
        7.. => v3::main(),
        _ => v2::main(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this plug-in supports GIMP on Linux only");
}
