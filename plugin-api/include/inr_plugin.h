#ifndef INR_PLUGIN_H
#define INR_PLUGIN_H

/* Generated from src/abi.rs and src/abi_codec.rs by tests/it/header.rs; INR_BLESS=1 rewrites it. README.md has the rules. */

#include <stddef.h>
#include <stdint.h>

// Major version of this ABI. A plug-in and a host with different major versions cannot work together.
#define INR_ABI_MAJOR 1

// Minor version of this ABI. Later minor versions only append members to structs and add constants.
#define INR_ABI_MINOR 2

// The call succeeded.
#define INR_OK 0

// The host's `progress` or `is_cancelled` asked to stop. The contents of outputs are undefined.
#define INR_CANCELLED 1

// A pointer, size or value is invalid. The message names it.
#define INR_BAD_ARGUMENT 2

// The plug-in does not support a valid request.
#define INR_UNSUPPORTED 3

// The file is damaged or has another format.
#define INR_CORRUPT 4

// The request exceeds the host's limits.
#define INR_TOO_LARGE 5

// Not enough memory.
#define INR_OUT_OF_MEMORY 6

// Reading or writing failed.
#define INR_IO 7

// The plug-in and the host share no ABI version.
#define INR_VERSION 8

// A bug in the plug-in. After it the handle accepts only the call that closes it.
#define INR_INTERNAL 9

// Unsigned 8-bit samples, 0 to 255.
#define INR_SAMPLE_U8 1

// Unsigned 16-bit samples in the machine's byte order, 0 to 65535.
#define INR_SAMPLE_U16 2

// 16-bit floating point samples; 0 to 1 corresponds to the full range of integers. In inputs NaN and negative infinity
// count as 0 and positive infinity as 1; the plug-in then logs one `INR_LOG_WARNING` in a session for each buffer, by its
// address and size.
#define INR_SAMPLE_F16 3

// 32-bit floating point samples; like `INR_SAMPLE_F16`.
#define INR_SAMPLE_F32 4

// Grey. A layout's value is its number of interleaved channels.
#define INR_LAYOUT_GREY 1

// Grey, then alpha.
#define INR_LAYOUT_GREY_ALPHA 2

// Red, green, blue.
#define INR_LAYOUT_RGB 3

// Red, green, blue, alpha.
#define INR_LAYOUT_RGBA 4

// No alpha; required for layouts without alpha.
#define INR_ALPHA_NONE 0

// Colours are not multiplied by alpha.
#define INR_ALPHA_STRAIGHT 1

// Colours are multiplied by alpha, in the transfer that the buffer states.
#define INR_ALPHA_PREMULTIPLIED 2

// Encoded samples as in files: by the curve of the ICC profile, or of sRGB without a profile.
#define INR_TRANSFER_ENCODED 1

// Linear light. Plug-ins that work on encoded samples convert with the sRGB curve.
#define INR_TRANSFER_LINEAR 2

// Parameter type: a whole number in `InrValue::number`.
#define INR_PARAM_INT 1

// Parameter type: a number in `InrValue::number`.
#define INR_PARAM_DOUBLE 2

// Parameter type: 0 or 1 in `InrValue::number`.
#define INR_PARAM_BOOL 3

// Parameter type: the key of a choice in `InrValue::text`.
#define INR_PARAM_CHOICE 4

// Parameter type: UTF-8 text in `InrValue::text`.
#define INR_PARAM_STRING 5

// Parameter type: encoded red, green and blue, 0 to 1, in `InrValue::rgb`.
#define INR_PARAM_RGB 6

// Capability: the output differs from the input in size.
#define INR_CAP_RESIZES 1

// Capability: the output has the input's size and may replace the input.
#define INR_CAP_EDITS 2

// Capability: every output pixel depends on the whole picture; the host must pass all of it.
#define INR_CAP_GLOBAL 4

// Capability: the host may request any region; a pixel's value does not depend on the region.
#define INR_CAP_TILES 8

// Capability: equal input, parameters and region give equal bytes with any number of threads.
#define INR_CAP_DETERMINISTIC 16

// Capability of plug-ins: decodes pictures (suite `inr.codec`).
#define INR_CAP_DECODES 32

// Capability of plug-ins: encodes pictures (suite `inr.codec`).
#define INR_CAP_ENCODES 64

// Thread class: only one thread at a time may call the plug-in.
#define INR_THREADS_ONE 1

// Thread class: several threads may call at once with different handles, but not with the same handle.
#define INR_THREADS_PER_HANDLE 2

// Level of `InrHost::log`: information.
#define INR_LOG_INFO 1

// Level of `InrHost::log`: the user should know this.
#define INR_LOG_WARNING 2

// Level of `InrHost::log`: something failed.
#define INR_LOG_ERROR 3

// The picture itself.
#define INR_DERIVATIVE_NONE 0

// The derivative along x of every colour channel.
#define INR_DERIVATIVE_DX 1

// The derivative along y of every colour channel.
#define INR_DERIVATIVE_DY 2

// The Laplacian of every colour channel.
#define INR_DERIVATIVE_LAPLACIAN 3

// The derivatives of luma along x in red and along y in green.
#define INR_DERIVATIVE_GRADIENT 4

// The gradient of luma: its direction as hue, its length as value.
#define INR_DERIVATIVE_GRADIENT_HSV 5

// The length of the gradient of luma.
#define INR_DERIVATIVE_MAGNITUDE 6

// The unit normal of a relief whose height is luma.
#define INR_DERIVATIVE_NORMAL 7

// Version of the suite `inr.codec`.
#define INR_SUITE_CODEC_VERSION 1

// An opaque handle: an open picture file. It remains valid after its session is closed.
typedef struct InrPicture InrPicture;

// An opaque handle: a plug-in in use by one host. It stores the message of a failed call.
typedef struct InrSession InrSession;

// The calling host and its limits. The plug-in copies the struct and uses its pointers until the session ends.
typedef struct InrHost {
  // Size of this struct in its maker's version of the ABI; every struct begins with it.
  size_t struct_size;
  // `INR_ABI_MAJOR` of the host; here in every major version.
  uint32_t abi_major;
  // `INR_ABI_MINOR` of the host.
  uint32_t abi_minor;
  // Name of the host in UTF-8; may be NULL.
  const char *name;
  // First argument of the functions below.
  void *ctx;
  // Allocates memory, aligned for any type, for results that the host will own. Any thread may call it. NULL: the plug-in
  // uses its own memory.
  void *(*alloc)(void *ctx, size_t size);
  // Frees memory of `alloc`. The host sets both functions or neither.
  void (*free)(void *ctx, void *memory);
  // Logs a line of text. Any thread may call it. May be NULL.
  void (*log)(void *ctx, uint32_t level, const char *message);
  // Maximum number of threads of a call; 0: one per processor.
  uint32_t max_threads;
  // Must be 0.
  uint32_t reserved;
  // Maximum number of pixels of an input or output; 0: the plug-in's own limit.
  uint64_t max_pixels;
  // Maximum size of a file in bytes; 0: the plug-in's own limit.
  uint64_t max_bytes;
} InrHost;

// Pixels in memory that the caller owns.
typedef struct InrBuffer {
  // Size of this struct.
  size_t struct_size;
  // The first sample of the top row.
  void *data;
  // Bytes from one row to the next one below; negative for pictures that are stored bottom up.
  ptrdiff_t stride;
  // Pixels in a row, at least 1.
  uint32_t width;
  // Rows, at least 1.
  uint32_t height;
  // `INR_SAMPLE_*`.
  uint32_t sample;
  // `INR_LAYOUT_*`.
  uint32_t layout;
  // `INR_ALPHA_*`.
  uint32_t alpha;
  // `INR_TRANSFER_*`.
  uint32_t transfer;
  // ICC profile of an input, or NULL.
  const uint8_t *icc;
  // Size of the profile in bytes.
  size_t icc_size;
} InrBuffer;

// A requested region. Output pixel (i, j) has its centre at (x + (i + 0.5) step_x, y + (j + 0.5) step_y), in source pixels
// from the source's top left corner.
typedef struct InrRegion {
  // Size of this struct.
  size_t struct_size;
  // Left edge.
  double x;
  // Top edge.
  double y;
  // Source pixels per output pixel along x, above 0.
  double step_x;
  // Source pixels per output pixel along y, above 0.
  double step_y;
  // Width of the output in pixels.
  uint32_t width;
  // Height of the output in pixels.
  uint32_t height;
} InrRegion;

// Callbacks that receive progress and cancel a call.
typedef struct InrProgress {
  // Size of this struct.
  size_t struct_size;
  // First argument of both callbacks.
  void *ctx;
  // Receives the completed share, 0 to 1, on the calling thread. Returns 0 to cancel. May be NULL.
  uint32_t (*progress)(void *ctx, double share);
  // Returns nonzero to cancel. Any thread may call it at any time during the call. May be NULL.
  uint32_t (*is_cancelled)(void *ctx);
} InrProgress;

// One choice of a parameter.
typedef struct InrChoice {
  // Size of this struct.
  size_t struct_size;
  // Text that stands for the choice in `InrValue::text`.
  const char *key;
  // Label in dialogs.
  const char *label;
} InrChoice;

// A parameter, with the details that a dialog needs.
typedef struct InrParamInfo {
  // Size of this struct.
  size_t struct_size;
  // Name in `InrValue::key`: a-z, 0-9 and hyphens.
  const char *key;
  // Label beside the control in a dialog.
  const char *label;
  // One sentence of description.
  const char *hint;
  // Heading under which a dialog lists the parameter; "" for none.
  const char *group;
  // `INR_PARAM_*`.
  uint32_t kind;
  // Decimal places to show.
  uint32_t digits;
  // Minimum; the plug-in rejects smaller values.
  double hard_min;
  // Maximum; the plug-in rejects larger values.
  double hard_max;
  // Lower end of a slider.
  double display_min;
  // Upper end of a slider.
  double display_max;
  // Default of an int, double or bool.
  double default_number;
  // Increment of a spin button.
  double step;
  // Default of a choice (its key) or a string; otherwise NULL.
  const char *default_text;
  // Default of a colour.
  double default_rgb[3];
  // Array of `choice_count` choices.
  const struct InrChoice *const *choices;
  // Number of choices; 0 for other types.
  uint32_t choice_count;
  // Must be 0.
  uint32_t reserved;
  // Key of a bool or choice that enables this parameter, or NULL. A dialog disables the parameter unless that bool is 1
  // or that choice has the value `enabled_if`.
  const char *enabled_by;
  // Value of the choice `enabled_by` that enables this parameter; NULL for a bool.
  const char *enabled_if;
} InrParamInfo;

// An input picture of a filter.
typedef struct InrInputInfo {
  // Size of this struct.
  size_t struct_size;
  // Name in `InrInput::key`. The first input is the picture that the filter edits.
  const char *key;
  // Label in dialogs.
  const char *label;
  // One sentence of description.
  const char *hint;
  // 1 when the filter needs this input, otherwise 0.
  uint32_t required;
  // Must be 0.
  uint32_t reserved;
} InrInputInfo;

// A filter.
typedef struct InrFilterInfo {
  // Size of this struct.
  size_t struct_size;
  // Unique name that never changes: a reversed domain, such as "org.example.blur".
  const char *id;
  // Short name for command lines: a-z, 0-9 and hyphens.
  const char *key;
  // Label in menus.
  const char *label;
  // One sentence of description.
  const char *hint;
  // Version of the filter, for example "1.2.0".
  const char *version;
  // Sum of `INR_CAP_*`.
  uint32_t capabilities;
  // `INR_THREADS_*`.
  uint32_t thread_class;
  // Array of `input_count` inputs, at least one.
  const struct InrInputInfo *const *inputs;
  // Array of `param_count` parameters.
  const struct InrParamInfo *const *params;
  // Number of inputs.
  uint32_t input_count;
  // Number of parameters.
  uint32_t param_count;
} InrFilterInfo;

// The value of a parameter. Parameters without a value take their defaults.
typedef struct InrValue {
  // Size of this struct.
  size_t struct_size;
  // Key of the parameter.
  const char *key;
  // Value of an int, double or bool.
  double number;
  // Value of a choice or string; otherwise NULL.
  const char *text;
  // Value of a colour.
  double rgb[3];
} InrValue;

// An input of a filter: a picture or a part of one.
typedef struct InrInput {
  // Size of this struct.
  size_t struct_size;
  // Key of the input; NULL for the first.
  const char *key;
  // The pixels. `data` may be NULL in calls of `filter_plan`.
  const struct InrBuffer *buffer;
  // Column of the buffer's first pixel in the picture.
  uint32_t left;
  // Row of the buffer's first pixel in the picture.
  uint32_t top;
  // Width of the whole picture; 0: the buffer holds the whole picture.
  uint32_t picture_width;
  // Height of the whole picture; 0: the buffer holds the whole picture.
  uint32_t picture_height;
} InrInput;

// A call of a filter.
typedef struct InrFilterCall {
  // Size of this struct.
  size_t struct_size;
  // Index of the filter in `InrApi::filters`.
  uint32_t filter;
  // Number of inputs.
  uint32_t input_count;
  // Array of `input_count` inputs.
  const struct InrInput *const *inputs;
  // Array of `value_count` values.
  const struct InrValue *const *values;
  // Number of values.
  uint32_t value_count;
  // Must be 0.
  uint32_t reserved;
  // Requested region; NULL: the whole output.
  const struct InrRegion *region;
  // Output buffer with the region's size and the plan's layout, and any sample, alpha and transfer. Its pixels must not
  // overlap those of an input in memory. NULL in calls of `filter_plan`.
  const struct InrBuffer *output;
  // May be NULL.
  const struct InrProgress *progress;
} InrFilterCall;

// Requirements and output of a call.
typedef struct InrPlan {
  // Size of this struct; the host sets it before the call.
  size_t struct_size;
  // Width of the whole output.
  uint32_t width;
  // Height of the whole output.
  uint32_t height;
  // Layout of the output.
  uint32_t layout;
  // Number of source pixels around its own position, on every side, that an output pixel depends on, within the picture.
  // `UINT32_MAX` for global filters.
  uint32_t halo;
  // Part of the first input that the region needs: left edge.
  uint32_t need_left;
  // Top edge of that part.
  uint32_t need_top;
  // Width of that part.
  uint32_t need_width;
  // Height of that part.
  uint32_t need_height;
} InrPlan;

// The function table of a plug-in.
typedef struct InrApi {
  // Size of this struct.
  size_t struct_size;
  // `INR_ABI_MAJOR` of the plug-in.
  uint32_t abi_major;
  // `INR_ABI_MINOR` of the plug-in.
  uint32_t abi_minor;
  // Unique name: a reversed domain.
  const char *id;
  // Name that users see.
  const char *name;
  // Version of the plug-in, for example "1.2.0".
  const char *version;
  // Sum of the `INR_CAP_*` of all filters and suites.
  uint32_t capabilities;
  // `INR_THREADS_*`.
  uint32_t thread_class;
  // Array of `filter_count` filters, valid until the plug-in is unloaded.
  const struct InrFilterInfo *const *filters;
  // Number of filters.
  uint32_t filter_count;
  // Must be 0.
  uint32_t reserved;
  // Opens a session and copies `host`. Leaves `out` unchanged on failure; `INR_VERSION` for a host of another major version.
  int32_t (*session_open)(const struct InrHost *host, struct InrSession **out);
  // Closes the session and frees its memory. No call may be running. Accepts NULL.
  void (*session_close)(struct InrSession *session);
  // Returns the message of the session's last call in UTF-8, "" after success; valid until the next call with this
  // session.
  const char *(*session_message)(struct InrSession *session);
  // Computes quickly what a call would need and produce.
  int32_t (*filter_plan)(struct InrSession *session, const struct InrFilterCall *call, struct InrPlan *out);
  // Runs a filter. Threads that it starts end before it returns.
  int32_t (*filter_run)(struct InrSession *session, const struct InrFilterCall *call);
  // Returns the suite of this name, such as `INR_SUITE_CODEC`, and version: a struct that the suite defines, valid until
  // the plug-in is unloaded; NULL when the plug-in lacks it. The function pointer may be NULL.
  const void *(*suite)(const char *name, uint32_t version);
} InrApi;

// Contents of a picture file. Pointers are valid until the picture is closed.
typedef struct InrPictureInfo {
  // Size of this struct; the host sets it before the call.
  size_t struct_size;
  // Native width.
  uint32_t width;
  // Native height.
  uint32_t height;
  // `INR_SAMPLE_*` of the source.
  uint32_t sample;
  // `INR_LAYOUT_*` of the source.
  uint32_t layout;
  // `INR_ALPHA_*` of the source.
  uint32_t alpha;
  // `INR_TRANSFER_*` of the source.
  uint32_t transfer;
  // ICC profile, or NULL.
  const uint8_t *icc;
  // Size of the profile in bytes.
  size_t icc_size;
  // Exif, beginning with its TIFF header, or NULL.
  const uint8_t *exif;
  // Size of the Exif data in bytes.
  size_t exif_size;
  // XMP packet, or NULL.
  const uint8_t *xmp;
  // Size of the XMP packet in bytes.
  size_t xmp_size;
  // Model, for example "pyramid".
  const char *model;
  // Size of the file in bytes.
  uint64_t file_size;
  // Code points of ITU-T H.273: colour primaries, transfer characteristics, matrix coefficients, full range flag. All are
  // 0 when unspecified. Since minor version 1.
  uint8_t cicp[4];
} InrPictureInfo;

// A call that renders a picture.
typedef struct InrRenderCall {
  // Size of this struct.
  size_t struct_size;
  // Requested region inside the picture; NULL: the whole picture at the output's size.
  const struct InrRegion *region;
  // Output buffer with the region's size, the layout of the picture or derivative, and any sample, alpha and transfer.
  const struct InrBuffer *output;
  // `INR_DERIVATIVE_*`.
  uint32_t derivative;
  // Must be 0.
  uint32_t reserved;
  // The derivative, above 0, that maps to the end of the sample range; 0: the largest in the region.
  double range;
  // May be NULL.
  const struct InrProgress *progress;
} InrRenderCall;

// A call that encodes a picture.
typedef struct InrEncodeCall {
  // Size of this struct.
  size_t struct_size;
  // The picture with its ICC profile.
  const struct InrBuffer *input;
  // Array of `value_count` values of `InrCodec::params`.
  const struct InrValue *const *values;
  // Number of values.
  uint32_t value_count;
  // Must be 0.
  uint32_t reserved;
  // Exif, beginning with its TIFF header, or NULL.
  const uint8_t *exif;
  // Size of the Exif data in bytes.
  size_t exif_size;
  // XMP packet, or NULL.
  const uint8_t *xmp;
  // Size of the XMP packet in bytes.
  size_t xmp_size;
  // May be NULL.
  const struct InrProgress *progress;
  // Code points in the form of `InrPictureInfo::cicp`. Since minor version 1.
  uint8_t cicp[4];
} InrEncodeCall;

// A file in memory, in the host's memory when the host set `alloc`, otherwise in the plug-in's.
typedef struct InrBytes {
  // Size of this struct; the host sets it before the call.
  size_t struct_size;
  // The bytes.
  uint8_t *data;
  // Number of bytes.
  size_t size;
} InrBytes;

// The suite `inr.codec`.
typedef struct InrCodec {
  // Size of this struct.
  size_t struct_size;
  // Version of the suite.
  uint32_t version;
  // Number of parameters of `encode`.
  uint32_t param_count;
  // Array of `param_count` parameters.
  const struct InrParamInfo *const *params;
  // Opens a file; the plug-in does not use `bytes` after the call. Leaves `out` unchanged on failure, which the session's
  // message describes.
  int32_t (*picture_open)(struct InrSession *session, const uint8_t *bytes, size_t size, struct InrPicture **out);
  // Frees the picture. No call may be running. Accepts NULL.
  void (*picture_close)(struct InrPicture *picture);
  // Returns the message of the picture's last call, like `InrApi::session_message`.
  const char *(*picture_message)(struct InrPicture *picture);
  // Describes the contents of the file.
  int32_t (*picture_info)(struct InrPicture *picture, struct InrPictureInfo *out);
  // Renders the picture or a derivative at any size.
  int32_t (*picture_render)(struct InrPicture *picture, const struct InrRenderCall *call);
  // Encodes a picture into a file, which the host frees with `bytes_free`.
  int32_t (*encode)(struct InrSession *session, const struct InrEncodeCall *call, struct InrBytes *out);
  // Frees a file that `encode` of the same session returned and clears the struct. Accepts NULL and empty structs.
  void (*bytes_free)(struct InrSession *session, struct InrBytes *bytes);
  // Usual extension of file names in lower case without a dot, or NULL. Since minor version 2.
  const char *extension;
  // MIME type of the files, or NULL. Since minor version 2.
  const char *mime_type;
  // The first bytes of every file, or NULL. Since minor version 2.
  const uint8_t *magic;
  // Number of these bytes. Since minor version 2.
  size_t magic_size;
} InrCodec;

// Type of `inr_get_api`, the only function that a plug-in exports. It stores the table for hosts of `abi_major` in `out`, or
// NULL on failure. `host` identifies the caller, may be NULL, and is not used after the call.
typedef int32_t (*InrGetApi)(uint32_t abi_major, const struct InrHost *host, const struct InrApi **out);

#endif  /* INR_PLUGIN_H */

// Name of the suite that opens, renders and encodes picture files; its struct is InrCodec.
#define INR_SUITE_CODEC "inr.codec"

#if defined(_WIN32)
#define INR_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define INR_EXPORT __attribute__((visibility("default")))
#else
#define INR_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

// The only function that a plug-in exports; see InrGetApi.
INR_EXPORT int32_t inr_get_api(uint32_t abi_major, const InrHost *host, const InrApi **out);

#ifdef __cplusplus
}
#endif
