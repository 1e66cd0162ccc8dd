//! The suite `inr.codec`.

use std::sync::LazyLock;

use inr::decode::Derivative;
use inr::encode::{Metric, PyramidOptions};
use inr::formats::Model;
use inr::{
    Depth, EncodeOptions, InrPicture, Limits, Metadata, OutputSize, RenderOptions, RowsMut, Target,
};
use inr_plugin_api::guest::{Codec, CodecInfo, CodecTables, EncodeCall, Host, RenderCall, Watch};
use inr_plugin_api::{
    Failure, FileType, Format, INR_DERIVATIVE_DX, INR_DERIVATIVE_DY, INR_DERIVATIVE_GRADIENT,
    INR_DERIVATIVE_GRADIENT_HSV, INR_DERIVATIVE_LAPLACIAN, INR_DERIVATIVE_MAGNITUDE,
    INR_DERIVATIVE_NONE, INR_DERIVATIVE_NORMAL, Kind, Param, PixelsMut, Region, Sample, Status,
    Value,
};

use crate::failure::{Watched, failure};
use crate::picture::{depth, host_layout, picture, write_rows};

/// An open file.
pub(crate) struct Opened {
    picture: InrPicture,
    metadata: Metadata,
    host: Host,
}

static TABLES: LazyLock<CodecTables> = LazyLock::new(|| {
    let file_type = FileType {
        extension: "inr".into(),
        mime_type: "image/x-inr".into(),
        magic: inr::formats::SIGNATURE.to_vec(),
    };
    CodecTables::new::<Opened>(params(), file_type)
});

impl Codec for Opened {
    fn tables() -> &'static CodecTables {
        &TABLES
    }

    fn open(file: &[u8], host: &Host) -> Result<Self, Failure> {
        let limits = limits(host);
        if file.len() as u64 > limits.file_bytes {
            let message = format!("{} bytes, the limit is {}", file.len(), limits.file_bytes);
            return Err(Failure::new(Status::TooLarge, message));
        }
        let picture = InrPicture::open(file, &limits).map_err(|error| failure(&error))?;
        Ok(Self {
            metadata: picture.metadata(),
            picture,
            host: *host,
        })
    }

    fn info(&self) -> CodecInfo<'_> {
        let picture = &self.picture;
        let sample = match picture.depth() {
            Depth::U8 => Sample::U8,
            Depth::U16 => Sample::U16,
            Depth::F32 => Sample::F32,
        };
        CodecInfo {
            size: [picture.width(), picture.height()],
            format: Format::plain(sample, host_layout(picture.layout())),
            icc: self.metadata.icc.as_deref(),
            exif: self.metadata.exif.as_deref(),
            xmp: self.metadata.xmp.as_deref(),
            cicp: self.metadata.cicp,
            model: match &picture.file().header.model {
                Model::Mlp(_) => c"network",
                _ => c"pyramid",
            },
            file_size: picture.bytes(),
        }
    }

    fn render(&mut self, call: &RenderCall, output: &mut PixelsMut) -> Result<(), Failure> {
        let options = self.options(call.region, output)?;
        call.watch.done(0.0)?;
        match derivative(call.derivative)? {
            None => self.render_values(&options, output, &call.watch)?,
            Some(derivative) => {
                let file = &self.picture;
                fits(output, derivative.layout(file.layout()))?;
                let mut watched = Watched(&call.watch);
                let made = file.render_derivative(derivative, call.range, &options, &mut watched);
                let made = made.map_err(|error| failure(&error))?.picture;
                write_rows(output, made.samples(), 0);
            }
        }
        call.watch.done(1.0)
    }

    fn encode(call: &EncodeCall, host: &Host) -> Result<Vec<u8>, Failure> {
        let metadata = Metadata {
            icc: call.pixels.icc().map(<[u8]>::to_vec),
            exif: call.exif.clone(),
            xmp: call.xmp.clone(),
            cicp: call.cicp,
        };
        let options = options(&call.values, host)?;
        let size = call.pixels.size().map(u64::from);
        if size[0] * size[1] > options.limits.pixels {
            let message = format!("{} x {} pixels are above the limit", size[0], size[1]);
            return Err(Failure::new(Status::TooLarge, message));
        }
        call.watch.done(0.0)?;
        let picture = picture(&call.pixels, metadata)?;
        let encoded = inr::encode(&picture, &options, &mut Watched(&call.watch));
        let encoded = encoded.map_err(|error| failure(&error))?;
        call.watch.done(1.0)?;
        Ok(encoded.bytes)
    }
}

fn params() -> Vec<Param> {
    let effort = [1.0, 9.0];
    let mut metrics = [
        ("perceptual", "Visual quality"),
        ("mse", "Smallest numeric error (PSNR)"),
        ("ssim", "Structural similarity (SSIM)"),
    ];
    // The first is the default.
    metrics.sort_by_key(|(name, _)| *name != Metric::default().to_string());
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
        Param::whole(
            "effort",
            "Effort",
            "How long to look for a smaller file.",
            effort,
            effort,
            5.0,
        ),
        Param::choice(
            "metric",
            "Optimise for",
            "What the encoder spends bytes on.",
            &metrics,
        ),
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
                // Treat an extent that differs from the rest of the picture only by rounding as reaching the border.
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
        Ok(RenderOptions::default()
            .size(OutputSize::Exact(size[0], size[1]))
            .region(region)
            .depth(depth(output.format()))
            .threads(self.host.threads())
            .limits(limits(&self.host)))
    }

    fn render_values(
        &self,
        options: &RenderOptions,
        output: &mut PixelsMut,
        watch: &Watch,
    ) -> Result<(), Failure> {
        fits(output, self.picture.layout())?;
        let picture = &self.picture;
        let mut watched = Watched(watch);
        let mut into = |rows: RowsMut<'_>| picture.render_into(options, rows, &mut watched);
        // Renders directly into the host's memory when the sample types match.
        let done = if let Some(rows) = output.rows::<u8>() {
            into(RowsMut::U8(rows))
        } else if let Some(rows) = output.rows::<u16>() {
            into(RowsMut::U16(rows))
        } else if let Some(rows) = output.rows::<f32>() {
            into(RowsMut::F32(rows))
        } else {
            let mut row = 0;
            picture.render_bands(options, &mut Watched(watch), |band| {
                row = write_rows(output, band, row);
                Ok(())
            })
        };
        done.map_err(|error| failure(&error))
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
    Ok(EncodeOptions::default()
        .target(Target::Quality(*quality))
        .preview(*preview != 0.0)
        .threads(host.threads())
        .limits(limits(host))
        .model(
            PyramidOptions::default()
                .effort(*effort as u8)
                .metric(metric),
        ))
}
