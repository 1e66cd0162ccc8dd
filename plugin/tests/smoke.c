/* Everything that the ABI has, from C, and everything that callers do wrong: smoke PLUGIN.so FILE.inr OUT.raw
 * Without PLUGIN (-DLINKED) the library is linked in. */
#include "inr_plugin.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef LINKED
#include <dlfcn.h>
#endif

static int failures;
#define EXPECT(found, wanted)                                                                                          \
    do {                                                                                                               \
        long f = (long)(found), w = (long)(wanted);                                                                    \
        if (f != w) {                                                                                                  \
            printf("line %d: %s is %ld, not %ld\n", __LINE__, #found, f, w);                                           \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

static atomic_long held;
static void *host_alloc(void *ctx, size_t size) {
    (void)ctx;
    atomic_fetch_add(&held, 1);
    return malloc(size);
}
static void host_free(void *ctx, void *memory) {
    (void)ctx;
    atomic_fetch_sub(&held, 1);
    free(memory);
}

typedef struct {
    atomic_int begun, cancelled;
} Job;

/* The work goes on by itself; it is the other thread that ends it. */
static uint32_t progress(void *ctx, double share) {
    Job *job = ctx;
    (void)share;
    atomic_store(&job->begun, 1);
    while (!atomic_load(&job->cancelled)) {}
    return 1;
}
static uint32_t is_cancelled(void *ctx) { return (uint32_t)atomic_load(&((Job *)ctx)->cancelled); }
static void *canceller(void *ctx) {
    Job *job = ctx;
    while (!atomic_load(&job->begun)) {}
    atomic_store(&job->cancelled, 1);
    return NULL;
}

/* A host that calls a handle from within its own call. */
typedef struct {
    const InrApi *api;
    InrSession *session;
    int32_t code;
} Again;
static uint32_t again(void *ctx, double share) {
    Again *a = ctx;
    InrFilterCall call = {.struct_size = sizeof call};
    (void)share;
    a->code = a->api->filter_run(a->session, &call);
    return 1;
}

static InrBuffer buffer(void *data, uint32_t width, uint32_t height, uint32_t layout) {
    InrBuffer made = {.struct_size = sizeof made, .data = data, .stride = (ptrdiff_t)(width * layout), .width = width,
                      .height = height, .sample = INR_SAMPLE_U8, .layout = layout,
                      .alpha = layout % 2 ? INR_ALPHA_NONE : INR_ALPHA_STRAIGHT, .transfer = INR_TRANSFER_ENCODED};
    return made;
}

static uint32_t index_of(const InrApi *api, const char *key) {
    for (uint32_t i = 0; i < api->filter_count; i++)
        if (!strcmp(api->filters[i]->key, key)) return i;
    return UINT32_MAX;
}

static void describe(const InrApi *api) {
    printf("%s %s, %u filters\n", api->name, api->version, api->filter_count);
    for (uint32_t i = 0; i < api->filter_count; i++) {
        const InrFilterInfo *filter = api->filters[i];
        EXPECT(filter->struct_size, sizeof *filter);
        for (uint32_t p = 0; p < filter->param_count; p++)
            if (!filter->params[p]->key || !*filter->params[p]->label || !*filter->params[p]->hint) failures++;
    }
}

static void filters(const InrApi *api, InrSession *session) {
    enum { W = 40, H = 30 };
    static uint8_t in[W * H * 4], out[W * H * 4], tile[10 * 8 * 4];
    for (size_t i = 0; i < sizeof in; i++) in[i] = (uint8_t)(i * i * 31 >> 3);
    InrBuffer from = buffer(in, W, H, INR_LAYOUT_RGBA), to = buffer(out, W, H, INR_LAYOUT_RGBA);
    InrInput input = {.struct_size = sizeof input, .buffer = &from};
    const InrInput *inputs[] = {&input};
    for (uint32_t i = 0; i < api->filter_count; i++) {
        if (api->filters[i]->input_count > 1 || !(api->filters[i]->capabilities & INR_CAP_EDITS)) continue;
        InrPlan plan = {.struct_size = sizeof plan};
        InrFilterCall call = {.struct_size = sizeof call, .filter = i, .input_count = 1, .inputs = inputs, .output = &to};
        EXPECT(api->filter_plan(session, &call, &plan), INR_OK);
        to.layout = plan.layout;
        to.stride = W * plan.layout;
        EXPECT(api->filter_run(session, &call), INR_OK);
        printf("%s: %s\n", api->filters[i]->key, api->session_message(session));
    }

    /* A tile of a local filter, from no more than the plan says it needs. */
    InrRegion region = {.struct_size = sizeof region, .x = 20, .y = 12, .step_x = 1, .step_y = 1, .width = 10, .height = 8};
    InrFilterCall call = {.struct_size = sizeof call, .filter = index_of(api, "laplacian"), .input_count = 1,
                          .inputs = inputs, .output = &to};
    to = buffer(out, W, H, INR_LAYOUT_RGBA);
    EXPECT(api->filter_run(session, &call), INR_OK);
    InrPlan plan = {.struct_size = sizeof plan};
    call.region = &region;
    EXPECT(api->filter_plan(session, &call, &plan), INR_OK);
    InrBuffer part = from, small = buffer(tile, 10, 8, INR_LAYOUT_RGBA);
    part.data = in + (plan.need_top * W + plan.need_left) * 4;
    part.width = plan.need_width;
    part.height = plan.need_height;
    InrInput piece = {.struct_size = sizeof piece, .buffer = &part, .left = plan.need_left, .top = plan.need_top,
                      .picture_width = W, .picture_height = H};
    const InrInput *pieces[] = {&piece};
    call.inputs = pieces;
    call.output = &small;
    EXPECT(api->filter_run(session, &call), INR_OK);
    for (uint32_t y = 0; y < 8; y++) EXPECT(memcmp(tile + y * 40, out + ((12 + y) * W + 20) * 4, 40), 0);
    part.width--;
    EXPECT(api->filter_run(session, &call), INR_BAD_ARGUMENT);

    /* Bottom-up rows. */
    static uint8_t flipped[W * H * 4];
    call = (InrFilterCall){.struct_size = sizeof call, .filter = index_of(api, "laplacian"), .input_count = 1,
                           .inputs = inputs, .output = &small};
    small = buffer(flipped + W * 4 * (H - 1), W, H, INR_LAYOUT_RGBA);
    small.stride = -W * 4;
    EXPECT(api->filter_run(session, &call), INR_OK);
    for (uint32_t y = 0; y < H; y++) EXPECT(memcmp(flipped + (H - 1 - y) * W * 4, out + y * W * 4, W * 4), 0);
}

/* Each is one mistake; the code says what kind, and nothing else happens. */
static void misuse(const InrApi *api, InrSession *session, const InrHost *host) {
    uint8_t in[16 * 16 * 3] = {0}, out[16 * 16 * 3];
    InrBuffer from = buffer(in, 16, 16, 3), to = buffer(out, 16, 16, 3);
    InrInput input = {.struct_size = sizeof input, .buffer = &from};
    const InrInput *inputs[] = {&input}, *twice[] = {&input, &input}, *none[] = {NULL};
    InrFilterCall good = {.struct_size = sizeof good, .filter = index_of(api, "sharpen"), .input_count = 1,
                          .inputs = inputs, .output = &to};
    InrFilterCall call = good;
    InrPlan plan = {.struct_size = sizeof plan};
    InrSession *other = NULL;
    EXPECT(api->session_open(NULL, &other), INR_BAD_ARGUMENT);
    EXPECT(api->session_open(host, NULL), INR_BAD_ARGUMENT);
    InrHost bad_host = *host;
    bad_host.struct_size = 8;
    EXPECT(api->session_open(&bad_host, &other), INR_BAD_ARGUMENT);
    bad_host = *host;
    bad_host.free = NULL;
    EXPECT(api->session_open(&bad_host, &other), INR_BAD_ARGUMENT);
    EXPECT(other == NULL, 1);
    api->session_close(NULL);
    EXPECT(strlen(api->session_message(NULL)) > 0, 1);
    EXPECT(api->filter_run(NULL, &good), INR_BAD_ARGUMENT);
    EXPECT(api->filter_run(session, NULL), INR_BAD_ARGUMENT);
    EXPECT(strlen(api->session_message(session)) > 0, 1);
    EXPECT(api->filter_run(session, (InrFilterCall *)((char *)&good + 1)), INR_BAD_ARGUMENT);
    EXPECT(api->filter_plan(session, &good, NULL), INR_BAD_ARGUMENT);
    plan.struct_size = 4;
    EXPECT(api->filter_plan(session, &good, &plan), INR_BAD_ARGUMENT);
#define WRONG(change, code)                                                                                            \
    do {                                                                                                               \
        call = good;                                                                                                   \
        from = buffer(in, 16, 16, 3);                                                                                  \
        to = buffer(out, 16, 16, 3);                                                                                   \
        change;                                                                                                        \
        EXPECT(api->filter_run(session, &call), code);                                                                 \
    } while (0)
    WRONG(call.struct_size = 16, INR_BAD_ARGUMENT);
    WRONG(call.filter = 999, INR_BAD_ARGUMENT);
    WRONG(call.inputs = NULL, INR_BAD_ARGUMENT);
    WRONG(call.inputs = none, INR_BAD_ARGUMENT);
    WRONG(call.input_count = 0, INR_BAD_ARGUMENT);
    WRONG((call.inputs = twice, call.input_count = 2), INR_BAD_ARGUMENT);
    WRONG(call.output = NULL, INR_BAD_ARGUMENT);
    WRONG(from.struct_size = 1, INR_BAD_ARGUMENT);
    WRONG(from.data = NULL, INR_BAD_ARGUMENT);
    WRONG(from.width = 0, INR_BAD_ARGUMENT);
    WRONG(from.sample = 77, INR_BAD_ARGUMENT);
    WRONG(from.layout = 0, INR_BAD_ARGUMENT);
    WRONG(from.alpha = INR_ALPHA_STRAIGHT, INR_BAD_ARGUMENT);
    WRONG(from.transfer = 0, INR_BAD_ARGUMENT);
    WRONG(from.stride = 47, INR_BAD_ARGUMENT);
    WRONG((from.width = UINT32_MAX, from.height = UINT32_MAX, from.stride = PTRDIFF_MAX), INR_BAD_ARGUMENT);
    WRONG((from.width = 5000, from.height = 5000, from.stride = 15000), INR_TOO_LARGE);
    WRONG(to.height = 15, INR_BAD_ARGUMENT);
    WRONG(to.layout = 1, INR_BAD_ARGUMENT);
    InrValue value = {.struct_size = sizeof value, .key = "amount", .number = 1};
    const InrValue *values[] = {&value};
    WRONG((call.values = values, call.value_count = 1, value.key = "nothing"), INR_BAD_ARGUMENT);
    WRONG((call.values = values, call.value_count = 1, value.key = NULL), INR_BAD_ARGUMENT);
    WRONG((call.values = values, call.value_count = 1, value.key = "amount", value.number = -1), INR_BAD_ARGUMENT);
    WRONG((call.values = values, call.value_count = 4000000, value.number = 1), INR_BAD_ARGUMENT);
    WRONG((call.values = values, call.value_count = 1), INR_OK);
    InrRegion region = {.struct_size = sizeof region, .step_x = 1, .step_y = 1, .width = 16, .height = 16};
    WRONG((call.region = &region, region.step_x = 0), INR_BAD_ARGUMENT);
    WRONG((call.region = &region, region.step_x = 0.5), INR_UNSUPPORTED);
    WRONG((call.region = &region, region.step_x = 1, region.x = 1), INR_BAD_ARGUMENT);
    WRONG((call.region = &region, region.x = 0), INR_OK);
    InrProgress watch = {.struct_size = 3};
    WRONG(call.progress = &watch, INR_BAD_ARGUMENT);
    Again inside = {api, session, INR_OK};
    watch = (InrProgress){.struct_size = sizeof watch, .ctx = &inside, .progress = again};
    WRONG(call.progress = &watch, INR_OK);
    EXPECT(inside.code, INR_BAD_ARGUMENT);
    WRONG((void)0, INR_OK);
    EXPECT(strlen(api->session_message(session)), 0);
    EXPECT(api->suite("no such suite", 1) == NULL, 1);
    EXPECT(api->suite(INR_SUITE_CODEC, 99) == NULL, 1);
    EXPECT(api->suite(NULL, 1) == NULL, 1);
}

static void *read_file(const char *name, size_t *size) {
    FILE *file = fopen(name, "rb");
    if (!file) exit(9);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size);
    if (fread(bytes, 1, *size, file) != *size) exit(9);
    fclose(file);
    return bytes;
}

static void codec(const InrApi *api, InrSession *session, const char *name, const char *raw) {
    const InrCodec *codec = api->suite(INR_SUITE_CODEC, INR_SUITE_CODEC_VERSION);
    EXPECT(codec != NULL, 1);
    size_t size;
    uint8_t *bytes = read_file(name, &size);
    EXPECT(strcmp(codec->extension, "inr"), 0);
    EXPECT(strcmp(codec->mime_type, "image/x-inr"), 0);
    EXPECT(codec->magic_size == 8 && memcmp(codec->magic, bytes, 8) == 0, 1);
    InrPicture *picture = NULL;
    EXPECT(codec->picture_open(session, bytes, size / 2, &picture), INR_CORRUPT);
    EXPECT(strlen(api->session_message(session)) > 0, 1);
    EXPECT(codec->picture_open(session, NULL, size, &picture), INR_BAD_ARGUMENT);
    EXPECT(codec->picture_open(session, bytes, size, NULL), INR_BAD_ARGUMENT);
    EXPECT(codec->picture_open(NULL, bytes, size, &picture), INR_BAD_ARGUMENT);
    EXPECT(picture == NULL, 1);
    EXPECT(codec->picture_open(session, bytes, size, &picture), INR_OK);
    free(bytes);
    InrPictureInfo info = {.struct_size = sizeof info};
    EXPECT(codec->picture_info(picture, NULL), INR_BAD_ARGUMENT);
    EXPECT(codec->picture_info(picture, &info), INR_OK);
    printf("%u x %u, %s\n", info.width, info.height, info.model);

    /* Three times the size, to be compared with the program's. */
    uint32_t width = 3 * info.width, height = 3 * info.height;
    size_t bytes_out = (size_t)width * height * info.layout;
    uint8_t *pixels = malloc(bytes_out);
    InrBuffer to = buffer(pixels, width, height, info.layout);
    InrRenderCall call = {.struct_size = sizeof call, .output = &to};
    EXPECT(codec->picture_render(picture, &call), INR_OK);
    FILE *file = fopen(raw, "wb");
    if (!file || fwrite(pixels, 1, bytes_out, file) != bytes_out || fclose(file)) exit(9);
    EXPECT(codec->picture_render(picture, NULL), INR_BAD_ARGUMENT);
    EXPECT(codec->picture_render(NULL, &call), INR_BAD_ARGUMENT);
    call.derivative = 99;
    EXPECT(codec->picture_render(picture, &call), INR_BAD_ARGUMENT);
    call.derivative = INR_DERIVATIVE_LAPLACIAN;
    EXPECT(codec->picture_render(picture, &call), INR_OK);
    InrRegion outside = {.struct_size = sizeof outside, .x = 1, .step_x = 1, .step_y = 1, .width = width, .height = height};
    call.region = &outside;
    EXPECT(codec->picture_render(picture, &call), INR_BAD_ARGUMENT);
    EXPECT(strlen(codec->picture_message(picture)) > 0, 1);

    /* Cancelled by another thread. */
    Job job = {0, 0};
    InrProgress watch = {.struct_size = sizeof watch, .ctx = &job, .progress = progress, .is_cancelled = is_cancelled};
    pthread_t thread;
    pthread_create(&thread, NULL, canceller, &job);
    InrRenderCall watched = {.struct_size = sizeof watched, .output = &to, .progress = &watch};
    EXPECT(codec->picture_render(picture, &watched), INR_CANCELLED);
    pthread_join(thread, NULL);
    watched.progress = NULL;
    EXPECT(codec->picture_render(picture, &watched), INR_OK);

    /* Encoded again, in the host's memory. */
    to = buffer(pixels, info.width, info.height, info.layout);
    InrRenderCall native = {.struct_size = sizeof native, .output = &to};
    EXPECT(codec->picture_render(picture, &native), INR_OK);
    codec->picture_close(picture);
    codec->picture_close(NULL);
    InrBytes made = {.struct_size = sizeof made};
    InrEncodeCall encode = {.struct_size = sizeof encode, .input = &to};
    EXPECT(codec->encode(session, NULL, &made), INR_BAD_ARGUMENT);
    EXPECT(codec->encode(session, &encode, NULL), INR_BAD_ARGUMENT);
    /* Hosts of minor version 0 have structs that end before the code points; shorter ones there never were. */
    encode.struct_size = offsetof(InrEncodeCall, cicp) - 1;
    EXPECT(codec->encode(session, &encode, &made), INR_BAD_ARGUMENT);
    encode.struct_size = offsetof(InrEncodeCall, cicp);
    EXPECT(codec->encode(session, &encode, &made), INR_OK);
    EXPECT(atomic_load(&held), 1);
    EXPECT(codec->picture_open(session, made.data, made.size, &picture), INR_OK);
    codec->picture_close(picture);
    codec->bytes_free(session, &made);
    codec->bytes_free(session, &made);
    codec->bytes_free(session, NULL);
    EXPECT(atomic_load(&held), 0);
    free(pixels);
}

int main(int count, char **arguments) {
    if (count != 4) return 9;
    InrGetApi get_api;
#ifdef LINKED
    get_api = inr_get_api;
#else
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        printf("%s\n", dlerror());
        return 9;
    }
    *(void **)&get_api = dlsym(library, "inr_get_api");
#endif
    InrHost host = {.struct_size = sizeof host, .abi_major = INR_ABI_MAJOR, .abi_minor = INR_ABI_MINOR, .name = "smoke",
                    .alloc = host_alloc, .free = host_free, .max_threads = 2, .max_pixels = 1000000};
    const InrApi *api = NULL;
    EXPECT(get_api(INR_ABI_MAJOR, &host, NULL), INR_BAD_ARGUMENT);
    EXPECT(get_api(INR_ABI_MAJOR + 1, &host, &api), INR_VERSION);
    EXPECT(api == NULL, 1);
    EXPECT(get_api(INR_ABI_MAJOR, NULL, &api), INR_OK);
    EXPECT(get_api(INR_ABI_MAJOR, &host, &api), INR_OK);
    InrSession *session = NULL;
    EXPECT(api->session_open(&host, &session), INR_OK);
    describe(api);
    filters(api, session);
    misuse(api, session, &host);
    codec(api, session, arguments[2], arguments[3]);
    api->session_close(session);
    printf("%d failures\n", failures);
    return failures != 0;
}
