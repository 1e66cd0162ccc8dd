//! Functions that both versions of GIMP have, under their names in C.

use std::ffi::{CStr, CString, c_char, c_double, c_int, c_void};

use inr_plugin_api::{Failure, INR_LOG_INFO, Layout, Status};
use libloading::Library;

/// An opaque object of GLib, GEGL or babl.
pub type Object = *mut c_void;

/// Declares a table of functions and its loader. Each function has a name and, where another version of GIMP renamed it, a
/// second name. Functions with pointer arguments are `unsafe`; GIMP rejects unknown handles without crashing.
macro_rules! functions {
    ($(#[$doc:meta])* $name:ident $(<$handle:ident>)? { $($function:ident $(| $other:ident)?: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub struct $name $(<$handle>)? {
            $(pub $function: $type,)*
            $(handle: std::marker::PhantomData<fn() -> $handle>,)?
        }

        impl $(<$handle: Copy>)? $name $(<$handle>)? {
            /// Looks up the functions in `library` and its dependencies.
            ///
            /// # Errors
            /// [`Status::Unsupported`](inr_plugin_api::Status), whose message names the missing function.
            ///
            /// # Safety
            /// The library has functions of these types under these names.
            pub unsafe fn load(library: &libloading::Library) -> Result<Self, inr_plugin_api::Failure> {
                Ok(Self {
                    $($function: {
                        // SAFETY: the caller makes this promise.
                        let found = unsafe { library.get::<$type>(stringify!($function)) };
                        // SAFETY: the same reason.
                        $(let found = found.or_else(|_| unsafe { library.get::<$type>(stringify!($other)) });)?
                        *found.map_err(|e| inr_plugin_api::Failure::unsupported(e.to_string()))?
                    },)*
                    $(handle: std::marker::PhantomData::<fn() -> $handle>,)?
                })
            }
        }
    };
}
pub(crate) use functions;

functions! {
    /// Functions of GIMP, GEGL and babl; `H` is the handle type of images, layers and other items.
    Gimp<H> {
        gimp_progress_init: unsafe extern "C" fn(*const c_char) -> c_int,
        gimp_progress_update: extern "C" fn(c_double) -> c_int,
        gimp_image_new_with_precision: extern "C" fn(c_int, c_int, c_int, c_int) -> H,
        gimp_image_delete: extern "C" fn(H) -> c_int,
        gimp_image_base_type | gimp_image_get_base_type: extern "C" fn(H) -> c_int,
        gimp_image_get_precision: extern "C" fn(H) -> c_int,
        gimp_image_get_color_profile: extern "C" fn(H) -> Object,
        gimp_image_set_color_profile: unsafe extern "C" fn(H, Object) -> c_int,
        gimp_image_get_resolution: unsafe extern "C" fn(H, *mut c_double, *mut c_double) -> c_int,
        gimp_image_set_resolution: extern "C" fn(H, c_double, c_double) -> c_int,
        gimp_image_undo_group_start: extern "C" fn(H) -> c_int,
        gimp_image_undo_group_end: extern "C" fn(H) -> c_int,
        gimp_image_undo_disable: extern "C" fn(H) -> c_int,
        gimp_image_undo_enable: extern "C" fn(H) -> c_int,
        gimp_image_insert_layer: extern "C" fn(H, H, H, c_int) -> c_int,
        gimp_image_remove_layer: extern "C" fn(H, H) -> c_int,
        gimp_image_get_item_position: extern "C" fn(H, H) -> c_int,
        gimp_selection_is_empty: extern "C" fn(H) -> c_int,
        gimp_layer_new: unsafe extern "C" fn(H, *const c_char, c_int, c_int, c_int, c_double, c_int) -> H,
        gimp_layer_set_offsets: extern "C" fn(H, c_int, c_int) -> c_int,
        gimp_item_is_layer: extern "C" fn(H) -> c_int,
        gimp_item_is_layer_mask: extern "C" fn(H) -> c_int,
        gimp_item_is_group: extern "C" fn(H) -> c_int,
        gimp_item_get_lock_content: extern "C" fn(H) -> c_int,
        gimp_item_get_name: extern "C" fn(H) -> *mut c_char,
        gimp_layer_get_mask: extern "C" fn(H) -> H,
        gimp_layer_from_mask: extern "C" fn(H) -> H,
        gimp_layer_create_mask: extern "C" fn(H, c_int) -> H,
        gimp_layer_add_mask: extern "C" fn(H, H) -> c_int,
        gimp_layer_get_apply_mask: extern "C" fn(H) -> c_int,
        gimp_layer_set_apply_mask: extern "C" fn(H, c_int) -> c_int,
        gimp_image_get_selection: extern "C" fn(H) -> H,
        gimp_image_select_item: extern "C" fn(H, c_int, H) -> c_int,
        gimp_image_remove_channel: extern "C" fn(H, H) -> c_int,
        gimp_selection_save: extern "C" fn(H) -> H,
        gimp_message: unsafe extern "C" fn(*const c_char) -> c_int,
        gimp_item_get_parent: extern "C" fn(H) -> H,
        gimp_drawable_width | gimp_drawable_get_width: extern "C" fn(H) -> c_int,
        gimp_drawable_height | gimp_drawable_get_height: extern "C" fn(H) -> c_int,
        gimp_drawable_offsets | gimp_drawable_get_offsets: unsafe extern "C" fn(H, *mut c_int, *mut c_int) -> c_int,
        gimp_drawable_has_alpha: extern "C" fn(H) -> c_int,
        gimp_drawable_is_indexed: extern "C" fn(H) -> c_int,
        gimp_drawable_is_gray: extern "C" fn(H) -> c_int,
        gimp_drawable_fill: extern "C" fn(H, c_int) -> c_int,
        gimp_drawable_mask_intersect: unsafe extern "C" fn(H, *mut c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int,
        gimp_drawable_get_buffer: extern "C" fn(H) -> Object,
        gimp_drawable_get_shadow_buffer: extern "C" fn(H) -> Object,
        gimp_drawable_merge_shadow: extern "C" fn(H, c_int) -> c_int,
        gimp_drawable_update: extern "C" fn(H, c_int, c_int, c_int, c_int) -> c_int,
        gimp_color_profile_new_from_icc_profile: unsafe extern "C" fn(*const u8, usize, *mut Object) -> Object,
        gimp_color_profile_get_icc_profile: unsafe extern "C" fn(Object, *mut usize) -> *const u8,
        gegl_init: unsafe extern "C" fn(*mut c_int, *mut c_void),
        gegl_buffer_get: unsafe extern "C" fn(Object, *const Rectangle, c_double, *const c_void, *mut c_void, c_int, c_int),
        gegl_buffer_set: unsafe extern "C" fn(Object, *const Rectangle, c_int, *const c_void, *const c_void, c_int),
        gegl_buffer_get_format: unsafe extern "C" fn(Object) -> *const c_void,
        gegl_buffer_flush: unsafe extern "C" fn(Object),
        babl_format: unsafe extern "C" fn(*const c_char) -> *const c_void,
        babl_format_get_space: unsafe extern "C" fn(*const c_void) -> *const c_void,
        babl_format_with_space: unsafe extern "C" fn(*const c_char, *const c_void) -> *const c_void,
        g_free: unsafe extern "C" fn(*mut c_void),
        g_object_unref: unsafe extern "C" fn(Object),
        g_clear_error: unsafe extern "C" fn(*mut Object),
    }
}

/// `GeglRectangle`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Rectangle {
    /// Left edge.
    pub x: c_int,
    /// Top edge.
    pub y: c_int,
    /// Width.
    pub width: c_int,
    /// Height.
    pub height: c_int,
}

impl Rectangle {
    /// The whole of a picture.
    pub fn whole([width, height]: [c_int; 2]) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }
}

/// `GIMP_GRAY`.
pub const GRAY: c_int = 1;
/// `GIMP_LAYER_MODE_NORMAL`.
const NORMAL: c_int = 28;

/// A handle of images and items.
pub trait Handle: Copy + std::fmt::Debug {
    /// No item.
    const NONE: Self;
    /// `GIMP_FILL_TRANSPARENT`.
    const TRANSPARENT: c_int;

    /// The item, unless this is none.
    fn some(self) -> Option<Self>;
}

/// The handles of GIMP 2.10.
impl Handle for c_int {
    const NONE: Self = -1;
    const TRANSPARENT: c_int = 3;

    fn some(self) -> Option<Self> {
        (self > 0).then_some(self)
    }
}

/// The handles of GIMP 3.0.
impl Handle for Object {
    const NONE: Self = std::ptr::null_mut();
    const TRANSPARENT: c_int = 4;

    fn some(self) -> Option<Self> {
        (!self.is_null()).then_some(self)
    }
}

/// A reference to an object, which `Drop` releases.
pub struct Held<'a, H: Handle>(&'a Gimp<H>, Object);

impl<H: Handle> Held<'_, H> {
    /// The object.
    pub fn get(&self) -> Object {
        self.1
    }
}

impl<H: Handle> Drop for Held<'_, H> {
    fn drop(&mut self) {
        // SAFETY: `held` took over a reference, which ends here.
        unsafe { (self.0.g_object_unref)(self.1) };
    }
}

/// Copies `text` up to its first zero byte for C.
pub fn c_string(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).expect("split removed zero bytes")
}

/// Checks what a function of GIMP returned that took `what`.
///
/// # Errors
/// [`Status::Io`] for `FALSE`.
pub fn taken(done: c_int, what: &str) -> Result<(), Failure> {
    match done {
        0 => Err(Failure::new(
            Status::Io,
            format!("GIMP did not take the {what}"),
        )),
        _ => Ok(()),
    }
}

/// Opens the library `name` and keeps it open.
///
/// # Errors
/// [`Status::Unsupported`] when the system cannot load it.
pub fn library(name: &str) -> Result<&'static Library, Failure> {
    // SAFETY: this is a library of the GIMP that started this program.
    let found = unsafe { Library::new(name) };
    let found = found.map_err(|e| Failure::unsupported(e.to_string()))?;
    Ok(Box::leak(Box::new(found)))
}

impl<H: Handle> Gimp<H> {
    /// Takes over a reference to `object`, which `what` names in messages.
    ///
    /// # Errors
    /// [`Status::Io`] for NULL, which GIMP returns for missing objects.
    ///
    /// # Safety
    /// `object` is NULL or a new reference.
    pub unsafe fn held(&self, object: Object, what: &str) -> Result<Held<'_, H>, Failure> {
        match object.is_null() {
            true => Err(Failure::new(Status::Io, format!("GIMP returned no {what}"))),
            false => Ok(Held(self, object)),
        }
    }

    /// Starts GIMP's progress bar.
    pub fn progress(&self, text: &str) {
        let text = c_string(text);
        // SAFETY: the text is valid during the call.
        unsafe { (self.gimp_progress_init)(text.as_ptr()) };
    }

    /// Shows the warnings of plug-ins since the last call.
    pub fn warn(&self) {
        let lines = crate::catalogue::logged().into_iter();
        for (_, line) in lines.filter(|(level, _)| *level > INR_LOG_INFO) {
            self.message(&line);
        }
    }

    /// Has GIMP show a message.
    pub fn message(&self, text: &str) {
        let text = c_string(text);
        // SAFETY: the text is valid during the call.
        unsafe { (self.gimp_message)(text.as_ptr()) };
    }

    /// The name of an item.
    pub fn name(&self, item: H) -> String {
        let name = (self.gimp_item_get_name)(item);
        if name.is_null() {
            return String::new();
        }
        // SAFETY: GIMP returned a string, which is freed once.
        unsafe {
            let text = CStr::from_ptr(name).to_string_lossy().into_owned();
            (self.g_free)(name.cast());
            text
        }
    }

    /// The item whose lock keeps the pixels of `item` as they are: itself, the layer of a mask, or a group around it.
    pub fn locked(&self, item: H) -> Option<H> {
        let around = std::iter::successors(Some(item), |item| {
            let outer = match (self.gimp_item_is_layer_mask)(*item) != 0 {
                true => (self.gimp_layer_from_mask)(*item),
                false => (self.gimp_item_get_parent)(*item),
            };
            outer.some()
        });
        let mut around = around.take(100);
        around.find(|item| (self.gimp_item_get_lock_content)(*item) != 0)
    }

    /// Column and row in the image of the first pixel.
    pub fn offsets(&self, drawable: H) -> [c_int; 2] {
        let (mut x, mut y) = (0, 0);
        // SAFETY: GIMP writes two numbers to valid pointers.
        unsafe { (self.gimp_drawable_offsets)(drawable, &mut x, &mut y) };
        [x, y]
    }

    /// The image's ICC profile.
    pub fn profile(&self, image: H) -> Option<Vec<u8>> {
        // SAFETY: GIMP returns NULL or a reference.
        let profile = unsafe { self.held((self.gimp_image_get_color_profile)(image), "profile") };
        let profile = profile.ok()?;
        let mut size = 0;
        // SAFETY: `profile` holds the object, which owns its bytes.
        unsafe {
            let bytes = (self.gimp_color_profile_get_icc_profile)(profile.get(), &mut size);
            (!bytes.is_null()).then(|| std::slice::from_raw_parts(bytes, size).to_vec())
        }
    }

    /// Sets the ICC profile of `image`; returns false when GIMP cannot use it.
    pub fn set_profile(&self, image: H, icc: &[u8]) -> bool {
        let mut error = std::ptr::null_mut();
        // SAFETY: GIMP copies the valid bytes and returns NULL or a reference; the error is freed.
        unsafe {
            let profile =
                (self.gimp_color_profile_new_from_icc_profile)(icc.as_ptr(), icc.len(), &mut error);
            (self.g_clear_error)(&mut error);
            let profile = self.held(profile, "profile");
            profile.is_ok_and(|held| (self.gimp_image_set_color_profile)(image, held.get()) != 0)
        }
    }

    /// Bounds of the selection in pixels of `drawable`; `None` when they do not intersect.
    pub fn selected(&self, drawable: H) -> Option<Rectangle> {
        let mut found = Rectangle::default();
        let Rectangle {
            x,
            y,
            width,
            height,
        } = &mut found;
        // SAFETY: GIMP writes four numbers to valid pointers.
        let some = unsafe { (self.gimp_drawable_mask_intersect)(drawable, x, y, width, height) };
        (some != 0).then_some(found)
    }

    /// Creates a layer of `image`, transparent if it has alpha.
    pub fn new_layer(&self, image: H, name: &str, [width, height]: [c_int; 2], alpha: bool) -> H {
        let name = c_string(name);
        // GimpImageType counts RGB, RGBA, GRAY, GRAYA.
        let kind = (self.gimp_image_base_type)(image) * 2 + c_int::from(alpha);
        // SAFETY: the name is valid during the call.
        let layer = unsafe {
            (self.gimp_layer_new)(image, name.as_ptr(), width, height, kind, 100.0, NORMAL)
        };
        if alpha {
            (self.gimp_drawable_fill)(layer, H::TRANSPARENT);
        }
        layer
    }

    /// Inserts `layer` above `drawable` in the stack, at the same offsets.
    ///
    /// # Errors
    /// [`Status::Io`] when GIMP does not take the layer.
    pub fn insert_above(&self, image: H, layer: H, drawable: H) -> Result<(), Failure> {
        let (parent, position) = match (self.gimp_item_is_layer)(drawable) != 0 {
            true => (
                (self.gimp_item_get_parent)(drawable),
                (self.gimp_image_get_item_position)(image, drawable),
            ),
            false => (H::NONE, -1),
        };
        let inserted = (self.gimp_image_insert_layer)(image, layer, parent, position);
        taken(inserted, "layer")?;
        let [x, y] = self.offsets(drawable);
        (self.gimp_layer_set_offsets)(layer, x, y);
        Ok(())
    }

    /// Width and height.
    pub fn size(&self, drawable: H) -> [c_int; 2] {
        [
            (self.gimp_drawable_width)(drawable),
            (self.gimp_drawable_height)(drawable),
        ]
    }

    /// Layout of `drawable`; RGB for indexed ones.
    pub fn layout(&self, drawable: H) -> Layout {
        let alpha = (self.gimp_drawable_has_alpha)(drawable) != 0;
        Layout::new((self.gimp_drawable_is_gray)(drawable) != 0, alpha)
    }
}
