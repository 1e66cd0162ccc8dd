//! The plug-in's C ABI under a host that says anything: buffers of any size, stride and format, regions, parameters and
//! files. Memory is as large as the host says that it is, or the plug-in has to refuse it untouched; nothing but rows of
//! outputs may change.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};

use arbitrary::{Arbitrary, Result, Unstructured};
use inr_plugin_api::*;

/// Seldom there.
#[derive(Debug)]
struct Rare<T>(Option<T>);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Rare<T> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let there = u.ratio(1, 16)?;
        Ok(Self(there.then(|| T::arbitrary(u)).transpose()?))
    }
}

#[derive(Arbitrary, Debug)]
enum Number {
    Unit(u8),
    Small(i8),
    Any(f64),
}

impl Number {
    fn get(&self) -> f64 {
        match *self {
            Self::Unit(byte) => f64::from(byte) / 255.0,
            Self::Small(number) => f64::from(number),
            Self::Any(number) => number,
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Stride {
    Tight,
    Padded(u8),
    Upwards(u8),
    Any(isize),
}

#[derive(Arbitrary, Debug)]
struct Buffer {
    size: [u8; 2],
    odd_size: Rare<[u32; 2]>,
    format: [u8; 4],
    stride: Stride,
    shift: u8,
    pixels: Vec<u8>,
    icc: Rare<Vec<u8>>,
    struct_size: Rare<u8>,
    no_data: Rare<()>,
}

/// Bytes that a buffer may reach over; larger ones have no data, or cannot be.
const MOST_BYTES: u128 = 1 << 20;

/// A buffer and its memory.
struct Block {
    raw: InrBuffer,
    memory: Vec<u8>,
    before: Vec<u8>,
    /// Where the top row begins, and bytes of a row.
    top: usize,
    row: usize,
}

impl Block {
    fn new(buffer: &Buffer, fitted: Option<([u32; 2], u32)>) -> Self {
        let [sample, mut layout, alpha, transfer] = buffer.format.map(u32::from);
        layout %= 6;
        let mut size = buffer.size.map(|side| u32::from(side) % 17);
        size = buffer.odd_size.0.unwrap_or(size);
        if let Some(fitted) = fitted {
            (size, layout) = fitted;
        }
        let sample = sample % 6;
        // Alpha that does not go with the layout is refused, so it is seldom.
        let alpha = match (alpha % 16, layout) {
            (0, _) => 3,
            (1..4, _) => alpha % 4,
            (_, 2 | 4) => 1 + alpha % 2,
            _ => 0,
        };
        let bytes = [1_u128, 1, 2, 2, 4, 1][sample as usize];
        let row = u128::from(size[0]) * bytes * u128::from(layout.max(1));
        let stride = match buffer.stride {
            Stride::Tight => row as isize,
            Stride::Padded(more) => row as isize + isize::from(i16::from(more)),
            Stride::Upwards(more) => -(row as isize + isize::from(i16::from(more))),
            Stride::Any(any) => any,
        };
        let down = stride.unsigned_abs() as u128 * u128::from(size[1].saturating_sub(1));
        let reach = row + down;
        let shift = usize::from(buffer.shift % 8);
        let length = if reach <= MOST_BYTES {
            reach as usize
        } else {
            1
        };
        let pixels = buffer.pixels.iter().copied().cycle();
        let mut memory: Vec<u8> = pixels.take(shift + length).collect();
        memory.resize(shift + length, 0x5a);
        let top = shift
            + if stride < 0 && reach <= MOST_BYTES {
                down as usize
            } else {
                0
            };
        let honest = reach <= MOST_BYTES || reach > isize::MAX as u128;
        let data = if honest && buffer.no_data.0.is_none() {
            memory.as_mut_ptr().wrapping_add(top).cast()
        } else {
            null_mut()
        };
        let icc = buffer.icc.0.as_deref();
        let raw = InrBuffer {
            struct_size: size_of::<InrBuffer>().min(odd(&buffer.struct_size)),
            data,
            stride,
            width: size[0],
            height: size[1],
            sample,
            layout,
            alpha,
            transfer: 1 + transfer % 3 / 2 + transfer / 250,
            icc: icc.map_or(null(), <[u8]>::as_ptr),
            icc_size: icc.map_or(0, <[u8]>::len),
        };
        Self {
            raw,
            before: memory.clone(),
            memory,
            top,
            row: row.min(MOST_BYTES) as usize,
        }
    }

    /// Of a buffer that was written: what lies between rows is as it was.
    fn check_gaps(&self) {
        let mut own = vec![false; self.memory.len()];
        for y in 0..self.raw.height.min(self.memory.len() as u32) as isize {
            let start = (y.saturating_mul(self.raw.stride)).saturating_add(self.top as isize);
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            if let Some(row) = own.get_mut(start..start.saturating_add(self.row)) {
                row.fill(true);
            }
        }
        let pairs = self.memory.iter().zip(&self.before).zip(own);
        assert!(
            pairs
                .into_iter()
                .all(|((now, before), own)| own || now == before)
        );
    }

    fn check_untouched(&self) {
        assert!(self.memory == self.before, "an input was written");
    }
}

/// The size that a struct says it has, where that is odd.
fn odd(size: &Rare<u8>) -> usize {
    size.0.map_or(usize::MAX, usize::from)
}

#[derive(Arbitrary, Debug)]
struct Value {
    param: u8,
    odd_key: Rare<Vec<u8>>,
    number: Number,
    choice: u8,
    text: Rare<Vec<u8>>,
    rgb: [Number; 3],
    struct_size: Rare<u8>,
}

/// Bytes up to their first zero, as C has them.
fn c_string(bytes: &[u8]) -> CString {
    let end = bytes.iter().position(|byte| *byte == 0);
    CString::new(&bytes[..end.unwrap_or(bytes.len())]).unwrap_or_default()
}

/// Values as C sees them, and their strings.
struct Values {
    _texts: Vec<CString>,
    raw: Vec<InrValue>,
}

impl Values {
    fn new(values: &[Value], params: &[InrParamInfo]) -> Self {
        let mut texts = Vec::new();
        let mut keep = |bytes: &[u8]| -> *const c_char {
            texts.push(c_string(bytes));
            texts[texts.len() - 1].as_ptr()
        };
        let raw = values.iter().take(40).map(|value| {
            let param = params.get(usize::from(value.param) % params.len().max(1));
            let choices = param.map_or(0, |param| param.choice_count as usize);
            let choice = (choices > 0).then(|| {
                let at = usize::from(value.choice) % choices;
                // SAFETY: the table has so many choices.
                param.map_or(null(), |param| unsafe { (**param.choices.add(at)).key })
            });
            InrValue {
                struct_size: size_of::<InrValue>().min(odd(&value.struct_size)),
                key: match (&value.odd_key.0, param) {
                    (None, Some(param)) => param.key,
                    (key, _) => keep(key.as_deref().unwrap_or(b"")),
                },
                number: value.number.get(),
                text: match (&value.text.0, choice) {
                    (Some(text), _) => keep(text),
                    (None, choice) => choice.unwrap_or(null()),
                },
                rgb: [0, 1, 2].map(|at| value.rgb[at].get()),
            }
        });
        let raw = raw.collect();
        Self { _texts: texts, raw }
    }

    fn pointers(&self) -> Vec<*const InrValue> {
        self.raw.iter().map(std::ptr::from_ref).collect()
    }
}

#[derive(Arbitrary, Debug)]
struct Region {
    origin: [Number; 2],
    step: [Number; 2],
    unit: bool,
    size: [u8; 2],
    odd_size: Rare<[u32; 2]>,
    struct_size: Rare<u8>,
}

impl Region {
    fn raw(&self) -> InrRegion {
        let [x, y] = [0, 1].map(|at| self.origin[at].get());
        let [step_x, step_y] = [0, 1].map(|at| if self.unit { 1.0 } else { self.step[at].get() });
        let size = self.size.map(|side| u32::from(side) % 17);
        let [width, height] = self.odd_size.0.unwrap_or(size);
        InrRegion {
            struct_size: size_of::<InrRegion>().min(odd(&self.struct_size)),
            x,
            y,
            step_x,
            step_y,
            width,
            height,
        }
    }
}

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
