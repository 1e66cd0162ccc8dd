//! Runs filters on layers.

use std::ffi::c_int;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use inr_plugin_api::host::{Pixmap, Request, Source, Watcher};
use inr_plugin_api::{Failure, INR_CAP_TILES, Layout, Region, Sample};

use crate::catalogue::{self, NEW_LAYER, Procedure, Values};
use crate::editor::{GRAY, Gimp, Handle, Rectangle, taken};
use crate::pixels;

/// Minimum interval between updates of the progress bar, each of which is a message to GIMP.
const STEP: Duration = Duration::from_millis(50);

/// Result of a filter.
#[derive(Clone, Copy, Debug)]
pub enum Made<H> {
    /// A new image.
    Image(H),
    /// A changed or new layer, or another item.
    Drawable(H),
}

/// A call of a filter on a drawable of an image.
#[derive(Debug)]
pub struct Job<'a, H> {
    /// The filter.
    pub procedure: &'a Procedure<'a>,
    /// The image.
    pub image: H,
    /// The drawable.
    pub drawable: H,
    /// Further inputs by key.
    pub others: Vec<(String, H)>,
    /// Values of [`Procedure::params`].
    pub values: Values,
}

/// Runs `work` with a watcher that moves the progress bar. It never cancels, because GIMP cancels by ending the process.
pub fn watched<H: Handle, T>(gimp: &Gimp<H>, work: impl FnOnce(Watcher) -> T) -> T {
    let mut last: Option<Instant> = None;
    let mut progress = |share: f64| {
        if last.is_none_or(|last| last.elapsed() >= STEP) {
            (gimp.gimp_progress_update)(share);
            last = Some(Instant::now());
        }
        true
    };
    let cancelled = AtomicBool::new(false);
    let done = work(Watcher {
        progress: &mut progress,
        cancelled: &cancelled,
    });
    (gimp.gimp_progress_update)(1.0);
    done
}

impl<H: Handle> Job<'_, H> {
    /// Runs the filter and puts the result into the image or into a new one.
    ///
    /// # Errors
    /// The plug-in's failure; [`inr_plugin_api::Status::Unsupported`] for indexed images and layer groups.
    pub fn run(self, gimp: &Gimp<H>) -> Result<Made<H>, Failure> {
        if (gimp.gimp_drawable_is_indexed)(self.drawable) != 0 {
            let message =
                "the image is indexed; convert it with Image > Mode > RGB or Grayscale first";
            return Err(Failure::unsupported(message));
        }
        if (gimp.gimp_item_is_group)(self.drawable) != 0 {
            return Err(Failure::unsupported(
                "this is a layer group; select one of its layers",
            ));
        }
        // What previews had to warn of, the run warns of itself.
        catalogue::logged();
        let beside = catalogue::number(&self.values, &self.procedure.params(), NEW_LAYER) != 0.0;
        if self.procedure.edits() && !beside {
            unlocked(gimp, self.drawable)?;
        }
        gimp.progress(&self.procedure.filter.label);
        let sample = pixels::sample((gimp.gimp_image_get_precision)(self.image));
        let mut source = gimp.read(self.drawable, sample)?;
        source.icc = gimp.profile(self.image);
        let done = match self.procedure.edits() {
            true => self.edit(gimp, &source, beside),
            false => self.make_image(gimp, &source),
        };
        gimp.warn();
        done
    }

    /// Runs the filter on `source` and returns the result, or its part `window`.
    pub(crate) fn made(
        &self,
        gimp: &Gimp<H>,
        source: &Pixmap,
        window: Option<Rectangle>,
    ) -> Result<Pixmap, Failure> {
        let sample = source.format.sample;
        let others =
            self.others
                .iter()
                .map(|(_, other)| match (gimp.gimp_drawable_is_indexed)(*other) {
                    0 => gimp.read(*other, sample),
                    _ => gimp.read(*other, Sample::U8),
                });
        let others = others.collect::<Result<Vec<_>, _>>()?;
        let keys = self.others.iter().map(|(key, _)| Some(key.as_str()));
        let others = keys
            .zip(&others)
            .map(|(key, other)| Source::whole(key, other));
        let mut values = self.values.clone();
        values.retain(|(key, _)| key != NEW_LAYER || !self.procedure.edits());
        let filter = self.procedure.filter;
        // Other filters produce only the whole output.
        let asked = window.filter(|_| filter.capabilities.has(INR_CAP_TILES));
        let request = Request {
            filter: &filter.key,
            sources: std::iter::once(Source::whole(None, source))
                .chain(others)
                .collect(),
            values,
            region: asked.map(|part| Region {
                origin: [part.x, part.y].map(f64::from),
                step: [1.0; 2],
                size: [part.width, part.height].map(|side| side as u32),
            }),
        };
        let mut session = catalogue::session(self.procedure.plugin)?;
        let plan = session.plan(&request)?;
        let size = request.region.map_or(plan.size, |region| region.size);
        let mut output = pixels::blank(size, sample, plan.layout)?;
        watched(gimp, |watcher| {
            session.run(&request, &mut output, Some(watcher))
        })?;
        Ok(match window {
            Some(part) if asked.is_none() => crop(&output, part),
            _ => output,
        })
    }

    fn edit(&self, gimp: &Gimp<H>, source: &Pixmap, beside: bool) -> Result<Made<H>, Failure> {
        let Some(window) = gimp.selected(self.drawable) else {
            return Err(Failure::bad("the selection does not intersect the layer"));
        };
        let made = self.made(gimp, source, Some(window))?;
        (gimp.gimp_image_undo_group_start)(self.image);
        let done = self.put(gimp, made, window, beside);
        (gimp.gimp_image_undo_group_end)(self.image);
        done.map(Made::Drawable)
    }

    /// Writes `made` into `window` of the layer or of a new one, within the selection.
    fn put(
        &self,
        gimp: &Gimp<H>,
        mut made: Pixmap,
        window: Rectangle,
        beside: bool,
    ) -> Result<H, Failure> {
        let Rectangle {
            x,
            y,
            width,
            height,
        } = window;
        let mut target = self.drawable;
        if beside {
            let part = (gimp.gimp_selection_is_empty)(self.image) == 0;
            let alpha = part || made.format.layout.has_alpha();
            let grey = (gimp.gimp_image_base_type)(self.image) == GRAY;
            // This may fail, so it precedes the creation of the layer.
            made = pixels::relayout(made, Layout::new(grey, alpha))?;
            let size = gimp.size(self.drawable);
            target = gimp.new_layer(self.image, &self.procedure.filter.label, size, alpha);
            gimp.insert_above(self.image, target, self.drawable)?;
        }
        let written = gimp
            .write(target, true, made, [x, y])
            .and_then(|()| taken((gimp.gimp_drawable_merge_shadow)(target, 1), "pixels"));
        if let Err(failure) = written {
            if beside {
                (gimp.gimp_image_remove_layer)(self.image, target);
            }
            return Err(failure);
        }
        (gimp.gimp_drawable_update)(target, x, y, width, height);
        Ok(target)
    }

    fn make_image(&self, gimp: &Gimp<H>, source: &Pixmap) -> Result<Made<H>, Failure> {
        let made = self.made(gimp, source, None)?;
        let precision = (gimp.gimp_image_get_precision)(self.image);
        let name = gimp.name(self.drawable);
        let icc = source.icc.as_deref();
        let (image, layer) = new_image(gimp, made, precision, icc, &name)?;
        let (mut x, mut y) = (0.0, 0.0);
        // SAFETY: GIMP writes two numbers to valid pointers.
        unsafe { (gimp.gimp_image_get_resolution)(self.image, &mut x, &mut y) };
        (gimp.gimp_image_set_resolution)(image, x, y);
        (gimp.gimp_image_undo_disable)(image);
        self.carry(gimp, image, layer);
        (gimp.gimp_image_undo_enable)(image);
        Ok(Made::Image(image))
    }
}

/// # Errors
/// [`inr_plugin_api::Status::Unsupported`] when GIMP would not change the pixels of `drawable`.
fn unlocked<H: Handle>(gimp: &Gimp<H>, drawable: H) -> Result<(), Failure> {
    let Some(locked) = gimp.locked(drawable) else {
        return Ok(());
    };
    let name = gimp.name(locked);
    Err(Failure::unsupported(format!(
        "the pixels of {name} are locked; unlock them in the Layers dialog, or ask for the result as a new layer"
    )))
}

/// Creates an image with `pixels` as its only layer, which is returned with it.
///
/// # Errors
/// The errors of [`Gimp::write`]; [`inr_plugin_api::Status::Io`] when GIMP takes no layer.
pub fn new_image<H: Handle>(
    gimp: &Gimp<H>,
    pixels: Pixmap,
    precision: c_int,
    icc: Option<&[u8]>,
    layer: &str,
) -> Result<(H, H), Failure> {
    let [width, height] = pixels.size.map(|side| side as c_int);
    let kind = match pixels.format.layout.channels() {
        1 | 2 => GRAY,
        _ => 0,
    };
    let alpha = pixels.format.layout.has_alpha();
    let image = (gimp.gimp_image_new_with_precision)(width, height, kind, precision);
    (gimp.gimp_image_undo_disable)(image);
    if icc.is_some_and(|icc| !gimp.set_profile(image, icc)) {
        eprintln!("inr: GIMP cannot use the picture's colour profile and omits it");
    }
    let layer = gimp.new_layer(image, layer, [width, height], alpha);
    let inserted = (gimp.gimp_image_insert_layer)(image, layer, H::NONE, 0);
    let written = taken(inserted, "layer").and_then(|()| gimp.write(layer, false, pixels, [0, 0]));
    (gimp.gimp_image_undo_enable)(image);
    if let Err(failure) = written {
        (gimp.gimp_image_delete)(image);
        return Err(failure);
    }
    Ok((image, layer))
}

/// Copies the part `window` of `pixels`.
pub fn crop(pixels: &Pixmap, window: Rectangle) -> Pixmap {
    let [left, top, columns, rows] =
        [window.x, window.y, window.width, window.height].map(|side| side as usize);
    let size = pixels.format.pixel_size();
    let stride = pixels.size[0] as usize * size;
    let row = |y: usize| &pixels.data[y * stride + left * size..][..columns * size];
    Pixmap {
        size: [columns as u32, rows as u32],
        data: (top..top + rows).flat_map(row).copied().collect(),
        format: pixels.format,
        icc: None,
    }
}
