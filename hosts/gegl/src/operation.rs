//! The operations for GEGL.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};

use inr_plugin_api::host::Pixmap;
use inr_plugin_api::{Failure, Format, Kind, Layout, Param, Sample, Status, Value};

use crate::filter::{ALL, Local, Tile};
use crate::sys::*;

/// Maximum number of parameters of a filter.
const MAX_PARAMS: usize = 4;
const INPUT: *const c_char = c"input".as_ptr();
const OUTPUT: *const c_char = c"output".as_ptr();

/// Class of the operations.
#[repr(C)]
struct Class {
    parent: GeglOperationAreaFilterClass,
    kind: *const Kinds,
}

/// Filter and parameters of an operation. `class_init` allocates them and nothing frees them.
struct Kinds {
    local: &'static Local,
    params: Vec<Param>,
}

/// An operation.
#[repr(C)]
struct Operation {
    parent: GeglOperationAreaFilter,
    /// Bits of numbers, and indices of choices as numbers. Several threads access them.
    values: [AtomicU64; MAX_PARAMS],
}

/// Returns the version of GEGL's module ABI.
///
/// # Safety
/// Any pointer is safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gegl_module_query(_module: *mut GTypeModule) -> *const GeglModuleInfo {
    static INFO: GeglModuleInfo = GeglModuleInfo {
        abi_version: MODULE_ABI_VERSION,
    };
    &INFO
}

/// Registers the operations' types with GEGL; returns 1 on success.
///
/// # Safety
/// `module` is GEGL's module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gegl_module_register(module: *mut GTypeModule) -> c_int {
    guarded(0, || {
        // SAFETY: any caller may call both functions, and `found` is a local value.
        let (parent, found) = unsafe {
            let parent = gegl_operation_area_filter_get_type();
            let mut found = GTypeQuery {
                kind: 0,
                type_name: null(),
                class_size: 0,
                instance_size: 0,
            };
            g_type_query(parent, &mut found);
            (parent, found)
        };
        let sizes = [found.class_size, found.instance_size].map(|size| size as usize);
        let wanted = [
            size_of::<GeglOperationAreaFilterClass>(),
            size_of::<GeglOperationAreaFilter>(),
        ];
        if sizes != wanted {
            return Err(Failure::unsupported(format!(
                "the operations of this GEGL have {sizes:?} bytes instead of {wanted:?}"
            )));
        }
        for local in &ALL {
            let info = GTypeInfo {
                class_size: size_of::<Class>() as u16,
                base_init: null_mut(),
                base_finalize: null_mut(),
                class_init: Some(class_init),
                class_finalize: null_mut(),
                class_data: std::ptr::from_ref(local).cast(),
                instance_size: size_of::<Operation>() as u16,
                n_preallocs: 0,
                instance_init: null_mut(),
                value_table: null(),
            };
            let name = local.type_name.as_ptr();
            // SAFETY: the caller promises GEGL's module. Sizes and functions match `Class` and `Operation`, which begin with
            // the parent's structs, whose sizes were checked above.
            unsafe { g_type_module_register_type(module, parent, name, &info, 0) };
        }
        Ok(1)
    })
}

/// Returns the result of `work`; after a failure or panic logs it and returns `otherwise`.
fn guarded<T>(otherwise: T, work: impl FnOnce() -> Result<T, Failure>) -> T {
    Failure::catch("an operation of INR", work).unwrap_or_else(|failure| {
        let message = c_string(&failure.message);
        // SAFETY: the format takes one string.
        unsafe {
            g_log(
                c"inr".as_ptr(),
                LOG_WARNING,
                c"%s".as_ptr(),
                message.as_ptr(),
            )
        };
        otherwise
    })
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// Copies and leaks a string.
fn leaked(text: &str) -> *const c_char {
    c_string(text).into_raw()
}

unsafe extern "C" fn class_init(class: *mut c_void, local: *const c_void) {
    guarded((), || {
        // SAFETY: GObject passes a class of the registered size and the registered data.
        let (class, local) = unsafe { (&mut *class.cast::<Class>(), &*local.cast::<Local>()) };
        let params = local.params()?;
        class.kind = Box::into_raw(Box::new(Kinds { local, params }));
        let filter = &mut class.parent.parent;
        filter.process = Some(process);
        filter.parent.prepare = Some(prepare);
        filter.parent.get_bounding_box = Some(get_bounding_box);
        filter.parent.parent.set_property = Some(set_property);
        filter.parent.parent.get_property = Some(get_property);
        let described = local.described()?;
        // No "license": GEGL hides operations with a licence that it does not know.
        let keys = [
            (c"name", local.name.as_ptr()),
            (c"title", leaked(&described.label)),
            (c"categories", local.categories.as_ptr()),
            (c"description", leaked(&described.hint)),
        ];
        for (key, value) in keys {
            // SAFETY: the class belongs to an operation of GEGL, and nothing frees the strings.
            unsafe { gegl_operation_class_set_key(&mut filter.parent, key.as_ptr(), value) };
        }
        // SAFETY: set above and never freed.
        let params = unsafe { &(*class.kind).params };
        for (index, param) in params.iter().enumerate().take(MAX_PARAMS) {
            let object = &mut class.parent.parent.parent.parent;
            if let Some(spec) = property(local, param) {
                // SAFETY: the class belongs to a GObject and takes over the new spec.
                unsafe { g_object_class_install_property(object, index as c_uint + 1, spec) };
            }
        }
        Ok(())
    })
}

/// Creates the property of a parameter; `None` for unsupported types.
fn property(local: &Local, param: &Param) -> Option<*mut GParamSpec> {
    let [key, label, hint] = [&param.key, &param.label, &param.hint].map(|text| leaked(text));
    match &param.kind {
        Kind::Number {
            range,
            display,
            default,
            step,
            digits,
            ..
        } => {
            let [least, most] = *range;
            let shown = display.map(|end| end.clamp(least, most));
            // SAFETY: nothing frees the strings, and the default lies in the range.
            unsafe {
                let spec = gegl_param_spec_double(
                    key, label, hint, least, most, *default, shown[0], shown[1], 1.0, PROPERTY,
                );
                gegl_param_spec_double_set_steps(spec, *step, 10.0 * step);
                gegl_param_spec_double_set_digits(spec, *digits as c_int);
                Some(spec)
            }
        }
        Kind::Choice { choices, default } => {
            let first = choices.iter().position(|(key, _)| key == default)?;
            let name = format!("{}-{}", local.type_name.to_str().ok()?, param.key);
            let kind = enumeration(&c_string(&name), choices);
            // SAFETY: nothing frees the strings, and the default is one of the values.
            Some(unsafe { gegl_param_spec_enum(key, label, hint, kind, first as c_int, PROPERTY) })
        }
        _ => None,
    }
}

/// Registers the type of a choice, whose values are indices.
fn enumeration(name: &CStr, choices: &[(String, String)]) -> GType {
    // SAFETY: the name is a valid string.
    let known = unsafe { g_type_from_name(name.as_ptr()) };
    if known != 0 {
        return known;
    }
    let value = |(index, (key, label)): (usize, &(String, String))| GEnumValue {
        value: index as c_int,
        value_name: leaked(label),
        value_nick: leaked(key),
    };
    let end = GEnumValue {
        value: 0,
        value_name: null(),
        value_nick: null(),
    };
    let values: Vec<GEnumValue> = choices.iter().enumerate().map(value).chain([end]).collect();
    // SAFETY: nothing frees values and strings, and a value without a name ends the list.
    unsafe { g_enum_register_static(name.as_ptr(), values.leak().as_ptr()) }
}

/// Returns the operation behind a pointer of GEGL.
///
/// # Safety
/// `operation` belongs to this module.
unsafe fn ours<'a>(operation: *mut GeglOperation) -> (&'a Operation, &'a Kinds) {
    // SAFETY: the caller promises an operation of this module; `class_init` set the kind of its class.
    unsafe {
        let class = (*operation).g_class.cast::<Class>();
        (&*operation.cast::<Operation>(), &*(*class).kind)
    }
}

impl Operation {
    fn number(&self, index: usize) -> f64 {
        f64::from_bits(self.values[index].load(Ordering::Relaxed))
    }

    fn set(&self, index: usize, number: f64) {
        self.values[index].store(number.to_bits(), Ordering::Relaxed);
    }

    /// Values of the parameters for the plug-in.
    fn values(&self, kind: &Kinds) -> Vec<(String, Value)> {
        let params = kind.params.iter().enumerate().take(MAX_PARAMS);
        let values = params.filter_map(|(index, param)| {
            let value = match &param.kind {
                Kind::Choice { choices, .. } => {
                    Value::Text(choices.get(self.number(index) as usize)?.0.clone())
                }
                _ => Value::Number(self.number(index)),
            };
            Some((param.key.clone(), value))
        });
        values.collect()
    }
}

unsafe extern "C" fn set_property(
    object: *mut GeglOperation,
    id: c_uint,
    value: *const GValue,
    _spec: *mut GParamSpec,
) {
    guarded((), || {
        // SAFETY: GObject passes an operation of this module.
        let (operation, kind) = unsafe { ours(object) };
        let index = id as usize - 1;
        let number = match &kind.params[index].kind {
            // SAFETY: the value has the property's type.
            Kind::Choice { .. } => f64::from(unsafe { g_value_get_enum(value) }),
            // SAFETY: the same reason.
            _ => unsafe { g_value_get_double(value) },
        };
        operation.set(index, number);
        Ok(())
    })
}

unsafe extern "C" fn get_property(
    object: *mut GeglOperation,
    id: c_uint,
    value: *mut GValue,
    _spec: *mut GParamSpec,
) {
    guarded((), || {
        // SAFETY: GObject passes an operation of this module.
        let (operation, kind) = unsafe { ours(object) };
        let index = id as usize - 1;
        let number = operation.number(index);
        match &kind.params[index].kind {
            // SAFETY: the value has the property's type.
            Kind::Choice { .. } => unsafe { g_value_set_enum(value, number as c_int) },
            // SAFETY: the same reason.
            _ => unsafe { g_value_set_double(value, number) },
        }
        Ok(())
    })
}

/// The formats of the filters: encoded floats with straight alpha.
fn format(layout: Layout) -> &'static CStr {
    match layout {
        Layout::Grey => c"Y' float",
        Layout::GreyAlpha => c"Y'A float",
        Layout::Rgb => c"R'G'B' float",
        Layout::Rgba => c"R'G'B'A float",
    }
}

/// The layout of `format`; NULL, an unknown format, gives RGBA.
///
/// # Safety
/// `format` is NULL or a format of babl.
unsafe fn layout(format: *const Babl) -> Layout {
    if format.is_null() {
        return Layout::Rgba;
    }
    // SAFETY: the caller makes this promise.
    let [count, alpha, palette] = unsafe {
        [
            babl_format_get_n_components(format),
            babl_format_has_alpha(format),
            babl_format_is_palette(format),
        ]
    };
    Layout::new(count - alpha == 1 && palette == 0, alpha != 0)
}

unsafe extern "C" fn prepare(pointer: *mut GeglOperation) {
    guarded((), || {
        // SAFETY: GEGL passes an operation of this module, and babl never frees formats and spaces.
        let (operation, kind, input, space) = unsafe {
            let (operation, kind) = ours(pointer);
            let source = gegl_operation_get_source_format(pointer, INPUT);
            let space = gegl_operation_get_source_space(pointer, INPUT);
            (operation, kind, layout(source), space)
        };
        let (output, halo) = kind.local.plan(input, &operation.values(kind))?;
        let halo = c_int::try_from(halo).unwrap_or(c_int::MAX);
        // SAFETY: the same reason, and nothing else uses the operation while GEGL prepares it.
        unsafe {
            for (pad, layout) in [(INPUT, input), (OUTPUT, output)] {
                let found = babl_format_with_space(format(layout).as_ptr(), space);
                gegl_operation_set_format(pointer, pad, found);
            }
            let area = pointer.cast::<GeglOperationAreaFilter>();
            ((*area).left, (*area).right) = (halo, halo);
            ((*area).top, (*area).bottom) = (halo, halo);
        }
        Ok(())
    })
}

/// Returns the input's bounding box, because the halo does not enlarge the output.
unsafe extern "C" fn get_bounding_box(pointer: *mut GeglOperation) -> GeglRectangle {
    // SAFETY: GEGL passes an operation of this module and returns NULL or a rectangle.
    let found = unsafe { gegl_operation_source_get_bounding_box(pointer, INPUT).as_ref() };
    found.copied().unwrap_or_default()
}

/// Extends `a` by `halo` and intersects it with `b`.
fn within(a: &GeglRectangle, halo: c_int, b: &GeglRectangle) -> GeglRectangle {
    let side = |start: c_int, length: c_int, other: c_int, others: c_int| {
        let [start, length, other, others] = [start, length, other, others].map(i64::from);
        let from = (start - i64::from(halo)).max(other);
        let to = (start + length + i64::from(halo)).min(other + others);
        (from as c_int, (to - from).max(0) as c_int)
    };
    let (x, width) = side(a.x, a.width, b.x, b.width);
    let (y, height) = side(a.y, a.height, b.y, b.height);
    GeglRectangle {
        x,
        y,
        width,
        height,
    }
}

/// Position and size of `a` relative to `b`.
fn place(a: &GeglRectangle, b: &GeglRectangle) -> [u32; 4] {
    [
        (i64::from(a.x) - i64::from(b.x)) as u32,
        (i64::from(a.y) - i64::from(b.y)) as u32,
        a.width as u32,
        a.height as u32,
    ]
}

unsafe extern "C" fn process(
    pointer: *mut GeglOperation,
    input: *mut GeglBuffer,
    output: *mut GeglBuffer,
    roi: *const GeglRectangle,
    _level: c_int,
) -> c_int {
    guarded(0, || {
        // SAFETY: GEGL passes a prepared operation of this module and a rectangle.
        let (operation, kind, roi, halo, bounds) = unsafe {
            let (operation, kind) = ours(pointer);
            (
                operation,
                kind,
                &*roi,
                operation.parent.left,
                get_bounding_box(pointer),
            )
        };
        let wanted = within(roi, 0, &bounds);
        if wanted.width == 0 || wanted.height == 0 || input.is_null() {
            return Ok(1);
        }
        // SAFETY: the same reason, and `prepare` set the formats.
        let formats = unsafe { [INPUT, OUTPUT].map(|pad| gegl_operation_get_format(pointer, pad)) };
        // SAFETY: babl created the formats.
        let layouts = unsafe { formats.map(|format| layout(format)) };
        let around = within(&wanted, halo, &bounds);
        let [left, top, width, height] = place(&around, &bounds);
        let tile = Tile {
            // SAFETY: GEGL passes the buffer, and the format has the layout.
            pixels: unsafe { read(input, &around, formats[0], layouts[0]) }?,
            origin: [left, top],
            picture: [bounds.width as u32, bounds.height as u32],
        };
        debug_assert_eq!(tile.pixels.size, [width, height]);
        let values = operation.values(kind);
        let made = kind
            .local
            .apply(&tile, place(&wanted, &bounds), layouts[1], &values)?;
        let fours = made.data.as_chunks::<4>().0;
        let floats: Vec<f32> = fours.iter().map(|four| f32::from_ne_bytes(*four)).collect();
        // SAFETY: GEGL passes the buffer, and `floats` fills the rectangle in this format.
        unsafe { gegl_buffer_set(output, &wanted, 0, formats[1], floats.as_ptr().cast(), 0) };
        Ok(1)
    })
}

/// Reads the pixels of a rectangle.
///
/// # Safety
/// `buffer` is a buffer of GEGL; `format` is a format of babl with the channels of `layout` in floats.
unsafe fn read(
    buffer: *mut GeglBuffer,
    rectangle: &GeglRectangle,
    format: *const Babl,
    layout: Layout,
) -> Result<Pixmap, Failure> {
    let size = [rectangle.width as u32, rectangle.height as u32];
    let count = size[0] as usize * size[1] as usize * layout.channels();
    let mut floats: Vec<f32> = Vec::new();
    let reserved = floats.try_reserve_exact(count);
    reserved.map_err(|error| Failure::new(Status::OutOfMemory, error.to_string()))?;
    floats.resize(count, 0.0);
    let pixels = floats.as_mut_ptr().cast();
    // SAFETY: the caller makes this promise, and `floats` has room for the rectangle.
    unsafe { gegl_buffer_get(buffer, rectangle, 1.0, format, pixels, 0, ABYSS_NONE) };
    Ok(Pixmap {
        size,
        format: Format::plain(Sample::F32, layout),
        data: floats.into_iter().flat_map(f32::to_ne_bytes).collect(),
        icc: None,
    })
}
