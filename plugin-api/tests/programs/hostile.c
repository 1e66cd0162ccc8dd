/* Plug-ins that violate one rule each, selected by -DCASE_...; the loader rejects all of them except CASE_NONE. */
#include "inr_plugin.h"

static int32_t session_open(const InrHost *host, InrSession **out) {
    (void)host;
    (void)out;
    return INR_INTERNAL;
}
static void session_close(InrSession *session) { (void)session; }
static const char *session_message(InrSession *session) {
    (void)session;
    return "";
}
static int32_t plan(InrSession *session, const InrFilterCall *call, InrPlan *out) {
    (void)session, (void)call, (void)out;
    return INR_INTERNAL;
}
static int32_t run(InrSession *session, const InrFilterCall *call) {
    (void)session, (void)call;
    return INR_INTERNAL;
}

#if defined(CASE_BAD_DEFAULT) || defined(CASE_BAD_SLIDER)
static const InrInputInfo image = {sizeof image, "image", "Image", "", 1, 0};
static const InrInputInfo *const inputs[] = {&image};
static const InrParamInfo level = {.struct_size = sizeof level, .key = "level", .label = "Level",
#ifdef CASE_BAD_SLIDER
                                   .display_min = 3, .display_max = 2, .default_number = 1,
#else
                                   .default_number = 7,
#endif
                                   .kind = INR_PARAM_DOUBLE, .hard_max = 1};
static const InrParamInfo *const params[] = {&level};
static const InrFilterInfo filter = {.struct_size = sizeof filter, .id = "x.y", .key = "y", .label = "Y",
                                     .thread_class = INR_THREADS_ONE, .inputs = inputs, .input_count = 1,
                                     .params = params, .param_count = 1};
static const InrFilterInfo *const filters[] = {&filter};
#endif
#ifdef CASE_NULL_FILTER
static const InrFilterInfo *const filters[] = {0};
#endif

static const InrApi api = {
#ifdef CASE_SHORT_TABLE
    .struct_size = 24,
#else
    .struct_size = sizeof api,
#endif
#ifdef CASE_OTHER_MAJOR
    .abi_major = 7,
#else
    .abi_major = INR_ABI_MAJOR,
#endif
#ifndef CASE_NO_ID
    .id = "org.example.hostile",
#endif
    .name = "Hostile",
#ifdef CASE_NOT_UTF8
    .version = "\xff\xfe",
#else
    .version = "1",
#endif
    .thread_class = INR_THREADS_ONE,
#if defined(CASE_BAD_DEFAULT) || defined(CASE_BAD_SLIDER) || defined(CASE_NULL_FILTER)
    .filters = filters,
    .filter_count = 1,
#endif
#ifdef CASE_MANY_FILTERS
    .filter_count = 4000000000u,
#endif
#ifndef CASE_NULL_FUNCTION
    .session_open = session_open,
#endif
    .session_close = session_close,
    .session_message = session_message,
    .filter_plan = plan,
    .filter_run = run,
};

#ifdef CASE_NO_EXPORT
int32_t other(void) { return api.abi_major; }
#else
int32_t inr_get_api(uint32_t abi_major, const InrHost *host, const InrApi **out) {
    (void)host, (void)abi_major;
    *out = &api;
#ifdef CASE_VERSION
    *out = 0;
    return INR_VERSION;
#endif
#ifdef CASE_ERROR
    return INR_UNSUPPORTED;
#endif
#ifdef CASE_STRANGE_ERROR
    return -77;
#endif
#ifdef CASE_NO_TABLE
    *out = 0;
#endif
    return INR_OK;
}
#endif
