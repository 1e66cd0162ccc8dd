//! What goes along from a layer into the image of its enlargement: its mask, and the selection over it.

use inr_plugin_api::host::Pixmap;
use inr_plugin_api::{Failure, INR_CAP_RESIZES, Layout, Sample};

use crate::editor::{Gimp, Handle, Rectangle, taken};
use crate::filter::Job;
use crate::pixels;

/// `GIMP_ADD_MASK_WHITE`.
const WHITE: i32 = 0;
/// `GIMP_CHANNEL_OP_REPLACE`.
const REPLACE: i32 = 2;

impl<H: Handle> Job<'_, H> {
    /// Gives `layer` of the new `image` the mask of the job's layer, and the image its selection, both scaled as the layer was.
    /// Shows a message about what does not come along.
    pub(crate) fn carry(&self, gimp: &Gimp<H>, image: H, layer: H) {
        let filter = self.procedure.filter;
        // Other results may be of any shape: turned, say, or framed.
        let scales = filter.params.iter().any(|param| param.key == "scale");
        if !scales || !filter.capabilities.has(INR_CAP_RESIZES) {
            return;
        }
        for (what, carried) in [
            ("The layer mask", self.carry_mask(gimp, layer)),
            ("The selection", self.carry_selection(gimp, image, layer)),
        ] {
            if let Err(failure) = carried {
                gimp.message(&format!("{what} does not come along: {failure}"));
            }
        }
    }

    fn carry_mask(&self, gimp: &Gimp<H>, layer: H) -> Result<(), Failure> {
        let is_layer = (gimp.gimp_item_is_layer)(self.drawable) != 0;
        let mask = is_layer.then(|| (gimp.gimp_layer_get_mask)(self.drawable));
        let Some(mask) = mask.and_then(H::some) else {
            return Ok(());
        };
        let values = gimp.read_channel(mask, Rectangle::whole(gimp.size(self.drawable)))?;
        let values = scaled(&values, gimp.size(layer))?;
        let copy = (gimp.gimp_layer_create_mask)(layer, WHITE);
        taken((gimp.gimp_layer_add_mask)(layer, copy), "mask")?;
        gimp.write_channel(copy, &values)?;
        let applied = (gimp.gimp_layer_get_apply_mask)(self.drawable);
        (gimp.gimp_layer_set_apply_mask)(layer, applied);
        Ok(())
    }

    fn carry_selection(&self, gimp: &Gimp<H>, image: H, layer: H) -> Result<(), Failure> {
        if (gimp.gimp_selection_is_empty)(self.image) != 0 {
            return Ok(());
        }
        let [x, y] = gimp.offsets(self.drawable);
        let [width, height] = gimp.size(self.drawable);
        let part = Rectangle {
            x,
            y,
            width,
            height,
        };
        let selection = (gimp.gimp_image_get_selection)(self.image);
        let values = scaled(&gimp.read_channel(selection, part)?, gimp.size(layer))?;
        // A channel of its own, because GIMP keeps bounds of the selection that a change of its pixels would not change.
        let channel = (gimp.gimp_selection_save)(image);
        let written = gimp.write_channel(channel, &values);
        if written.is_ok() {
            (gimp.gimp_image_select_item)(image, REPLACE, channel);
        }
        (gimp.gimp_image_remove_channel)(image, channel);
        written
    }
}

/// Scales grey floats linearly, by averages where they become fewer: unlike a filter for pictures this invents nothing, and hard
/// edges get no ripples.
fn scaled(values: &Pixmap, size: [i32; 2]) -> Result<Pixmap, Failure> {
    let size = size.map(|side| side as u32);
    let mut made = pixels::blank(size, Sample::F32, Layout::Grey)?;
    let samples = values.data.chunks_exact(4);
    let samples: Vec<f32> = samples
        .map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let width = values.size[0] as usize;
    let columns = weights(values.size[0], size[0]);
    let rows = weights(values.size[1], size[1]);
    let mut blended = vec![0.0; width];
    let each = made.data.chunks_exact_mut(size[0] as usize * 4).zip(&rows);
    for (row, sources) in each {
        blended.fill(0.0);
        for (y, weight) in sources {
            let source = &samples[y * width..][..width];
            for (sum, value) in blended.iter_mut().zip(source) {
                *sum += weight * f64::from(*value);
            }
        }
        for (pixel, sources) in row.chunks_exact_mut(4).zip(&columns) {
            let sum: f64 = sources.iter().map(|(x, weight)| weight * blended[*x]).sum();
            pixel.copy_from_slice(&(sum.clamp(0.0, 1.0) as f32).to_ne_bytes());
        }
    }
    Ok(made)
}

/// For each of `to` pixels in a row those of `from` pixels that it is made of, with weights whose sum is 1.
fn weights(from: u32, to: u32) -> Vec<Vec<(usize, f64)>> {
    let step = f64::from(from) / f64::from(to);
    let reach = step.max(1.0);
    let sources = |at: u32| {
        let centre = (f64::from(at) + 0.5) * step - 0.5;
        let (first, last) = ((centre - reach).ceil(), (centre + reach).floor());
        let near = (first as i64..=last as i64).map(|source| {
            let within = source.clamp(0, i64::from(from) - 1) as usize;
            (within, 1.0 - (source as f64 - centre).abs() / reach)
        });
        let near: Vec<(usize, f64)> = near.collect();
        let sum: f64 = near.iter().map(|(_, weight)| weight).sum();
        near.into_iter()
            .map(|(source, weight)| (source, weight / sum))
            .collect()
    };
    (0..to).map(sources).collect()
}
