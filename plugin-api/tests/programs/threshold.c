/* A complete plug-in in C: black where a sample is below a level, white above it.
 * cc -std=c11 -shared -fPIC -I include threshold.c -o libthreshold.so */
#include "inr_plugin.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *message;
} State;

static const InrInputInfo image = {sizeof image, "image", "Image", "", 1, 0};
static const InrInputInfo *const inputs[] = {&image};

static const InrParamInfo level = {
    .struct_size = sizeof level,
    .key = "level",
    .label = "Level",
    .hint = "Samples below are black.",
    .group = "",
    .kind = INR_PARAM_INT,
    .hard_min = 0,
    .hard_max = 255,
    .display_min = 0,
    .display_max = 255,
    .default_number = 128,
    .step = 1,
};
static const InrParamInfo *const params[] = {&level};

static const InrFilterInfo threshold = {
    .struct_size = sizeof threshold,
    .id = "org.example.c.threshold",
    .key = "threshold",
    .label = "Threshold",
    .hint = "Black below a level, white above.",
    .version = "1.0.0",
    .capabilities = INR_CAP_EDITS | INR_CAP_DETERMINISTIC,
    .thread_class = INR_THREADS_ONE,
    .inputs = inputs,
    .params = params,
    .input_count = 1,
    .param_count = 1,
};
static const InrFilterInfo *const filters[] = {&threshold};

static int32_t session_open(const InrHost *host, InrSession **out) {
    if (!host || !out || host->struct_size < sizeof *host) return INR_BAD_ARGUMENT;
    State *state = calloc(1, sizeof *state);
    if (!state) return INR_OUT_OF_MEMORY;
    state->message = "";
    *out = (InrSession *)state;
    return INR_OK;
}

static void session_close(InrSession *session) { free(session); }

static const char *session_message(InrSession *session) { return ((State *)session)->message; }

static int32_t fail(InrSession *session, int32_t code, const char *message) {
    ((State *)session)->message = message;
    return code;
}

static int32_t plan(InrSession *session, const InrFilterCall *call, InrPlan *out) {
    if (!session) return INR_BAD_ARGUMENT;
    if (!call || !out || call->filter != 0 || call->input_count != 1)
        return fail(session, INR_BAD_ARGUMENT, "the call is malformed");
    const InrBuffer *buffer = call->inputs[0]->buffer;
    InrPlan made = {.struct_size = out->struct_size, .width = buffer->width, .height = buffer->height,
                    .layout = buffer->layout, .need_width = buffer->width, .need_height = buffer->height};
    memcpy(out, &made, out->struct_size < sizeof made ? out->struct_size : sizeof made);
    return INR_OK;
}

static int32_t run(InrSession *session, const InrFilterCall *call) {
    InrPlan made = {.struct_size = sizeof made};
    int32_t code = plan(session, call, &made);
    if (code != INR_OK) return code;
    const InrBuffer *from = call->inputs[0]->buffer, *to = call->output;
    if (!to || to->width != from->width || to->height != from->height || to->layout != from->layout)
        return fail(session, INR_BAD_ARGUMENT, "the output has another size than the picture");
    if (from->sample != INR_SAMPLE_U8 || to->sample != INR_SAMPLE_U8)
        return fail(session, INR_UNSUPPORTED, "only 8 bits are supported");
    double limit = level.default_number;
    for (uint32_t i = 0; i < call->value_count; i++) {
        if (strcmp(call->values[i]->key, level.key) != 0)
            return fail(session, INR_BAD_ARGUMENT, "unknown parameter");
        limit = call->values[i]->number;
    }
    uint32_t channels = from->layout, colours = channels - (channels % 2 == 0);
    for (uint32_t y = 0; y < from->height; y++) {
        const uint8_t *source = (const uint8_t *)from->data + (ptrdiff_t)y * from->stride;
        uint8_t *target = (uint8_t *)to->data + (ptrdiff_t)y * to->stride;
        for (uint32_t x = 0; x < from->width * channels; x++)
            target[x] = x % channels >= colours ? source[x] : source[x] < limit ? 0 : 255;
        if (call->progress && call->progress->progress &&
            !call->progress->progress(call->progress->ctx, (y + 1.0) / from->height))
            return fail(session, INR_CANCELLED, "cancelled");
    }
    return INR_OK;
}

static const InrApi api = {
    .struct_size = sizeof api,
    .abi_major = INR_ABI_MAJOR,
    .abi_minor = INR_ABI_MINOR,
    .id = "org.example.c",
    .name = "Example in C",
    .version = "1.0.0",
    .capabilities = INR_CAP_EDITS,
    .thread_class = INR_THREADS_ONE,
    .filters = filters,
    .filter_count = 1,
    .session_open = session_open,
    .session_close = session_close,
    .session_message = session_message,
    .filter_plan = plan,
    .filter_run = run,
};

int32_t inr_get_api(uint32_t abi_major, const InrHost *host, const InrApi **out) {
    (void)host;
    if (!out) return INR_BAD_ARGUMENT;
    *out = abi_major == INR_ABI_MAJOR ? &api : NULL;
    return *out ? INR_OK : INR_VERSION;
}
