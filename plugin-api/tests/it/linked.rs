//! A plug-in linked into its host: every call goes through the C ABI in one program, so that Miri can run it
//! (`cargo +nightly miri test -p inr-plugin-api --features host --test it -- linked calls`).

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use inr_plugin_api::guest::{
    Call, Codec, CodecInfo, CodecTables, Description, EDITS, EncodeCall, Host, Plan, Plugin,
    RenderCall, Tables, get_api,
};
use inr_plugin_api::host::{self, Extras, Options, Pixmap, Request, Watcher};
use inr_plugin_api::*;

use crate::common::{filled, request};

struct Probe;

/// The filter `wait` is running.
pub static RUNNING: AtomicBool = AtomicBool::new(false);
/// The filter `wait` may return.
pub static RELEASED: AtomicBool = AtomicBool::new(false);

static TABLES: LazyLock<Tables> = LazyLock::new(described);

fn described() -> Tables {
    let filter = |key: &str| Filter {
        id: format!("org.example.probe.{key}"),
        key: key.into(),
        label: key.into(),
        hint: String::new(),
        version: "1.0.0".into(),
        capabilities: Capabilities(EDITS | INR_CAP_TILES),
        thread_class: ThreadClass::PerHandle,
        inputs: vec![Input::new("image", "Image", "", true)],
        params: vec![Param::number(
            "gain",
            "Gain",
            "",
            [0.0, 2.0],
            [0.0, 2.0],
            1.0,
        )],
    };
    Tables::new(Description {
        id: "org.example.probe".into(),
        name: "Probe".into(),
        version: "1.0.0".into(),
        capabilities: Capabilities(0),
        thread_class: ThreadClass::PerHandle,
        filters: vec![filter("copy"), filter("panic"), filter("wait")],
    })
}

static CODEC: LazyLock<CodecTables> = LazyLock::new(|| codec("stored", "image/x-stored", b""));

fn codec(extension: &str, mime_type: &str, magic: &[u8]) -> CodecTables {
    let file_type = FileType {
        extension: extension.into(),
        mime_type: mime_type.into(),
        magic: magic.into(),
    };
    CodecTables::new::<Stored>(Vec::new(), file_type)
}

impl Plugin for Probe {
    fn tables() -> &'static Tables {
        &TABLES
    }

    fn run(filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
        match filter {
            1 => panic!("on purpose"),
            2 => {
                RUNNING.store(true, Ordering::Release);
                while !RELEASED.load(Ordering::Acquire) {
                    std::thread::yield_now();
                }
            }
            _ => {}
        }
        let image = call.image()?;
        let plan: Plan = Self::plan(filter, call)?;
        let [left, top, width, height] = call.region(&plan)?.pixels(image.picture)?;
        let channels = image.pixels.format().layout.channels();
        let gain = call.number("gain") as f32;
        let mut row = vec![0.0; image.pixels.size()[0] as usize * channels];
        for y in 0..height {
            image.pixels.read_row(y + top - image.origin[1], &mut row);
            row.iter_mut().for_each(|value| *value *= gain);
            let from = (left - image.origin[0]) as usize * channels;
            let made = &row[from..][..width as usize * channels];
            if let Some(mut rows) = output.rows::<f32>() {
                rows[y as usize].copy_from_slice(made);
            } else {
                output.write_row(y, made);
            }
            call.watch().done(f64::from(y + 1) / f64::from(height))?;
        }
        Ok(())
    }

    fn codec() -> Option<&'static CodecTables> {
        Some(&CODEC)
    }
}

/// A picture format: width, height, then grey pixels.
struct Stored {
    size: [u32; 2],
    pixels: Vec<u8>,
    exif: Vec<u8>,
}

impl Codec for Stored {
    fn tables() -> &'static CodecTables {
        &CODEC
    }

    fn open(file: &[u8], host: &Host) -> Result<Self, Failure> {
        let [width, height, rest @ ..] = file else {
            return Err(Failure::new(Status::Corrupt, "no size"));
        };
        let size = [u32::from(*width), u32::from(*height)];
        let count = (size[0] * size[1]) as usize;
        if host.max_pixels().is_some_and(|limit| count as u64 > limit) {
            return Err(Failure::new(Status::TooLarge, "too large"));
        }
        if rest.len() < count {
            return Err(Failure::new(Status::Corrupt, "cut off"));
        }
        let (pixels, exif) = rest.split_at(count);
        Ok(Self {
            size,
            pixels: pixels.to_vec(),
            exif: exif.to_vec(),
        })
    }

    fn info(&self) -> CodecInfo<'_> {
        CodecInfo {
            size: self.size,
            format: Format::plain(Sample::U8, Layout::Grey),
            icc: None,
            exif: Some(&self.exif).filter(|e| !e.is_empty()).map(|e| &**e),
            xmp: None,
            cicp: None,
            model: c"stored",
            file_size: (2 + self.pixels.len() + self.exif.len()) as u64,
        }
    }

    fn render(&mut self, call: &RenderCall, output: &mut PixelsMut) -> Result<(), Failure> {
        assert!(call.derivative < 3, "no such derivative");
        for (y, row) in self.pixels.chunks_exact(self.size[0] as usize).enumerate() {
            output.row(y as u32).copy_from_slice(row);
            call.watch.done(y as f64 / f64::from(self.size[1]))?;
        }
        Ok(())
    }

    fn encode(call: &EncodeCall, host: &Host) -> Result<Vec<u8>, Failure> {
        host.log(INR_LOG_INFO, "encoding");
        let [width, height] = call.pixels.size();
        let mut file = vec![width as u8, height as u8];
        (0..height).for_each(|y| file.extend_from_slice(call.pixels.row(y)));
        file.extend(call.exif.iter().flatten());
        Ok(file)
    }
}

pub unsafe extern "C" fn export(major: u32, host: *const InrHost, out: *mut *const InrApi) -> i32 {
    // SAFETY: the caller makes the same promise.
    unsafe { get_api::<Probe>(major, host, out) }
}

pub fn probe() -> host::Plugin {
    host::Plugin::from_export(export, PathBuf::from("probe")).unwrap()
}

#[test]
fn a_filter_reads_and_writes_every_kind_of_sample() {
    let plugin = probe();
    let mut session = plugin.open(&Options::default()).unwrap();
    for sample in [Sample::U8, Sample::U16, Sample::F16, Sample::F32] {
        for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
            let input = filled([5, 4], sample, layout);
            let mut output = Pixmap::new([5, 4], input.format);
            let request = request("copy", &input);
            assert_eq!(session.plan(&request).unwrap().layout, layout);
            session.run(&request, &mut output, None).unwrap();
            assert_eq!(output.data, input.data, "{sample:?} {layout:?}");
        }
    }
    let input = filled([5, 4], Sample::U8, Layout::Rgb);
    let mut tile = Pixmap::new([2, 3], input.format);
    let tiled = Request {
        region: Some(Region {
            origin: [3.0, 1.0],
            step: [1.0; 2],
            size: [2, 3],
        }),
        values: vec![("gain".into(), Value::Number(2.0))],
        ..request("copy", &input)
    };
    session.run(&tiled, &mut tile, None).unwrap();
    for (at, byte) in tile.data.iter().enumerate() {
        let source = (at / 6 + 1) * 15 + 9 + at % 6;
        assert_eq!(u16::from(*byte), 2 * u16::from(input.data[source]));
    }
}

#[test]
fn a_call_is_cancelled_and_a_panic_disables_only_its_session() {
    let plugin = probe();
    let input = filled([3, 8], Sample::U8, Layout::Grey);
    let mut output = Pixmap::new([3, 8], input.format);
    let mut session = plugin.open(&Options::default()).unwrap();
    let flag = AtomicBool::new(false);
    let mut calls = 0;
    let mut stop = |share: f64| {
        calls += 1;
        flag.store(share > 0.4, Ordering::Relaxed);
        true
    };
    let watcher = Watcher {
        progress: &mut stop,
        cancelled: &flag,
    };
    let copy = request("copy", &input);
    let failure = session.run(&copy, &mut output, Some(watcher)).unwrap_err();
    assert_eq!(failure.status, Status::Cancelled);
    assert!(calls < 8, "{calls} rows");
    let panics = request("panic", &input);
    let failure = session.run(&panics, &mut output, None).unwrap_err();
    assert!(failure.message.contains("on purpose"), "{failure}");
    let failure = session.run(&copy, &mut output, None).unwrap_err();
    assert!(failure.message.contains("close this handle"), "{failure}");
    let mut other = plugin.open(&Options::default()).unwrap();
    other.run(&copy, &mut output, None).unwrap();
    assert_eq!(output.data, input.data);
}

/// Loads a plug-in whose codec states this of its files.
macro_rules! stating {
    ($($stated:literal),*) => {{
        struct Other;
        impl Plugin for Other {
            fn tables() -> &'static Tables {
                static TABLES: LazyLock<Tables> = LazyLock::new(described);
                &TABLES
            }
            fn run(filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
                Probe::run(filter, call, output)
            }
            fn codec() -> Option<&'static CodecTables> {
                static CODEC: LazyLock<CodecTables> = LazyLock::new(|| codec($($stated),*));
                Some(&CODEC)
            }
        }
        unsafe extern "C" fn export(
            major: u32,
            host: *const InrHost,
            out: *mut *const InrApi,
        ) -> i32 {
            // SAFETY: the caller makes the same promise.
            unsafe { get_api::<Other>(major, host, out) }
        }
        host::Plugin::from_export(export, PathBuf::from("other")).unwrap()
    }};
}

#[test]
fn a_codec_states_of_its_files_what_it_knows() {
    let stated = |plugin: host::Plugin| {
        assert!(plugin.encode_params().is_some());
        let found = plugin.file_type()?.clone();
        Some((found.extension, found.mime_type, found.magic))
    };
    let made = |extension: &str, mime: &str, magic: &[u8]| {
        Some((extension.into(), mime.into(), magic.to_vec()))
    };
    assert_eq!(stated(stating!("", "", b"")), None);
    assert_eq!(stated(stating!("x", "", b"")), made("x", "", b""));
    assert_eq!(stated(stating!("", "a/b", b"")), made("", "a/b", b""));
    assert_eq!(stated(stating!("", "", b"\0X")), made("", "", b"\0X"));
}

#[test]
fn a_codec_encodes_opens_and_renders() {
    let plugin = probe();
    let file_type = plugin.file_type().unwrap();
    assert_eq!(file_type.extension, "stored");
    assert_eq!(file_type.mime_type, "image/x-stored");
    assert!(file_type.magic.is_empty());
    let limited = Options {
        max_pixels: 50,
        ..Options::default()
    };
    let mut session = plugin.open(&limited).unwrap();
    let mut codec = session.codec().unwrap();
    let pixels = filled([4, 3], Sample::U8, Layout::Grey);
    let extras = Extras {
        exif: Some(b"MM\0*"),
        ..Extras::default()
    };
    let file = codec.encode(&pixels, extras, &[], None).unwrap();
    assert_eq!(file.len(), 2 + 12 + 4);
    let mut picture = codec.open(&file).unwrap();
    for (bytes, status) in [
        (&file[..9], Status::Corrupt),
        (&[200, 200][..], Status::TooLarge),
    ] {
        assert_eq!(codec.open(bytes).unwrap_err().status, status);
    }
    drop(session);
    // Pictures outlive the session that opened them.
    let info = picture.info().unwrap();
    assert_eq!((info.size, &*info.model), ([4, 3], "stored"));
    assert_eq!(info.exif.as_deref(), Some(&b"MM\0*"[..]));
    let mut output = Pixmap::new([4, 3], info.format);
    picture.render(None, 0, 0.0, &mut output, None).unwrap();
    assert_eq!(output.data, pixels.data);
    let failure = picture.render(None, 7, 0.0, &mut output, None).unwrap_err();
    assert!(failure.message.contains("no such derivative"), "{failure}");
    assert_eq!(picture.info().unwrap_err().status, Status::Internal);
}
