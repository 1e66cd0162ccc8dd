//! The suite `inr.codec`.

use std::ffi::CString;
use std::ptr::null;
use std::sync::LazyLock;

use inr::{
    Depth, Derivative, EncodeOptions, InrPicture, Limits, Metadata, Method, Metric, Model,
    OutputSize, RenderOptions, Samples, SamplesMut, Target,
};
use inr_plugin_api::guest::{
    Handle, Host, Region, Tables, Watch, bytes, in_session, read, settle_values, write,
};
use inr_plugin_api::*;

use crate::failure::{Watched, failure};
use crate::picture::{host_layout, picture};

/// What is behind an `InrPicture` of the ABI.
struct Opened {
    picture: InrPicture,
    metadata: Metadata,
    model: CString,
    host: Host,
}

struct Suite {
    params: Vec<Param>,
    table: InrCodec,
}

// SAFETY: what the table's pointers lead to is never written again.
unsafe impl Send for Suite {}
// SAFETY: as above.
unsafe impl Sync for Suite {}

static SUITE: LazyLock<Suite> = LazyLock::new(|| {
    let params = params();
    Suite {
        table: InrCodec {
            struct_size: size_of::<InrCodec>(),
            version: INR_SUITE_CODEC_VERSION,
            param_count: params.len() as u32,
            params: Tables::params(&params),
            picture_open: Some(picture_open),
            picture_close: Some(picture_close),
            picture_message: Some(picture_message),
            picture_info: Some(picture_info),
            picture_render: Some(picture_render),
            encode: Some(encode),
            bytes_free: Some(bytes_free),
        },
        params,
    }
});

/// The suite's functions and parameters.
pub(crate) fn table() -> &'static InrCodec {
    &SUITE.table
}

fn params() -> Vec<Param> {
    let effort = Kind::Number {
        whole: true,
        range: [1.0, 9.0],
        display: [1.0, 9.0],
        default: 5.0,
        step: 1.0,
        digits: 0,
    };
    let metrics = [
        ("mse", "Least squared error"),
        ("ssim", "Structure"),
        ("perceptual", "What viewers notice"),
    ];
    let quality = "0 to 100; larger files and better pictures as it rises.";
    vec![
        Param::number(
            "quality",
            "Quality",
            quality,
            [0.0, 100.0],
            [0.0, 100.0],
            75.0,
        ),
        Param::new(
            "effort",
            "Effort",
            "How long to look for a smaller file.",
            effort,
        ),
        Param::choice("metric", "Metric", "What bytes are spent on.", &metrics),
        Param::new(
            "preview",
            "Preview",
            "Store a small JPEG as well.",
            Kind::Bool(false),
        ),
    ]
}

fn limits(host: &Host) -> Limits {
    let mut limits = Limits::default();
    if let Some(pixels) = host.max_pixels() {
        limits.pixels = pixels;
        limits.render_pixels = pixels;
    }
    if let Some(bytes) = host.max_bytes() {
        limits.file_bytes = bytes;
    }
    limits
}

unsafe extern "C" fn picture_open(
    session: *mut InrSession,
    data: *const u8,
    size: usize,
    out: *mut *mut inr_plugin_api::InrPicture,
) -> i32 {
    // SAFETY: the header asks this of the caller.
    unsafe {
        in_session(session, |session| {
            if out.is_null() || data.is_null() {
                return Err(Failure::bad("the bytes or out are NULL"));
            }
            let limits = limits(&session.host);
            if size as u64 > limits.file_bytes {
                let message = format!("{size} bytes, the limit is {}", limits.file_bytes);
                return Err(Failure::new(Status::TooLarge, message));
            }
            let file = std::slice::from_raw_parts(data, size);
            let picture = InrPicture::open(file, &limits).map_err(|error| failure(&error))?;
            let model = match &picture.file().header.model {
                Model::Mlp(_) => c"network",
                _ => c"pyramid",
            };
            let opened = Handle::open(Opened {
                metadata: picture.metadata(),
                picture,
                model: model.to_owned(),
                host: session.host,
            });
            out.write(opened.cast());
            Ok(())
        })
    }
}

unsafe extern "C" fn picture_close(picture: *mut inr_plugin_api::InrPicture) {
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened>::close(picture.cast()) }
}

unsafe extern "C" fn picture_message(
    picture: *mut inr_plugin_api::InrPicture,
) -> *const std::ffi::c_char {
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened>::message(picture.cast()) }
}

unsafe extern "C" fn picture_info(
    picture: *mut inr_plugin_api::InrPicture,
    out: *mut InrPictureInfo,
) -> i32 {
    let work = |opened: &mut Opened| {
        let picture = &opened.picture;
        let sample = match picture.depth() {
            Depth::U8 => Sample::U8,
            Depth::U16 => Sample::U16,
            Depth::F32 => Sample::F32,
        };
        let format = Format::plain(sample, host_layout(picture.layout()));
        let blob = |blob: &Option<Vec<u8>>| {
            let bytes = blob.as_deref();
            (
                bytes.map_or(null(), <[u8]>::as_ptr),
                bytes.map_or(0, <[u8]>::len),
            )
        };
        let (icc, icc_size) = blob(&opened.metadata.icc);
        let (exif, exif_size) = blob(&opened.metadata.exif);
        let (xmp, xmp_size) = blob(&opened.metadata.xmp);
        let info = InrPictureInfo {
            struct_size: 0,
            width: picture.width(),
            height: picture.height(),
            sample: format.sample.code(),
            layout: format.layout.code(),
            alpha: format.alpha.code(),
            transfer: format.transfer.code(),
            icc,
            icc_size,
            exif,
            exif_size,
            xmp,
            xmp_size,
            model: opened.model.as_ptr(),
            file_size: picture.bytes(),
        };
        // SAFETY: the header asks this of the caller.
        unsafe { write(out, info) }
    };
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened>::with(picture.cast(), work) }
}

unsafe extern "C" fn picture_render(
    picture: *mut inr_plugin_api::InrPicture,
    call: *const InrRenderCall,
) -> i32 {
    let work = |opened: &mut Opened| {
        // SAFETY: the header asks these of the caller.
        let (call, mut output, watch) = unsafe {
            let call = read(call)?;
            let output = PixelsMut::new(call.output)?;
            (call, output, Watch::new(call.progress)?)
        };
        let region = match call.region.is_null() {
            true => None,
            // SAFETY: the header asks this of the caller.
            false => Some(Region::checked(&unsafe { read(call.region) }?)?),
        };
        let options = opened.options(region, &output)?;
        watch.done(0.0)?;
        match derivative(call.derivative)? {
            None => opened.render(&options, &mut output, &watch)?,
            Some(derivative) => {
                let range = Some(call.range).filter(|range| *range != 0.0);
                let file = &opened.picture;
                fits(&output, derivative.layout(file.layout()))?;
                let made = file.render_derivative(derivative, range, &options);
                let made = made.map_err(|error| failure(&error))?.picture;
                write_rows(&mut output, made.samples(), 0);
            }
        }
        watch.done(1.0)
    };
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened>::with(picture.cast(), work) }
}

fn derivative(code: u32) -> Result<Option<Derivative>, Failure> {
    Ok(Some(match code {
        INR_DERIVATIVE_NONE => return Ok(None),
        INR_DERIVATIVE_DX => Derivative::Dx,
        INR_DERIVATIVE_DY => Derivative::Dy,
        INR_DERIVATIVE_LAPLACIAN => Derivative::Laplacian,
        INR_DERIVATIVE_GRADIENT => Derivative::Gradient,
        INR_DERIVATIVE_GRADIENT_HSV => Derivative::GradientHsv,
        INR_DERIVATIVE_MAGNITUDE => Derivative::Magnitude,
        INR_DERIVATIVE_NORMAL => Derivative::Normal,
        other => return Err(Failure::bad(format!("unknown derivative {other}"))),
    }))
}

fn fits(output: &PixelsMut, layout: inr::Layout) -> Result<(), Failure> {
    let (found, wanted) = (output.format().layout, host_layout(layout));
    match found == wanted {
        true => Ok(()),
        false => Err(Failure::bad(format!(
            "an output of layout {found:?} for a picture of {wanted:?}"
        ))),
    }
}

/// What the library renders for an output: its own samples where they are as it has them, else floats to be converted.
fn depth(format: Format) -> Depth {
    let plain = format == Format::plain(format.sample, format.layout);
    match format.sample {
        Sample::U8 if plain => Depth::U8,
        Sample::U16 if plain => Depth::U16,
        _ => Depth::F32,
    }
}

impl Opened {
    fn options(
        &self,
        region: Option<Region>,
        output: &PixelsMut,
    ) -> Result<RenderOptions, Failure> {
        let size = output.size();
        let sides = [self.picture.width(), self.picture.height()].map(f64::from);
        let region = match region {
            None => None,
            Some(region) if region.size != size => {
                let wanted = region.size;
                return Err(Failure::bad(format!(
                    "an output of {size:?} pixels for a region of {wanted:?}"
                )));
            }
            Some(region) => {
                // Steps times their number miss the border by a rounding error: what reaches it ends there.
                let extent = [0, 1].map(|axis| {
                    let extent = region.step[axis] * f64::from(size[axis]);
                    let rest = sides[axis] - region.origin[axis];
                    match (extent - rest).abs() <= 1e-9 * sides[axis] {
                        true => rest,
                        false => extent,
                    }
                });
                Some(inr::Region {
                    x: region.origin[0],
                    y: region.origin[1],
                    width: extent[0],
                    height: extent[1],
                })
            }
        };
        Ok(RenderOptions {
            size: OutputSize::Exact(size[0], size[1]),
            region,
            depth: Some(depth(output.format())),
            threads: Some(self.host.threads()),
            limits: limits(&self.host),
            ..RenderOptions::default()
        })
    }

    fn render(
        &self,
        options: &RenderOptions,
        output: &mut PixelsMut,
        watch: &Watch,
    ) -> Result<(), Failure> {
        fits(output, self.picture.layout())?;
        let ([_, height], method, _) = self.picture.plan(options).map_err(|e| failure(&e))?;
        if method != Method::Inr {
            let rendered = self.picture.render(options).map_err(|e| failure(&e))?;
            write_rows(output, rendered.picture.samples(), 0);
            return Ok(());
        }
        let told = |rows: u32| {
            let share = f64::from(rows) / f64::from(height);
            watch.done(share).map_err(|_| inr::Error::Cancelled)
        };
        let picture = &self.picture;
        let into = |samples: SamplesMut<'_>, stride: usize| {
            picture.render_into_watched(options, samples, stride, told)
        };
        // Straight into the host's memory where its samples are ours.
        let done = if let Some((samples, stride)) = output.plain::<u8>() {
            into(SamplesMut::U8(samples), stride)
        } else if let Some((samples, stride)) = output.plain::<u16>() {
            into(SamplesMut::U16(samples), stride)
        } else if let Some((samples, stride)) = output.plain::<f32>() {
            into(SamplesMut::F32(samples), stride)
        } else {
            let mut row = 0;
            picture.render_bands(options, |band| {
                row = write_rows(output, band, row);
                told(row)
            })
        };
        done.map_err(|error| failure(&error))
    }
}

/// Writes rows from number `first` on; returns the number of the one after them.
fn write_rows(output: &mut PixelsMut, samples: &Samples, first: u32) -> u32 {
    let row = output.size()[0] as usize * output.format().layout.channels();
    let rows = (samples.len() / row) as u32;
    let format = output.format();
    let plain = format == Format::plain(format.sample, format.layout);
    for y in 0..rows {
        let range = y as usize * row..(y as usize + 1) * row;
        match samples {
            Samples::U8(samples) if plain && format.sample == Sample::U8 => {
                output.row(first + y).copy_from_slice(&samples[range]);
            }
            Samples::U16(samples) if plain && format.sample == Sample::U16 => {
                let to = output.row(first + y).chunks_exact_mut(2);
                for (to, sample) in to.zip(&samples[range]) {
                    to.copy_from_slice(&sample.to_ne_bytes());
                }
            }
            Samples::F32(samples) => output.write_row(first + y, &samples[range]),
            other => {
                let floats: Vec<f32> = match other {
                    Samples::U8(samples) => samples[range]
                        .iter()
                        .map(|v| f32::from(*v) / 255.0)
                        .collect(),
                    Samples::U16(samples) => samples[range]
                        .iter()
                        .map(|v| f32::from(*v) / 65_535.0)
                        .collect(),
                    Samples::F32(samples) => samples[range].to_vec(),
                };
                output.write_row(first + y, &floats);
            }
        }
    }
    first + rows
}

unsafe extern "C" fn encode(
    session: *mut InrSession,
    call: *const InrEncodeCall,
    out: *mut InrBytes,
) -> i32 {
    // SAFETY: the header asks this of the caller.
    unsafe {
        in_session(session, |session| {
            let call = read(call)?;
            read(out)?;
            let pixels = Pixels::new(call.input, true)?;
            let values = settle_values(&SUITE.params, call.values, call.value_count)?;
            let metadata = Metadata {
                icc: pixels.icc().map(<[u8]>::to_vec),
                exif: bytes(call.exif, call.exif_size),
                xmp: bytes(call.xmp, call.xmp_size),
                cicp: None,
            };
            let watch = Watch::new(call.progress)?;
            let options = options(&values, &session.host)?;
            let size = pixels.size().map(u64::from);
            if size[0] * size[1] > options.limits.pixels {
                let message = format!("{} x {} pixels are above the limit", size[0], size[1]);
                return Err(Failure::new(Status::TooLarge, message));
            }
            watch.done(0.0)?;
            let picture = picture(&pixels, metadata)?;
            let encoded = inr::encode(&picture, &options, &mut Watched(&watch));
            let encoded = encoded.map_err(|error| failure(&error))?;
            watch.done(1.0)?;
            write(out, session.host.hand_out(encoded.bytes)?)
        })
    }
}

fn options(values: &[Value], host: &Host) -> Result<EncodeOptions, Failure> {
    let [
        Value::Number(quality),
        Value::Number(effort),
        Value::Text(metric),
        Value::Number(preview),
    ] = values
    else {
        return Err(Failure::bad("the encoder's parameters are of other kinds"));
    };
    let metric: Metric = metric.parse().map_err(|error| failure(&error))?;
    Ok(EncodeOptions {
        target: Target::Quality(*quality),
        effort: *effort as u8,
        metric,
        preview: *preview != 0.0,
        threads: Some(host.threads()),
        limits: limits(host),
        ..EncodeOptions::default()
    })
}

unsafe extern "C" fn bytes_free(session: *mut InrSession, bytes: *mut InrBytes) {
    if bytes.is_null() {
        return;
    }
    // SAFETY: the header asks this of the caller. The code only says that there was nothing to free.
    unsafe {
        in_session(session, |session| {
            let given = read(bytes)?;
            session.host.release(given);
            let struct_size = given.struct_size;
            write(
                bytes,
                InrBytes {
                    struct_size,
                    data: std::ptr::null_mut(),
                    size: 0,
                },
            )
        });
    }
}
