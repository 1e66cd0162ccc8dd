//! The plug-in's C ABI under a host that says anything: buffers of any size, stride and format, regions, parameters and
//! files. Memory is as large as the host says that it is, or the plug-in has to refuse it untouched; nothing but rows of
//! outputs may change.
#![allow(unsafe_code)]

mod given;

use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};

use arbitrary::{Arbitrary, Unstructured};
use given::{Block, Buffer, Number, Rare, Region, Value, Values};
use inr_plugin_api::*;

#[derive(Arbitrary, Debug)]
struct Source {
    buffer: Buffer,
    key: u8,
    place: Rare<[u16; 4]>,
}

#[derive(Arbitrary, Debug)]
struct FilterCall {
    filter: u8,
    sources: Vec<Source>,
    values: Vec<Value>,
    region: Option<Region>,
    output: Buffer,
    unfitted: Rare<()>,
    patience: Rare<u8>,
    run: bool,
}

const FILES: [&[u8]; 4] = [
    include_bytes!("../../fixtures/latents/column-grey.inr"),
    include_bytes!("../../fixtures/latents/camera-64.inr"),
    include_bytes!("../../fixtures/vectors/siren-8bit.inr"),
    include_bytes!("../../fixtures/vectors/relu-pe-rgba-11bit.inr"),
];

#[derive(Arbitrary, Debug)]
enum Call {
    Filter(FilterCall),
    Open(Vec<u8>),
    /// One of [`FILES`], with other bytes at some places.
    OpenChanged(u8, Vec<(u16, u8)>),
    Render {
        region: Option<Region>,
        output: Buffer,
        unfitted: Rare<()>,
        derivative: u8,
        range: Number,
        patience: Rare<u8>,
    },
    Encode {
        input: Buffer,
        values: Vec<Value>,
        exif: Rare<Vec<u8>>,
        xmp: Rare<Vec<u8>>,
        patience: Rare<u8>,
    },
    Nothing,
}

/// Counts down, and asks to stop at zero.
unsafe extern "C" fn patience(ctx: *mut c_void, share: f64) -> u32 {
    assert!((0.0..=1.0).contains(&share), "{share}");
    // SAFETY: `watched` hands in a counter that outlives the call, which reports on the calling thread only.
    let left = unsafe { &mut *ctx.cast::<u32>() };
    *left = left.saturating_sub(1);
    u32::from(*left > 0)
}

fn watched(counter: &mut u32, limit: &Rare<u8>) -> InrProgress {
    *counter = limit.0.map_or(u32::MAX, u32::from);
    InrProgress {
        struct_size: size_of::<InrProgress>(),
        ctx: std::ptr::from_mut(counter).cast(),
        progress: Some(patience),
        is_cancelled: None,
    }
}

/// The plug-in's tables, a session and perhaps a picture.
struct Client {
    api: InrApi,
    codec: InrCodec,
    session: *mut InrSession,
    picture: *mut InrPicture,
}

const THERE: &str = "the plug-in has all functions";

impl Client {
    fn new() -> Self {
        let host = InrHost {
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
            max_pixels: 1 << 12,
            max_bytes: 1 << 16,
        };
        let (mut api, mut session) = (null(), null_mut());
        // SAFETY: the header's own calls with values of ours.
        unsafe {
            assert_eq!(
                inr_plugin::inr_get_api(INR_ABI_MAJOR, &host, &mut api),
                INR_OK
            );
            let api = *api;
            let codec = (api.suite.expect(THERE))(c"inr.codec".as_ptr(), 1);
            assert_eq!(
                (api.session_open.expect(THERE))(&host, &mut session),
                INR_OK
            );
            Self {
                api,
                codec: *codec.cast(),
                session,
                picture: null_mut(),
            }
        }
    }

    /// Holds what a call of the session, or of the picture, gave to the header.
    fn check(&self, code: i32, of_picture: bool) {
        // SAFETY: both handles are open or NULL.
        let message = unsafe {
            match of_picture {
                true => (self.codec.picture_message.expect(THERE))(self.picture),
                false => (self.api.session_message.expect(THERE))(self.session),
            }
        };
        // SAFETY: the header says that it is a string.
        let message = unsafe { CStr::from_ptr(message) };
        let message = message.to_str().expect("messages are UTF-8");
        let known = (INR_OK..INR_INTERNAL).contains(&code);
        assert!(known, "code {code}: {message}");
        let handle = !(of_picture && self.picture.is_null());
        assert!(
            !handle || (code == INR_OK) == message.is_empty(),
            "code {code}: {message:?}"
        );
    }

    fn filter(&self, call: &FilterCall) {
        let filter = u32::from(call.filter) % (self.api.filter_count + 1);
        // SAFETY: the table has so many filters.
        let info = (filter < self.api.filter_count)
            .then(|| unsafe { **self.api.filters.add(filter as usize) });
        // SAFETY: the table says so.
        let params = info.map_or(Vec::new(), |info| unsafe {
            copied(info.params, info.param_count)
        });
        // SAFETY: the table says so.
        let known = info.map_or(Vec::new(), |info| unsafe {
            copied(info.inputs, info.input_count)
        });
        let sources = &call.sources[..call.sources.len().min(3)];
        let blocks = sources
            .iter()
            .map(|source| Block::new(&source.buffer, None));
        let blocks: Vec<Block> = blocks.collect();
        let inputs = sources.iter().zip(&blocks).enumerate();
        let inputs: Vec<InrInput> = inputs
            .map(|(at, (source, block))| {
                let own = known.get(at).map_or(null(), |input| input.key);
                let [left, top, width, height] = source.place.0.unwrap_or_default().map(u32::from);
                InrInput {
                    struct_size: size_of::<InrInput>(),
                    key: match source.key {
                        0 => c"nobody".as_ptr(),
                        1 => null(),
                        _ => own,
                    },
                    buffer: &block.raw,
                    left,
                    top,
                    picture_width: width,
                    picture_height: height,
                }
            })
            .collect();
        let inputs: Vec<*const InrInput> = inputs.iter().map(std::ptr::from_ref).collect();
        let values = Values::new(&call.values, &params);
        let values = values.pointers();
        let region = call.region.as_ref().map(Region::raw);
        let mut counter = 0;
        let progress = watched(&mut counter, &call.patience);
        let mut asked = InrFilterCall {
            struct_size: size_of::<InrFilterCall>(),
            filter,
            input_count: inputs.len() as u32,
            inputs: inputs.as_ptr(),
            values: values.as_ptr(),
            value_count: values.len() as u32,
            reserved: 0,
            region: region.as_ref().map_or(null(), std::ptr::from_ref),
            output: null(),
            progress: &progress,
        };
        // SAFETY: a plan of zeros is a plan.
        let mut plan: InrPlan = unsafe { std::mem::zeroed() };
        plan.struct_size = size_of::<InrPlan>();
        // SAFETY: the session is open, and all that the call points to is as large as it says.
        let code = unsafe { (self.api.filter_plan.expect(THERE))(self.session, &asked, &mut plan) };
        self.check(code, false);
        if call.run {
            let whole = [plan.width, plan.height];
            let size = region.map_or(whole, |region| [region.width, region.height]);
            let fits = call.unfitted.0.is_none() && code == INR_OK;
            let output = Block::new(&call.output, fits.then_some((size, plan.layout)));
            asked.output = &output.raw;
            // SAFETY: as above.
            let code = unsafe { (self.api.filter_run.expect(THERE))(self.session, &asked) };
            self.check(code, false);
            output.check_gaps();
        }
        blocks.iter().for_each(Block::check_untouched);
    }

    fn open(&mut self, bytes: &[u8]) {
        let bytes = super::repaired(bytes);
        let mut picture = null_mut();
        let open = self.codec.picture_open.expect(THERE);
        // SAFETY: the session is open, and the bytes are there.
        let code = unsafe { open(self.session, bytes.as_ptr(), bytes.len(), &mut picture) };
        self.check(code, false);
        assert_eq!(code == INR_OK, !picture.is_null());
        if code == INR_OK {
            self.close();
            self.picture = picture;
        }
    }

    fn close(&mut self) {
        // SAFETY: it is open or NULL, and forgotten afterwards.
        unsafe { (self.codec.picture_close.expect(THERE))(self.picture) };
        self.picture = null_mut();
    }

    fn info(&self) -> Option<InrPictureInfo> {
        // SAFETY: zeros are a struct.
        let mut info: InrPictureInfo = unsafe { std::mem::zeroed() };
        info.struct_size = size_of::<InrPictureInfo>();
        // SAFETY: the picture is open or NULL.
        let code = unsafe { (self.codec.picture_info.expect(THERE))(self.picture, &mut info) };
        self.check(code, true);
        (code == INR_OK).then_some(info)
    }

    fn render(
        &self,
        region: Option<InrRegion>,
        output: &Buffer,
        fits: bool,
        [derivative, range]: [f64; 2],
        limit: &Rare<u8>,
    ) {
        let layout = self.info().map_or(3, |info| info.layout);
        let size = region.map(|region| [region.width, region.height]);
        let size = size.unwrap_or(output.size.map(|side| u32::from(side) % 17));
        let output = Block::new(output, fits.then_some((size, layout)));
        let mut counter = 0;
        let progress = watched(&mut counter, limit);
        let call = InrRenderCall {
            struct_size: size_of::<InrRenderCall>(),
            region: region.as_ref().map_or(null(), std::ptr::from_ref),
            output: &output.raw,
            derivative: derivative as u32,
            reserved: 0,
            range,
            progress: &progress,
        };
        // SAFETY: the picture is open or NULL, and the output is as large as it says.
        let code = unsafe { (self.codec.picture_render.expect(THERE))(self.picture, &call) };
        self.check(code, true);
        output.check_gaps();
    }

    fn encode(
        &self,
        input: &Buffer,
        values: &[Value],
        metadata: [Option<&[u8]>; 2],
        limit: &Rare<u8>,
    ) {
        let input = Block::new(input, None);
        // SAFETY: the table says so.
        let params = unsafe { copied(self.codec.params, self.codec.param_count) };
        let values = Values::new(values, &params);
        let values = values.pointers();
        let [exif, xmp] = metadata;
        let mut counter = 0;
        let progress = watched(&mut counter, limit);
        let call = InrEncodeCall {
            struct_size: size_of::<InrEncodeCall>(),
            input: &input.raw,
            values: values.as_ptr(),
            value_count: values.len() as u32,
            reserved: 0,
            exif: exif.map_or(null(), <[u8]>::as_ptr),
            exif_size: exif.map_or(0, <[u8]>::len),
            xmp: xmp.map_or(null(), <[u8]>::as_ptr),
            xmp_size: xmp.map_or(0, <[u8]>::len),
            progress: &progress,
            cicp: exif
                .and_then(|exif| exif.first_chunk().copied())
                .unwrap_or_default(),
        };
        let mut bytes = InrBytes {
            struct_size: size_of::<InrBytes>(),
            data: null_mut(),
            size: 0,
        };
        // SAFETY: the session is open, and the input is as large as it says.
        let code = unsafe { (self.codec.encode.expect(THERE))(self.session, &call, &mut bytes) };
        self.check(code, false);
        assert_eq!(code == INR_OK, !bytes.data.is_null());
        input.check_untouched();
        // SAFETY: what the session gave, or empty.
        unsafe { (self.codec.bytes_free.expect(THERE))(self.session, &mut bytes) };
        assert!(bytes.data.is_null());
    }

    fn nothing(&self) {
        // SAFETY: the header allows NULL for all of these.
        unsafe {
            (self.api.session_close.expect(THERE))(null_mut());
            (self.codec.picture_close.expect(THERE))(null_mut());
            let mut plan: InrPlan = std::mem::zeroed();
            let session = self.session;
            assert_ne!(
                (self.api.filter_plan.expect(THERE))(session, null(), &mut plan),
                INR_OK
            );
            assert_ne!(
                (self.api.filter_run.expect(THERE))(null_mut(), null()),
                INR_OK
            );
            let open = self.codec.picture_open.expect(THERE);
            assert_ne!(open(session, null(), 9, null_mut()), INR_OK);
            assert!((self.api.suite.expect(THERE))(c"nobody".as_ptr(), 1).is_null());
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
        // SAFETY: the session is open, and this is its end.
        unsafe { (self.api.session_close.expect(THERE))(self.session) };
    }
}

/// Copies of the structs behind an array of pointers.
///
/// # Safety
/// There are `count` of them.
unsafe fn copied<T: Copy>(pointers: *const *const T, count: u32) -> Vec<T> {
    let each = (0..count as usize).map(|at| {
        // SAFETY: the caller's promise.
        unsafe { **pointers.add(at) }
    });
    each.collect()
}

/// Up to four calls of one session.
pub fn calls(bytes: &[u8]) {
    let Ok(calls) = Vec::<Call>::arbitrary_take_rest(Unstructured::new(bytes)) else {
        return;
    };
    let mut client = Client::new();
    for call in calls.iter().take(4) {
        match call {
            Call::Filter(call) => client.filter(call),
            Call::Open(bytes) => client.open(bytes),
            Call::OpenChanged(choice, changes) => {
                let mut bytes = FILES[usize::from(*choice) % FILES.len()].to_vec();
                for &(at, byte) in changes {
                    let at = usize::from(at) % bytes.len();
                    bytes[at] = byte;
                }
                client.open(&bytes);
            }
            Call::Render {
                region,
                output,
                unfitted,
                derivative,
                range,
                patience,
            } => {
                let region = region.as_ref().map(Region::raw);
                let asked = [f64::from(derivative % 9), range.get()];
                client.render(region, output, unfitted.0.is_none(), asked, patience);
            }
            Call::Encode {
                input,
                values,
                exif,
                xmp,
                patience,
            } => {
                let metadata = [exif.0.as_deref(), xmp.0.as_deref()];
                client.encode(input, values, metadata, patience);
            }
            Call::Nothing => client.nothing(),
        }
    }
}
