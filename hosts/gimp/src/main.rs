//! A GIMP plug-in that shows the filters of plug-ins behind the C ABI of `inr-plugin-api` as GIMP's own, and opens and
//! exports `.inr` files. It is to lie in GIMP's folder of plug-ins with the plug-ins that it shows: `scripts/install-gimp`.
//!
//! GIMP's libraries are loaded when GIMP starts it, so that it is built without them. [`catalogue`], [`filter`], [`file`],
//! [`pixels`] and [`editor`] know images and layers by handles of any type; [`v2`] is the front end for GIMP 2.10.

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
mod v2;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    v2::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this plug-in is for GIMP on Linux");
}
