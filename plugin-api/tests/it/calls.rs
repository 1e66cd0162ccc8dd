//! The header's own functions, called without the loader.

use std::ffi::CStr;
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering;

use inr_plugin_api::host::{Options, Pixmap, Request};
use inr_plugin_api::*;

use crate::common::{filled, request};
use crate::linked::{RELEASED, RUNNING, export, probe};

/// A session's raw pointer, to be sent to another thread.
#[derive(Clone, Copy)]
struct Shared(InrApi, *mut InrSession);

// SAFETY: the header lets handles move between threads, and handles reject simultaneous calls.
unsafe impl Send for Shared {}

/// 3 rows of 2 grey pixels, `stride` bytes apart, from `data`.
fn buffer(data: *mut u8, stride: isize, sample: Sample) -> InrBuffer {
    InrBuffer {
        struct_size: size_of::<InrBuffer>(),
        data: data.cast(),
        stride,
        width: 2,
        height: 3,
        sample: sample.code(),
        layout: Layout::Grey.code(),
        alpha: Alpha::None.code(),
        transfer: Transfer::Encoded.code(),
        icc: null(),
        icc_size: 0,
    }
}

/// A host without services.
const HOST: InrHost = InrHost {
    struct_size: size_of::<InrHost>(),
    abi_major: INR_ABI_MAJOR,
    abi_minor: INR_ABI_MINOR,
    name: null(),
    ctx: null_mut(),
    alloc: None,
    free: None,
    log: None,
    max_threads: 1,
    reserved: 0,
    max_pixels: 0,
    max_bytes: 0,
};

impl Shared {
    fn open() -> Self {
        let host = HOST;
        let (mut api, mut session) = (null(), null_mut());
        // SAFETY: the calls follow the header and use local values.
        unsafe {
            assert_eq!(export(INR_ABI_MAJOR, &host, &mut api), INR_OK);
            assert_eq!((*api).session_open.unwrap()(&host, &mut session), INR_OK);
            Self(*api, session)
        }
    }

    /// Runs filter number `filter` on buffers of [`buffer`].
    fn run(self, filter: u32, input: InrBuffer, output: InrBuffer) -> i32 {
        let input = InrInput {
            struct_size: size_of::<InrInput>(),
            key: c"image".as_ptr(),
            buffer: &input,
            left: 0,
            top: 0,
            picture_width: 2,
            picture_height: 3,
        };
        let call = InrFilterCall {
            struct_size: size_of::<InrFilterCall>(),
            filter,
            input_count: 1,
            inputs: &(&raw const input),
            values: null(),
            value_count: 0,
            reserved: 0,
            region: null(),
            output: &output,
            progress: null(),
        };
        // SAFETY: the session is open, and all pointers of the call are valid.
        unsafe { self.0.filter_run.unwrap()(self.1, &call) }
    }

    /// Calls [`Shared::run`] with rows that are stored bottom up, 5 bytes apart.
    fn run_upwards(self, filter: u32) -> (i32, [u8; 12]) {
        let mut from: [u8; 12] = std::array::from_fn(|at| at as u8);
        let mut to = [99; 12];
        let bottom_up =
            |bytes: &mut [u8; 12]| buffer(bytes.as_mut_ptr().wrapping_add(10), -5, Sample::U8);
        let code = self.run(filter, bottom_up(&mut from), bottom_up(&mut to));
        (code, to)
    }

    fn message(self) -> String {
        // SAFETY: the session is open, and the message is valid until the next call.
        let message = unsafe { CStr::from_ptr(self.0.session_message.unwrap()(self.1)) };
        message.to_str().unwrap().into()
    }

    fn close(self) {
        // SAFETY: the session is open, and this is its last call.
        unsafe { self.0.session_close.unwrap()(self.1) };
    }
}

#[test]
fn a_handle_in_use_rejects_other_threads_and_gaps_between_rows_stay_unchanged() {
    let shared = Shared::open();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let shared = shared;
            shared.run_upwards(2)
        });
        while !RUNNING.load(Ordering::Acquire) {
            assert!(!waiting.is_finished(), "the filter did not run");
            std::thread::yield_now();
        }
        let refused = shared.run_upwards(0);
        let message = shared.message();
        // Assertions before this line would leave the other thread waiting.
        RELEASED.store(true, Ordering::Release);
        assert_eq!(refused, (INR_BAD_ARGUMENT, [99; 12]));
        assert_eq!(message, "another call uses this handle");
        let (code, to) = waiting.join().unwrap();
        assert_eq!(code, INR_OK);
        assert_eq!(to, [0, 1, 99, 99, 99, 5, 6, 99, 99, 99, 10, 11]);
    });
    assert_eq!(shared.message(), "");
    shared.close();
}

/// The half that one thread writes.
struct Half(*mut u8);

// SAFETY: only one thread uses each half.
unsafe impl Send for Half {}

#[test]
fn threads_write_side_by_side_into_one_picture() {
    let mut picture = [[0.0_f32; 4]; 3];
    let start: *mut u8 = picture.as_mut_ptr().cast();
    std::thread::scope(|scope| {
        for half in [Half(start), Half(start.wrapping_add(8))] {
            scope.spawn(move || {
                let Half(data) = { half };
                let mut from = [[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
                let input = buffer(from.as_mut_ptr().cast(), 8, Sample::F32);
                let shared = Shared::open();
                assert_eq!(shared.run(0, input, buffer(data, 16, Sample::F32)), INR_OK);
                shared.close();
            });
        }
    });
    let row = |first: f32| [first, first + 1.0, first, first + 1.0];
    assert_eq!(picture, [row(1.0), row(3.0), row(5.0)]);
}

#[test]
fn a_host_of_another_major_version_opens_no_session() {
    let other = InrHost {
        abi_major: INR_ABI_MAJOR + 1,
        ..HOST
    };
    let (mut api, mut session) = (null(), null_mut());
    // SAFETY: the calls follow the header and use local values.
    let code = unsafe {
        assert_eq!(export(INR_ABI_MAJOR, &other, &mut api), INR_OK);
        (*api).session_open.unwrap()(&other, &mut session)
    };
    assert_eq!((code, session), (INR_VERSION, null_mut()));
    // Its struct may be smaller than ours, as long as it has the version.
    let member = std::mem::offset_of!(InrHost, abi_major);
    for (struct_size, abi_major, expected) in [
        (size_of::<Start>(), INR_ABI_MAJOR + 1, INR_VERSION),
        (member + 4, INR_ABI_MAJOR + 1, INR_VERSION),
        (member, INR_ABI_MAJOR + 1, INR_BAD_ARGUMENT),
        (size_of::<Start>(), INR_ABI_MAJOR, INR_BAD_ARGUMENT),
    ] {
        let start = Start {
            struct_size,
            abi_major,
        };
        // SAFETY: the call follows the header, by which the plug-in reads no more than the size that the struct states.
        let code = unsafe {
            let host: *const InrHost = (&raw const start).cast();
            (*api).session_open.unwrap()(host, &mut session)
        };
        assert_eq!((code, session), (expected, null_mut()), "{start:?}");
    }
}

/// What the struct of a host begins with.
#[repr(C)]
#[derive(Debug)]
struct Start {
    struct_size: usize,
    abi_major: u32,
}

#[test]
fn an_output_that_shares_pixels_with_an_input_is_rejected() {
    let shared = Shared::open();
    let mut memory = [7_u8; 64];
    let data = memory.as_mut_ptr();
    // Starts and strides of input and output, with rows of 2 bytes, and whether a byte belongs to both.
    for (input, output, overlaps) in [
        ((0, 2), (0, 2), true),
        ((0, 2), (5, 2), true),
        ((0, 2), (6, 2), false),
        ((6, 2), (0, 2), false),
        ((0, 4), (2, 4), false),
        ((0, 4), (1, 4), true),
        ((0, 4), (3, 4), true),
        ((10, -5), (2, 5), false),
        ((10, -5), (1, 5), true),
        ((2, 20), (0, 8), false),
        ((2, 20), (6, 8), true),
        ((30, 2), (42, -3), false),
        ((30, 2), (41, -3), true),
    ] {
        let at = |(start, stride)| buffer(data.wrapping_add(start), stride, Sample::U8);
        let code = shared.run(0, at(input), at(output));
        let expected = if overlaps { INR_BAD_ARGUMENT } else { INR_OK };
        let message = shared.message();
        assert_eq!(code, expected, "{input:?} {output:?}: {message}");
        assert!(
            !overlaps || message.contains("output overlaps input image"),
            "{message}"
        );
    }
    shared.close();
}

/// What the plug-in logged in the test below.
static LOGGED: std::sync::Mutex<Vec<(u32, String)>> = std::sync::Mutex::new(Vec::new());

#[test]
fn samples_that_are_no_numbers_are_replaced_with_a_warning() {
    let options = Options {
        log: Some(|level, text| LOGGED.lock().unwrap().push((level, text.into()))),
        ..Options::default()
    };
    let mut session = probe().open(&options).unwrap();
    let values = [0.25, 0.5, f32::NAN, f32::INFINITY, 0.75, f32::NEG_INFINITY];
    let format = Format::plain(Sample::F32, Layout::Rgb);
    let mut input = Pixmap::new([1, 2], format);
    input.data = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let mut output = Pixmap::new([1, 2], format);
    let copy = request("copy", &input);
    session.run(&copy, &mut output, None).unwrap();
    let made: Vec<f32> = output
        .data
        .chunks_exact(4)
        .map(|b| f32::from_ne_bytes(b.try_into().unwrap()))
        .collect();
    assert_eq!(made, [0.25, 0.5, 0.0, 1.0, 0.75, 0.0]);
    let logged = std::mem::take(&mut *LOGGED.lock().unwrap());
    let [(level, text)] = &logged[..] else {
        panic!("{logged:?}");
    };
    assert_eq!(*level, INR_LOG_WARNING);
    assert!(text.contains("input image has samples"), "{text}");
    assert!(text.contains("not finite: 3, the first"), "{text}");
    assert!(text.contains("channel 2 of pixel 0, 0"), "{text}");
    // Neither tiles of this picture nor parts without such samples have another warning; another picture has.
    let tile = |top: f64| Region {
        origin: [0.0, top],
        step: [1.0; 2],
        size: [1, 1],
    };
    let mut other = Pixmap::new([1, 3], format);
    other.data[24..28].copy_from_slice(&f32::NAN.to_ne_bytes());
    let mut output = Pixmap::new([1, 1], format);
    for (picture, top, warnings) in [
        (&input, 0.0, 0),
        (&input, 1.0, 0),
        (&other, 0.0, 0),
        (&other, 1.0, 0),
        (&other, 2.0, 1),
        (&other, 2.0, 0),
    ] {
        let part = Request {
            region: Some(tile(top)),
            ..request("copy", picture)
        };
        session.run(&part, &mut output, None).unwrap();
        let logged = std::mem::take(&mut *LOGGED.lock().unwrap());
        assert_eq!(logged.len(), warnings, "{top}: {logged:?}");
        assert!(logged.iter().all(|(_, text)| text.contains("pixel 0, 2")));
    }
    let finite = filled([2, 2], Sample::F16, Layout::Grey);
    let mut output = Pixmap::new([2, 2], finite.format);
    session
        .run(&request("copy", &finite), &mut output, None)
        .unwrap();
    assert!(LOGGED.lock().unwrap().is_empty());
}
