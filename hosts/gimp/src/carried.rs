//! What goes along from a layer into the image of its enlargement: its mask, and the selection over it.

use inr_plugin_api::Failure;
use inr_plugin_api::host::Pixmap;

use crate::editor::{Gimp, Handle, Rectangle};
use crate::filter::Job;

/// `GIMP_ADD_MASK_WHITE`.
const WHITE: i32 = 0;
/// `GIMP_CHANNEL_OP_REPLACE`.
const REPLACE: i32 = 2;

impl<H: Handle> Job<'_, H> {
    /// Gives `layer` of the new `image` the mask of the job's layer, and the image its selection, both resized by the filter.
    ///
    /// # Errors
    /// The plug-in's failure.
    pub(crate) fn carry(&self, gimp: &Gimp<H>, image: H, layer: H) -> Result<(), Failure> {
        let [width, height] = gimp.size(self.drawable);
        let is_layer = (gimp.gimp_item_is_layer)(self.drawable) != 0;
        let mask = is_layer.then(|| (gimp.gimp_layer_get_mask)(self.drawable));
        if let Some(mask) = mask.and_then(H::some) {
            let values = gimp.read_channel(mask, Rectangle::whole([width, height]))?;
            let resized = self.resized(gimp, &values)?;
            let copy = (gimp.gimp_layer_create_mask)(layer, WHITE);
            (gimp.gimp_layer_add_mask)(layer, copy);
            gimp.write_channel(copy, &resized)?;
            let applied = (gimp.gimp_layer_get_apply_mask)(self.drawable);
            (gimp.gimp_layer_set_apply_mask)(layer, applied);
        }
        if (gimp.gimp_selection_is_empty)(self.image) != 0 {
            return Ok(());
        }
        let [x, y] = gimp.offsets(self.drawable);
        let part = Rectangle {
            x,
            y,
            width,
            height,
        };
        let selection = (gimp.gimp_image_get_selection)(self.image);
        let selected = self.resized(gimp, &gimp.read_channel(selection, part)?)?;
        // A channel of its own, because GIMP keeps bounds of the selection that a change of its pixels would not change.
        let channel = (gimp.gimp_selection_save)(image);
        gimp.write_channel(channel, &selected)?;
        (gimp.gimp_image_select_item)(image, REPLACE, channel);
        (gimp.gimp_image_remove_channel)(image, channel);
        Ok(())
    }

    fn resized(&self, gimp: &Gimp<H>, values: &Pixmap) -> Result<Pixmap, Failure> {
        let mut made = self.made(gimp, values, None)?;
        for sample in made.data.chunks_exact_mut(4) {
            let value = f32::from_ne_bytes([sample[0], sample[1], sample[2], sample[3]]);
            sample.copy_from_slice(&value.clamp(0.0, 1.0).to_ne_bytes());
        }
        Ok(made)
    }
}
