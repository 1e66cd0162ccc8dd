//! What dialogs show before a filter runs: the size of its result, and a part of it.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use inr_plugin_api::host::{Pixmap, Request, Session, Source, Watcher};
use inr_plugin_api::{Failure, INR_CAP_TILES, INR_LOG_INFO, Layout, Region, Sample, Status, Value};

use crate::catalogue::{self, NEW_LAYER, Procedure, Values};
use crate::editor::{Gimp, Handle, Rectangle};
use crate::{filter, pixels};

/// Pixels around the visible part that are read along: enough for a radius of 50, and few enough for half a second.
const MARGIN: i32 = 160;
/// The same for filters that resize, which see less far and take longer.
const RESIZED_MARGIN: i32 = 24;
/// Maximum side of the part that a preview reads.
const MOST: f64 = 800.0;

/// Time after which a preview is given up, because the dialog stands still meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// A filter on a drawable, for its dialog.
#[derive(Debug)]
pub struct Preview<'a, H: Handle> {
    /// GIMP's functions.
    pub gimp: &'a Gimp<H>,
    /// The filter.
    pub procedure: &'a Procedure<'a>,
    /// The image.
    pub image: H,
    /// The drawable.
    pub drawable: H,
}

/// A rendered part of a result.
#[derive(Debug)]
pub struct Shown {
    /// 8-bit pixels of the filter's layout.
    pub pixels: Pixmap,
    /// What the filter says about its method.
    pub note: Option<String>,
}

impl<H: Handle> Preview<'_, H> {
    /// True for filters that a part of one picture is enough for.
    pub fn is_possible(&self) -> bool {
        self.procedure.filter.inputs.len() == 1
    }

    fn request<'r>(&'r self, source: Source<'r>, values: &Values) -> Request<'r> {
        let mut values = values.clone();
        values.retain(|(key, _)| key != NEW_LAYER || !self.procedure.edits());
        Request {
            filter: &self.procedure.filter.key,
            sources: vec![source],
            values,
            region: None,
        }
    }

    /// Size of the whole result for a picture of `picture` pixels.
    fn planned(
        &self,
        session: &mut Session,
        picture: [u32; 2],
        values: &Values,
    ) -> Result<[u32; 2], Failure> {
        let pixel = pixels::blank([1, 1], Sample::U8, self.gimp.layout(self.drawable))?;
        let source = Source {
            picture: Some(picture),
            ..Source::whole(None, &pixel)
        };
        Ok(session.plan(&self.request(source, values))?.size)
    }

    /// A line about the size of the result; empty for filters that keep the size.
    pub fn size(&self, values: &Values) -> String {
        if self.procedure.edits() {
            return String::new();
        }
        let sides = self.gimp.size(self.drawable).map(|side| side as u32);
        let planned = catalogue::session(self.procedure.plugin)
            .and_then(|mut session| self.planned(&mut session, sides, values));
        match planned {
            Ok([width, height]) => format!("Result: {width} x {height} pixels"),
            Err(failure) => format!("Not possible: {failure}"),
        }
    }

    /// Renders at most `visible.width` x `visible.height` pixels of the result: those in place of `visible`, or, of a result
    /// of another size, those around the middle of `visible`.
    ///
    /// # Errors
    /// The plug-in's failure; [`Status::Cancelled`] when it takes longer than a dialog may stand still.
    pub fn part(&self, visible: Rectangle, values: &Values) -> Result<Shown, Failure> {
        catalogue::logged();
        let mut session = catalogue::session(self.procedure.plugin)?;
        let sides = self.gimp.size(self.drawable);
        let whole = self.planned(&mut session, sides.map(|side| side as u32), values)?;
        let scale = [0, 1].map(|axis| f64::from(whole[axis]) / f64::from(sides[axis]));
        let margin = match self.procedure.edits() {
            true => MARGIN,
            false => RESIZED_MARGIN,
        };
        let [(left, columns), (top, rows)] = [
            (visible.x, visible.width, scale[0], sides[0]),
            (visible.y, visible.height, scale[1], sides[1]),
        ]
        .map(|(start, length, scale, side)| seen(start, length, scale, side));
        let part = Rectangle {
            x: left,
            y: top,
            width: columns,
            height: rows,
        };
        let around = grown(part, margin, sides);
        let sample = pixels::sample((self.gimp.gimp_image_get_precision)(self.image));
        let source = self.gimp.read_part(self.drawable, around, sample)?;
        let values = match self.procedure.edits() {
            true => values.clone(),
            false => at_scale(values, scale, whole, around),
        };
        let made = self.planned(&mut session, source.size, &values)?;
        let mut request = self.request(Source::whole(None, &source), &values);
        let window = aligned(part, around, made, visible);
        // Other filters produce only the whole output.
        let tiles = self.procedure.filter.capabilities.has(INR_CAP_TILES);
        request.region = tiles.then(|| region(window, around, made));
        let plan = session.plan(&request)?;
        let size = request.region.map_or(plan.size, |region| region.size);
        let mut output = pixels::blank(size, Sample::U8, plan.layout)?;
        patiently(|watcher| session.run(&request, &mut output, Some(watcher)))?;
        let mut lines = catalogue::logged().into_iter();
        Ok(Shown {
            pixels: match tiles {
                true => output,
                false => filter::crop(&output, window),
            },
            note: lines.find_map(|(level, line)| (level == INR_LOG_INFO).then_some(line)),
        })
    }
}

/// Runs `work` with a watcher that cancels it after [`PATIENCE`].
fn patiently<T>(work: impl FnOnce(Watcher) -> Result<T, Failure>) -> Result<T, Failure> {
    let begun = Instant::now();
    let done = work(Watcher {
        progress: &mut |_| begun.elapsed() < PATIENCE,
        cancelled: &AtomicBool::new(false),
    });
    done.map_err(|failure| match failure.status {
        Status::Cancelled => Failure::new(Status::Cancelled, "it takes too long"),
        _ => failure,
    })
}

/// Start and length of the pixels of the source, of `side` in all, that `length` pixels of the result around the middle of the
/// visible ones show.
fn seen(start: i32, length: i32, scale: f64, side: i32) -> (i32, i32) {
    let wanted = (f64::from(length) / scale).clamp(1.0, MOST).ceil() as i32;
    let wanted = wanted.min(side);
    let middle = start + length / 2 - wanted / 2;
    (middle.clamp(0, side - wanted), wanted)
}

/// `part` with `margin` pixels on each side, as far as the picture goes.
fn grown(part: Rectangle, margin: i32, [width, height]: [i32; 2]) -> Rectangle {
    let (x, y) = ((part.x - margin).max(0), (part.y - margin).max(0));
    Rectangle {
        x,
        y,
        width: (part.x + part.width + margin).min(width) - x,
        height: (part.y + part.height + margin).min(height) - y,
    }
}

/// Values that enlarge the part `around` as `values` enlarge the whole picture, to `whole` pixels.
fn at_scale(values: &Values, scale: [f64; 2], whole: [u32; 2], around: Rectangle) -> Values {
    // One scale for both sides, up to the rounding of sides to whole pixels.
    let one = (scale[0] / scale[1] - 1.0).abs() * f64::from(whole[0].min(whole[1])) <= 1.0;
    let sides = [around.width, around.height].map(f64::from);
    let value = |key: &str, value: &Value| match (key, one) {
        ("scale", true) => Value::Number(scale[0]),
        ("width" | "height", true) => Value::Number(0.0),
        ("width", false) => Value::Number((sides[0] * scale[0]).round().max(1.0)),
        ("height", false) => Value::Number((sides[1] * scale[1]).round().max(1.0)),
        _ => value.clone(),
    };
    let each = values.iter();
    each.map(|(key, given)| (key.clone(), value(key, given)))
        .collect()
}

/// The pixels of a result of `made` pixels for `around` that show `part`, no more of them than are visible.
fn aligned(part: Rectangle, around: Rectangle, made: [u32; 2], visible: Rectangle) -> Rectangle {
    let axis = |start: i32, length: i32, whole: i32, made: u32, visible: i32| {
        let step = f64::from(whole) / f64::from(made);
        let wanted = (f64::from(length) / step).round().max(1.0) as u32;
        let wanted = wanted.min(made).min(visible.max(1) as u32);
        let first = ((f64::from(start) / step).round() as u32).min(made - wanted);
        (first as i32, wanted as i32)
    };
    let (x, width) = axis(
        part.x - around.x,
        part.width,
        around.width,
        made[0],
        visible.width,
    );
    let (y, height) = axis(
        part.y - around.y,
        part.height,
        around.height,
        made[1],
        visible.height,
    );
    Rectangle {
        x,
        y,
        width,
        height,
    }
}

/// The region of the pixels `window` of a result of `made` pixels for `around`.
fn region(window: Rectangle, around: Rectangle, made: [u32; 2]) -> Region {
    let step = [(around.width, made[0]), (around.height, made[1])]
        .map(|(whole, made)| f64::from(whole) / f64::from(made));
    Region {
        origin: [f64::from(window.x) * step[0], f64::from(window.y) * step[1]],
        step,
        size: [window.width, window.height].map(|side| side as u32),
    }
}

/// `GimpImageType` of a layout.
pub fn image_type(layout: Layout) -> i32 {
    match layout {
        Layout::Rgb => 0,
        Layout::Rgba => 1,
        Layout::Grey => 2,
        Layout::GreyAlpha => 3,
    }
}
