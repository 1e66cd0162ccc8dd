#ifndef INR_PLUGIN_H
#define INR_PLUGIN_H

/* Generated from src/abi.rs and src/abi/codec.rs by tests/header.rs; INR_BLESS=1 writes it anew. README.md has the rules. */

#include <stddef.h>
#include <stdint.h>

// Major version of this ABI: a plug-in and a host of different major versions do not work together.
#define INR_ABI_MAJOR 1

// Minor version of this ABI: later ones only append members to structs and add constants.
#define INR_ABI_MINOR 1

// Done.
#define INR_OK 0

// The host's progress or is_cancelled asked to stop; outputs hold anything.
#define INR_CANCELLED 1

// A pointer, size or value that cannot be; the message says which.
#define INR_BAD_ARGUMENT 2

// Something legal that this plug-in does not do.
#define INR_UNSUPPORTED 3

// A file that is damaged or no file of this kind.
#define INR_CORRUPT 4

// More than the host's limits allow.
#define INR_TOO_LARGE 5

// Memory ran out.
#define INR_OUT_OF_MEMORY 6

// Reading or writing failed.
#define INR_IO 7

// The plug-in and the host have no ABI version in common.
#define INR_VERSION 8

// A bug in the plug-in. The handle takes no more calls but the one that closes it.
#define INR_INTERNAL 9

// Unsigned, 8 bits, 0 to 255.
#define INR_SAMPLE_U8 1

// Unsigned, 16 bits in the machine's byte order, 0 to 65535.
#define INR_SAMPLE_U16 2

// Floating point, 16 bits; 0 to 1 is the range of integers.
#define INR_SAMPLE_F16 3

// Floating point, 32 bits; 0 to 1 is the range of integers.
#define INR_SAMPLE_F32 4

// One channel. Layouts are numbers of interleaved channels.
#define INR_LAYOUT_GREY 1

// Grey, then alpha.
#define INR_LAYOUT_GREY_ALPHA 2

// Red, green, blue.
#define INR_LAYOUT_RGB 3

// Red, green, blue, alpha.
#define INR_LAYOUT_RGBA 4

// There is no alpha; the only choice for layouts without it.
#define INR_ALPHA_NONE 0

// Colours are not multiplied by alpha.
#define INR_ALPHA_STRAIGHT 1

// Colours are multiplied by alpha, in the transfer that the buffer states.
#define INR_ALPHA_PREMULTIPLIED 2

// Samples as files have them: encoded by the curve of the ICC profile, of sRGB without one.
#define INR_TRANSFER_ENCODED 1

// Linear light; plug-ins that work on encoded samples go through the curve of sRGB.
#define INR_TRANSFER_LINEAR 2

// A whole number; `InrValue::number`.
#define INR_PARAM_INT 1

// A number; `InrValue::number`.
#define INR_PARAM_DOUBLE 2

// 0 or 1; `InrValue::number`.
#define INR_PARAM_BOOL 3

// One of the choices by its key; `InrValue::text`.
#define INR_PARAM_CHOICE 4

// UTF-8; `InrValue::text`.
#define INR_PARAM_STRING 5

// Encoded red, green and blue, 0 to 1; `InrValue::rgb`.
#define INR_PARAM_RGB 6

// Capability: the output has another size than the input.
#define INR_CAP_RESIZES 1

// Capability: the output has the input's size and may replace it.
#define INR_CAP_EDITS 2

// Capability: every output pixel depends on the whole picture, which must be given whole.
#define INR_CAP_GLOBAL 4

// Capability: any region may be asked for, and it does not change what a pixel is.
#define INR_CAP_TILES 8

// Capability: equal input, parameters and region give equal bytes, for any number of threads.
#define INR_CAP_DETERMINISTIC 16

// Capability, of plug-ins: pictures are decoded (suite `inr.codec`).
#define INR_CAP_DECODES 32

// Capability, of plug-ins: pictures are encoded (suite `inr.codec`).
#define INR_CAP_ENCODES 64

// Thread class: all calls of the plug-in come from one thread at a time.
#define INR_THREADS_ONE 1

// Thread class: calls with different handles may come from different threads at once, those with one handle may not.
#define INR_THREADS_PER_HANDLE 2

// Levels of `InrHost::log`.
#define INR_LOG_INFO 1

// Something that the user should know.
#define INR_LOG_WARNING 2

// Something failed.
#define INR_LOG_ERROR 3

// The field itself.
#define INR_DERIVATIVE_NONE 0

// d/dx of every colour channel.
#define INR_DERIVATIVE_DX 1

// d/dy of every colour channel.
#define INR_DERIVATIVE_DY 2

// The Laplacian of every colour channel.
#define INR_DERIVATIVE_LAPLACIAN 3

// d/dx and d/dy of luma in red and green.
#define INR_DERIVATIVE_GRADIENT 4

// Luma's gradient: direction as the hue, length as the value.
#define INR_DERIVATIVE_GRADIENT_HSV 5

// Length of luma's gradient.
#define INR_DERIVATIVE_MAGNITUDE 6

// Unit normal of the relief whose height is luma.
#define INR_DERIVATIVE_NORMAL 7

// Version of `InrCodec`.
#define INR_SUITE_CODEC_VERSION 1

// An opened picture file; not to be looked into. Independent of the session that opened it.
typedef struct InrPicture InrPicture;

// A plug-in at work for one host; not to be looked into. Its calls keep a message for the one that fails.
typedef struct InrSession InrSession;

// Who calls: what the plug-in may use and how much. Copied; pointers are used until the session ends.
typedef struct InrHost {
  // Size of this struct in the host's version of it, as in all structs.
  size_t struct_size;
  // `INR_ABI_MAJOR` of the host.
  uint32_t abi_major;
  // `INR_ABI_MINOR` of the host.
  uint32_t abi_minor;
  // Name of the host, UTF-8; may be NULL.
  const char *name;
  // Handed to the functions below.
  void *ctx;
  // Memory for results that the host is to own, aligned for any type; NULL: the plug-in's own. Any thread.
  void *(*alloc)(void *ctx, size_t size);
  // Takes back what `alloc` gave; both or neither are given.
  void (*free)(void *ctx, void *memory);
  // Takes a line of text; may be NULL. Any thread.
  void (*log)(void *ctx, uint32_t level, const char *message);
  // Threads that a call may use; 0: as many as there are processors.
  uint32_t max_threads;
  // 0.
  uint32_t reserved;
  // Pixels of a picture or an output at most; 0: the plug-in's own limit.
  uint64_t max_pixels;
  // Bytes of a file at most; 0: the plug-in's own limit.
  uint64_t max_bytes;
} InrHost;

// Pixels in memory that belongs to whoever passes the buffer.
typedef struct InrBuffer {
  // Size of this struct.
  size_t struct_size;
  // First sample of the top row.
  void *data;
  // Bytes from one row to the next one below; negative for pictures stored from the bottom up.
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
  // ICC profile, or NULL. Of an input.
  const uint8_t *icc;
  // Bytes of the profile.
  size_t icc_size;
} InrBuffer;

// Which pixels are wanted: output pixel (i, j) has its centre at (x + (i + 0.5) step_x, y + (j + 0.5) step_y) in source
// pixels from the source's top left corner.
typedef struct InrRegion {
  // Size of this struct.
  size_t struct_size;
  // Left edge.
  double x;
  // Top edge.
  double y;
  // Source pixels per output pixel, above 0.
  double step_x;
  // As `step_x`, downwards.
  double step_y;
  // Output pixels in a row.
  uint32_t width;
  // Output rows.
  uint32_t height;
} InrRegion;

// How work is watched and stopped.
typedef struct InrProgress {
  // Size of this struct.
  size_t struct_size;
  // Handed to both.
  void *ctx;
  // Told how much is done, 0 to 1, on the calling thread; 0 asks to stop. May be NULL.
  uint32_t (*progress)(void *ctx, double share);
  // Other than 0 asks to stop. Any thread, at any time of the call. May be NULL.
  uint32_t (*is_cancelled)(void *ctx);
} InrProgress;

// One choice of a parameter.
typedef struct InrChoice {
  // Size of this struct.
  size_t struct_size;
  // What values say.
  const char *key;
  // What people read.
  const char *label;
} InrChoice;

// A parameter, in as much detail as a dialog takes.
typedef struct InrParamInfo {
  // Size of this struct.
  size_t struct_size;
  // What values are called; a-z, 0-9, -.
  const char *key;
  // What people read beside the control.
  const char *label;
  // A sentence about it.
  const char *hint;
  // Parameters of one group stand together; "" for none.
  const char *group;
  // `INR_PARAM_*`.
  uint32_t kind;
  // Digits to show after the point.
  uint32_t digits;
  // Values outside are refused: least.
  double hard_min;
  // Values outside are refused: greatest.
  double hard_max;
  // What a slider covers: least.
  double display_min;
  // What a slider covers: greatest.
  double display_max;
  // Of an int, double or bool.
  double default_number;
  // What a press of a button changes it by.
  double step;
  // Of a choice (its key) or a string; else NULL.
  const char *default_text;
  // Of a colour.
  double default_rgb[3];
  // `choice_count` of them.
  const struct InrChoice *const *choices;
  // Of a choice; else 0.
  uint32_t choice_count;
  // 0.
  uint32_t reserved;
  // Key of a bool or choice that this parameter depends on, or NULL: a dialog greys it out unless that one is 1, or
  // has the value `enabled_if`.
  const char *enabled_by;
  // Key of the choice that `enabled_by` needs; NULL for a bool.
  const char *enabled_if;
} InrParamInfo;

// A picture that a filter takes.
typedef struct InrInputInfo {
  // Size of this struct.
  size_t struct_size;
  // What `InrInput::key` says; the first one is the picture that is worked on.
  const char *key;
  // What people read.
  const char *label;
  // A sentence about it.
  const char *hint;
  // 1: without it there is no result.
  uint32_t required;
  // 0.
  uint32_t reserved;
} InrInputInfo;

// A filter.
typedef struct InrFilterInfo {
  // Size of this struct.
  size_t struct_size;
  // Name for programs, the same for ever: reversed domain, such as "org.example.blur".
  const char *id;
  // Short name for command lines: a-z, 0-9, -.
  const char *key;
  // What people read in a menu.
  const char *label;
  // A sentence about it.
  const char *hint;
  // Version of the filter, such as "1.2.0".
  const char *version;
  // `INR_CAP_*`, added.
  uint32_t capabilities;
  // `INR_THREADS_*`.
  uint32_t thread_class;
  // `input_count` of them, at least 1.
  const struct InrInputInfo *const *inputs;
  // `param_count` of them.
  const struct InrParamInfo *const *params;
  // Inputs.
  uint32_t input_count;
  // Parameters.
  uint32_t param_count;
} InrFilterInfo;

// A parameter's value; parameters without one have their default.
typedef struct InrValue {
  // Size of this struct.
  size_t struct_size;
  // Key of the parameter.
  const char *key;
  // Of an int, double or bool.
  double number;
  // Of a choice or string; else NULL.
  const char *text;
  // Of a colour.
  double rgb[3];
} InrValue;

// A picture, or the part of it that is at hand, as a filter's input.
typedef struct InrInput {
  // Size of this struct.
  size_t struct_size;
  // Key of the input; NULL for the first one.
  const char *key;
  // Its pixels; its data may be NULL when only a plan is asked for.
  const struct InrBuffer *buffer;
  // Column of the picture that the buffer's first pixel is.
  uint32_t left;
  // Row of the picture that the buffer's first pixel is.
  uint32_t top;
  // Width of the whole picture; 0: the buffer is all of it.
  uint32_t picture_width;
  // Height of the whole picture; 0: the buffer is all of it.
  uint32_t picture_height;
} InrInput;

// What is asked of a filter.
typedef struct InrFilterCall {
  // Size of this struct.
  size_t struct_size;
  // Index in `InrApi::filters`.
  uint32_t filter;
  // Inputs.
  uint32_t input_count;
  // `input_count` of them.
  const struct InrInput *const *inputs;
  // `value_count` of them.
  const struct InrValue *const *values;
  // Values.
  uint32_t value_count;
  // 0.
  uint32_t reserved;
  // The wanted pixels; NULL: all.
  const struct InrRegion *region;
  // Where they go, with the region's size and the plan's layout; any sample, alpha and transfer. No input may overlap it.
  // NULL when only a plan is asked for.
  const struct InrBuffer *output;
  // May be NULL.
  const struct InrProgress *progress;
} InrFilterCall;

// What a call needs and gives.
typedef struct InrPlan {
  // Size of this struct; set by the host before the call.
  size_t struct_size;
  // Width of the whole output.
  uint32_t width;
  // Height of the whole output.
  uint32_t height;
  // Layout of the output.
  uint32_t layout;
  // Source pixels that an output pixel depends on beyond its own, on every side; the picture's border ends them.
  // `UINT32_MAX` for global filters.
  uint32_t halo;
  // What the call's region needs of the first input: left.
  uint32_t need_left;
  // Top.
  uint32_t need_top;
  // Width.
  uint32_t need_width;
  // Height.
  uint32_t need_height;
} InrPlan;

// What a plug-in gives.
typedef struct InrApi {
  // Size of this struct.
  size_t struct_size;
  // `INR_ABI_MAJOR` of the plug-in.
  uint32_t abi_major;
  // `INR_ABI_MINOR` of the plug-in.
  uint32_t abi_minor;
  // Name for programs: reversed domain.
  const char *id;
  // What people read.
  const char *name;
  // Version of the plug-in, such as "1.2.0".
  const char *version;
  // `INR_CAP_*` of any of its parts, added.
  uint32_t capabilities;
  // `INR_THREADS_*`.
  uint32_t thread_class;
  // `filter_count` of them, there until the plug-in is unloaded.
  const struct InrFilterInfo *const *filters;
  // Filters.
  uint32_t filter_count;
  // 0.
  uint32_t reserved;
  // Begins work for a host, which is copied. `out` is untouched on failure.
  int32_t (*session_open)(const struct InrHost *host, struct InrSession **out);
  // Ends it and frees all that it holds; no call may be under way. NULL is fine.
  void (*session_close)(struct InrSession *session);
  // Why the session's last call failed, UTF-8, "" if it did not; there until the next call with this session.
  const char *(*session_message)(struct InrSession *session);
  // What a call would need and give; quick.
  int32_t (*filter_plan)(struct InrSession *session, const struct InrFilterCall *call, struct InrPlan *out);
  // Runs a filter. No thread that it starts outlives the call.
  int32_t (*filter_run)(struct InrSession *session, const struct InrFilterCall *call);
  // A suite by name, such as `INR_SUITE_CODEC`, and version: a struct as the suite defines it, there until the plug-in
  // is unloaded; NULL if there is none. May itself be NULL.
  const void *(*suite)(const char *name, uint32_t version);
} InrApi;

// What a picture file holds. Pointers are there until the picture is closed.
typedef struct InrPictureInfo {
  // Size of this struct; set by the host before the call.
  size_t struct_size;
  // Width at native size.
  uint32_t width;
  // Height at native size.
  uint32_t height;
  // `INR_SAMPLE_*` of the source.
  uint32_t sample;
  // `INR_LAYOUT_*` of the source.
  uint32_t layout;
  // `INR_ALPHA_*`.
  uint32_t alpha;
  // `INR_TRANSFER_*`.
  uint32_t transfer;
  // ICC profile, or NULL.
  const uint8_t *icc;
  // Bytes of the profile.
  size_t icc_size;
  // Exif from its TIFF header on, or NULL.
  const uint8_t *exif;
  // Bytes of Exif.
  size_t exif_size;
  // XMP packet, or NULL.
  const uint8_t *xmp;
  // Bytes of XMP.
  size_t xmp_size;
  // Kind of field, such as "pyramid".
  const char *model;
  // Length of the file.
  uint64_t file_size;
  // Code points of ITU-T H.273: colour primaries, transfer characteristics, matrix coefficients, full range flag; all 0:
  // not stated. Since minor version 1.
  uint8_t cicp[4];
} InrPictureInfo;

// What is asked of a picture.
typedef struct InrRenderCall {
  // Size of this struct.
  size_t struct_size;
  // The wanted pixels, inside the picture; NULL: all of it at the output's size.
  const struct InrRegion *region;
  // Where they go, with the region's size, the picture's layout (a derivative's, for derivatives), and any sample, alpha
  // and transfer.
  const struct InrBuffer *output;
  // `INR_DERIVATIVE_*`.
  uint32_t derivative;
  // 0.
  uint32_t reserved;
  // The derivative that ends the range of samples, above 0; 0: the largest in the region.
  double range;
  // May be NULL.
  const struct InrProgress *progress;
} InrRenderCall;

// What is asked of the encoder.
typedef struct InrEncodeCall {
  // Size of this struct.
  size_t struct_size;
  // The picture with its ICC profile.
  const struct InrBuffer *input;
  // `value_count` of them, of `InrCodec::params`.
  const struct InrValue *const *values;
  // Values.
  uint32_t value_count;
  // 0.
  uint32_t reserved;
  // Exif from its TIFF header on, or NULL.
  const uint8_t *exif;
  // Bytes of Exif.
  size_t exif_size;
  // XMP packet, or NULL.
  const uint8_t *xmp;
  // Bytes of XMP.
  size_t xmp_size;
  // May be NULL.
  const struct InrProgress *progress;
  // As `InrPictureInfo::cicp`. Since minor version 1.
  uint8_t cicp[4];
} InrEncodeCall;

// A file in memory: the host's memory if it gave `alloc`, else the plug-in's.
typedef struct InrBytes {
  // Size of this struct; set by the host before the call.
  size_t struct_size;
  // The bytes.
  uint8_t *data;
  // How many.
  size_t size;
} InrBytes;

// The suite `inr.codec`.
typedef struct InrCodec {
  // Size of this struct.
  size_t struct_size;
  // Version of the suite.
  uint32_t version;
  // Parameters of `encode`.
  uint32_t param_count;
  // `param_count` of them.
  const struct InrParamInfo *const *params;
  // Opens a file, whose bytes are not kept. `out` is untouched on failure, which the session's message tells of.
  int32_t (*picture_open)(struct InrSession *session, const uint8_t *bytes, size_t size, struct InrPicture **out);
  // Frees it; no call may be under way. NULL is fine.
  void (*picture_close)(struct InrPicture *picture);
  // Why the picture's last call failed, as `InrApi::session_message`.
  const char *(*picture_message)(struct InrPicture *picture);
  // What it holds.
  int32_t (*picture_info)(struct InrPicture *picture, struct InrPictureInfo *out);
  // Renders it at any size, or its derivatives.
  int32_t (*picture_render)(struct InrPicture *picture, const struct InrRenderCall *call);
  // Makes a file of a picture; `bytes_free` takes it back.
  int32_t (*encode)(struct InrSession *session, const struct InrEncodeCall *call, struct InrBytes *out);
  // Frees what `encode` of the same session gave, and forgets it; NULL and empty are fine.
  void (*bytes_free)(struct InrSession *session, struct InrBytes *bytes);
} InrCodec;

// Type of the one function that a plug-in exports, `inr_get_api`: the table for hosts of `abi_major` in `out`, which
// is set to NULL on failure. `host` says who asks; it may be NULL, and is not kept.
typedef int32_t (*InrGetApi)(uint32_t abi_major, const struct InrHost *host, const struct InrApi **out);

#endif  /* INR_PLUGIN_H */

// Name of the suite that opens, renders and encodes picture files: InrCodec.
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

// The one function that a plug-in exports; see InrGetApi.
INR_EXPORT int32_t inr_get_api(uint32_t abi_major, const InrHost *host, const InrApi **out);

#ifdef __cplusplus
}
#endif
