//! Declarations of GEGL 0.4, babl 0.1 and GObject 2 from their headers.

use std::ffi::{c_char, c_int, c_uint, c_void};

pub(crate) type GType = usize;

/// `GTypeModule`, an opaque type.
#[repr(C)]
pub struct GTypeModule {
    _private: [u8; 0],
}

macro_rules! opaque {
    ($($name:ident)*) => {$(
        #[doc = concat!("`", stringify!($name), "`, an opaque type.")]
        #[repr(C)]
        pub(crate) struct $name {
            _private: [u8; 0],
        }
    )*};
}

opaque! { GParamSpec GValue GeglBuffer Babl }

/// `GeglModuleInfo`.
#[repr(C)]
pub struct GeglModuleInfo {
    pub(crate) abi_version: u32,
}

/// `GEGL_MODULE_ABI_VERSION`: changes with the structs below, and GEGL rejects modules with a different version.
pub(crate) const MODULE_ABI_VERSION: u32 = 0x000A;

/// `GeglRectangle`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GeglRectangle {
    pub(crate) x: c_int,
    pub(crate) y: c_int,
    pub(crate) width: c_int,
    pub(crate) height: c_int,
}

/// `GObjectClass`.
#[repr(C)]
pub(crate) struct GObjectClass {
    g_type_class: GType,
    construct_properties: *mut c_void,
    constructor: *mut c_void,
    pub(crate) set_property:
        Option<unsafe extern "C" fn(*mut GeglOperation, c_uint, *const GValue, *mut GParamSpec)>,
    pub(crate) get_property:
        Option<unsafe extern "C" fn(*mut GeglOperation, c_uint, *mut GValue, *mut GParamSpec)>,
    rest: [*mut c_void; 12],
}

/// `GeglOperationClass`.
#[repr(C)]
pub(crate) struct GeglOperationClass {
    pub(crate) parent: GObjectClass,
    name: *const c_char,
    compat_name: *const c_char,
    keys: *mut c_void,
    bits: u64,
    attach: *mut c_void,
    pub(crate) prepare: Option<unsafe extern "C" fn(*mut GeglOperation)>,
    pub(crate) get_bounding_box: Option<unsafe extern "C" fn(*mut GeglOperation) -> GeglRectangle>,
    get_invalidated_by_change: *mut c_void,
    get_required_for_output: *mut c_void,
    get_cached_region: *mut c_void,
    process: *mut c_void,
    detect: *mut c_void,
    cl_data: *mut c_void,
    is_available: *mut c_void,
    pad: [*mut c_void; 8],
}

/// `GeglOperationFilterClass`.
#[repr(C)]
pub(crate) struct GeglOperationFilterClass {
    pub(crate) parent: GeglOperationClass,
    pub(crate) process: Option<
        unsafe extern "C" fn(
            *mut GeglOperation,
            *mut GeglBuffer,
            *mut GeglBuffer,
            *const GeglRectangle,
            c_int,
        ) -> c_int,
    >,
    get_split_strategy: *mut c_void,
    pad: [*mut c_void; 3],
}

/// `GeglOperationAreaFilterClass`.
#[repr(C)]
pub(crate) struct GeglOperationAreaFilterClass {
    pub(crate) parent: GeglOperationFilterClass,
    get_abyss_policy: *mut c_void,
    pad: [*mut c_void; 3],
}

/// `GeglOperation`.
#[repr(C)]
pub(crate) struct GeglOperation {
    pub(crate) g_class: *const c_void,
    ref_count: c_uint,
    qdata: *mut c_void,
    node: *mut c_void,
}

/// `GeglOperationAreaFilter`.
#[repr(C)]
pub(crate) struct GeglOperationAreaFilter {
    pub(crate) parent: GeglOperation,
    pub(crate) left: c_int,
    pub(crate) right: c_int,
    pub(crate) top: c_int,
    pub(crate) bottom: c_int,
}

/// `GTypeInfo`.
#[repr(C)]
pub(crate) struct GTypeInfo {
    pub(crate) class_size: u16,
    pub(crate) base_init: *mut c_void,
    pub(crate) base_finalize: *mut c_void,
    pub(crate) class_init: Option<unsafe extern "C" fn(*mut c_void, *const c_void)>,
    pub(crate) class_finalize: *mut c_void,
    pub(crate) class_data: *const c_void,
    pub(crate) instance_size: u16,
    pub(crate) n_preallocs: u16,
    pub(crate) instance_init: *mut c_void,
    pub(crate) value_table: *const c_void,
}

/// `GTypeQuery`.
#[repr(C)]
pub(crate) struct GTypeQuery {
    pub(crate) kind: GType,
    pub(crate) type_name: *const c_char,
    pub(crate) class_size: c_uint,
    pub(crate) instance_size: c_uint,
}

/// `GEnumValue`.
#[repr(C)]
pub(crate) struct GEnumValue {
    pub(crate) value: c_int,
    pub(crate) value_name: *const c_char,
    pub(crate) value_nick: *const c_char,
}

/// `G_PARAM_READWRITE | G_PARAM_CONSTRUCT | GEGL_PARAM_PAD_INPUT`.
pub(crate) const PROPERTY: c_uint = 1 | 2 | 4 | 1 << 9;
/// `GEGL_ABYSS_NONE`.
pub(crate) const ABYSS_NONE: c_int = 0;
/// `G_LOG_LEVEL_WARNING`.
pub(crate) const LOG_WARNING: c_int = 1 << 4;

unsafe extern "C" {
    pub(crate) fn g_type_query(kind: GType, query: *mut GTypeQuery);
    pub(crate) fn g_type_from_name(name: *const c_char) -> GType;
    pub(crate) fn g_type_module_register_type(
        module: *mut GTypeModule,
        parent: GType,
        name: *const c_char,
        info: *const GTypeInfo,
        flags: c_uint,
    ) -> GType;
    pub(crate) fn g_enum_register_static(name: *const c_char, values: *const GEnumValue) -> GType;
    pub(crate) fn g_object_class_install_property(
        class: *mut GObjectClass,
        id: c_uint,
        spec: *mut GParamSpec,
    );
    pub(crate) fn g_value_get_double(value: *const GValue) -> f64;
    pub(crate) fn g_value_set_double(value: *mut GValue, number: f64);
    pub(crate) fn g_value_get_enum(value: *const GValue) -> c_int;
    pub(crate) fn g_value_set_enum(value: *mut GValue, number: c_int);
    pub(crate) fn g_log(domain: *const c_char, level: c_int, format: *const c_char, ...);

    pub(crate) fn gegl_operation_area_filter_get_type() -> GType;
    pub(crate) fn gegl_operation_class_set_key(
        class: *mut GeglOperationClass,
        key: *const c_char,
        value: *const c_char,
    );
    pub(crate) fn gegl_operation_source_get_bounding_box(
        operation: *mut GeglOperation,
        pad: *const c_char,
    ) -> *const GeglRectangle;
    pub(crate) fn gegl_operation_get_source_format(
        operation: *mut GeglOperation,
        pad: *const c_char,
    ) -> *const Babl;
    pub(crate) fn gegl_operation_get_source_space(
        operation: *mut GeglOperation,
        pad: *const c_char,
    ) -> *const Babl;
    pub(crate) fn gegl_operation_get_format(
        operation: *mut GeglOperation,
        pad: *const c_char,
    ) -> *const Babl;
    pub(crate) fn gegl_operation_set_format(
        operation: *mut GeglOperation,
        pad: *const c_char,
        format: *const Babl,
    );
    pub(crate) fn gegl_param_spec_double(
        name: *const c_char,
        nick: *const c_char,
        blurb: *const c_char,
        minimum: f64,
        maximum: f64,
        default: f64,
        ui_minimum: f64,
        ui_maximum: f64,
        ui_gamma: f64,
        flags: c_uint,
    ) -> *mut GParamSpec;
    pub(crate) fn gegl_param_spec_double_set_steps(spec: *mut GParamSpec, small: f64, big: f64);
    pub(crate) fn gegl_param_spec_double_set_digits(spec: *mut GParamSpec, digits: c_int);
    pub(crate) fn gegl_param_spec_enum(
        name: *const c_char,
        nick: *const c_char,
        blurb: *const c_char,
        kind: GType,
        default: c_int,
        flags: c_uint,
    ) -> *mut GParamSpec;
    pub(crate) fn gegl_buffer_get(
        buffer: *mut GeglBuffer,
        rectangle: *const GeglRectangle,
        scale: f64,
        format: *const Babl,
        pixels: *mut c_void,
        stride: c_int,
        abyss: c_int,
    );
    pub(crate) fn gegl_buffer_set(
        buffer: *mut GeglBuffer,
        rectangle: *const GeglRectangle,
        level: c_int,
        format: *const Babl,
        pixels: *const c_void,
        stride: c_int,
    );

    pub(crate) fn babl_format_with_space(name: *const c_char, space: *const Babl) -> *const Babl;
    pub(crate) fn babl_format_get_n_components(format: *const Babl) -> c_int;
    pub(crate) fn babl_format_has_alpha(format: *const Babl) -> c_int;
    pub(crate) fn babl_format_is_palette(format: *const Babl) -> c_int;
}
