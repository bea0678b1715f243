/* The rules of the Calling API that an action on a call can break: see graph_check.h. */
#include <string.h>

#include "graph_check.h"
#include "text.h"

#define INVALID_PARAMETER 100
#define OPAQUE_MAX        512
#define PURPOSE_MAX       250

static bool
is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0) {
        words++;
    }
    return *words != NULL;
}

/* Every line ends in CRLF. */
static bool
sdp_in_order(const char *sdp)
{
    if (!str_has_prefix(sdp, "v=0")) {
        return false;
    }
    for (const char *end = strchr(sdp, '\n'); end != NULL; end = strchr(end + 1, '\n')) {
        if (end[-1] != '\r') {
            return false;
        }
    }
    size_t len = strlen(sdp);
    return sdp[len - 1] == '\n';
}

static const char *
check_session(struct json_object *action, const char *type)
{
    struct json_object *session = json_get(action, "session");
    if (strcmp(json_str(session, "sdp_type", ""), type) != 0) {
        return "The parameter session['sdp_type'] is missing or wrong.";
    }
    if (!sdp_in_order(json_str(session, "sdp", ""))) {
        return "The parameter session['sdp'] is no SDP with lines that end in CRLF.";
    }
    return NULL;
}

static const char *
check_transcription(struct json_object *action)
{
    static const char *const announced[] = { "en", "fr", "de", "hi", "it", "kn",
                                             "pt", "es", "te", "vi", NULL };
    struct json_object *wanted = json_get(action, "transcription");
    if (wanted == NULL) {
        return NULL;
    }
    if (utf8_length(json_str(wanted, "purpose", "")) > PURPOSE_MAX) {
        return "transcription['purpose'] is longer than 250 characters.";
    }
    if (!is_one_of(json_str(wanted, "announcement_language", "en"), announced)) {
        return "transcription['announcement_language'] is not supported.";
    }
    return NULL;
}

long
graph_check_call(struct json_object *o, const char **details)
{
    static const char *const answers[] = { "pre_accept", "accept", NULL };
    static const char *const others[] = { "reject", "terminate", NULL };
    const char *action = json_str(o, "action", "");
    const char *why = NULL;
    if (utf8_length(json_str(o, "biz_opaque_callback_data", "")) > OPAQUE_MAX) {
        why = "biz_opaque_callback_data is longer than 512.";
    } else if (strcmp(action, "connect") == 0) {
        why = *json_str(o, "to", "") == '\0' ? "The parameter to is required."
                                             : check_session(o, "offer");
    } else if (!is_one_of(action, answers) && !is_one_of(action, others)) {
        why = "The parameter action is missing or unknown.";
    } else if (*json_str(o, "call_id", "") == '\0') {
        why = "The parameter call_id is required.";
    } else if (is_one_of(action, answers)) {
        why = check_session(o, "answer");
    }
    if (why == NULL) {
        why = check_transcription(o);
    }
    *details = why == NULL ? "" : why;
    return why == NULL ? 0 : INVALID_PARAMETER;
}
