/*
 * Calls of the Realtime API: accept, reject, hangup, refer. All answer 200 and nothing; accept
 * looks at the session it is given, which is not that of the API's beta any more. See agent.h.
 */
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "provider.h"

static void
refuse(struct request *r, unsigned status, const char *code, const char *param, const char *message)
{
    struct json_object *error = json_object_new_object();
    json_add_str(error, "message", message);
    json_add_str(error, "type", "invalid_request_error");
    json_add(error, "param", *param == '\0' ? NULL : json_object_new_string(param));
    json_add_str(error, "code", code);
    struct json_object *o = json_object_new_object();
    json_add(o, "error", error);
    answer_json(r, status, o);
}

static bool
check_key(struct request *r)
{
    const char *bearer = request_header(r, "Authorization");
    if (bearer != NULL && str_has_prefix(bearer, "Bearer ") && bearer[strlen("Bearer ")] != '\0') {
        return true;
    }
    refuse(r, 401, "invalid_api_key", "", "Missing bearer authentication in header");
    return false;
}

/* What stood on top of the beta's session; NULL if none of it does. */
static const char *
find_retired(struct json_object *session)
{
    static const char *const retired[] = {
        "voice",
        "modalities",
        "input_audio_format",
        "output_audio_format",
        "input_audio_transcription",
        "input_audio_noise_reduction",
        "turn_detection",
        "temperature",
        "max_response_output_tokens",
        "speed",
    };
    for (size_t i = 0; i < sizeof retired / sizeof retired[0]; i++) {
        if (json_has(session, retired[i])) {
            return retired[i];
        }
    }
    return NULL;
}

static bool
modalities_in_order(struct json_object *list)
{
    if (list == NULL) {
        return true;
    }
    if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) != 1) {
        return false;
    }
    const char *word = json_object_get_string(json_object_array_get_idx(list, 0));
    return word != NULL && (strcmp(word, "audio") == 0 || strcmp(word, "text") == 0);
}

static bool
tool_in_order(struct json_object *tool)
{
    const char *type = json_str(tool, "type", "");
    if (strcmp(type, "function") == 0) {
        return *json_str(tool, "name", "") != '\0';
    }
    return strcmp(type, "mcp") == 0 && *json_str(tool, "server_label", "") != '\0' &&
           (json_has(tool, "server_url") || json_has(tool, "connector_id"));
}

static bool
tools_in_order(struct json_object *tools)
{
    if (tools == NULL) {
        return true;
    }
    size_t n = json_object_is_type(tools, json_type_array) ? json_object_array_length(tools) : 0;
    bool is_good = json_object_is_type(tools, json_type_array);
    for (size_t i = 0; i < n && is_good; i++) {
        is_good = tool_in_order(json_object_array_get_idx(tools, i));
    }
    return is_good;
}

static bool
audio_in_order(struct json_object *audio)
{
    struct json_object *in = json_get(json_get(audio, "input"), "format");
    struct json_object *out = json_get(json_get(audio, "output"), "format");
    return (audio == NULL || json_object_is_type(audio, json_type_object)) &&
           (in == NULL || json_object_is_type(in, json_type_object)) &&
           (out == NULL || json_object_is_type(out, json_type_object));
}

static void
take_accept(struct request *r, struct json_object *session)
{
    const char *retired = find_retired(session);
    if (strcmp(json_str(session, "type", ""), "realtime") != 0) {
        refuse(r, 400, "missing_required_parameter", "type", "Missing required parameter: 'type'.");
    } else if (retired != NULL) {
        char *message = str_printf("Unknown parameter: '%s'.", retired);
        refuse(r, 400, "unknown_parameter", retired, message);
        free(message);
    } else if (!modalities_in_order(json_get(session, "output_modalities"))) {
        refuse(r, 400, "invalid_value", "output_modalities", "Either ['audio'] or ['text'].");
    } else if (!audio_in_order(json_get(session, "audio"))) {
        refuse(r, 400, "invalid_type", "audio", "The audio and its formats are objects.");
    } else if (!tools_in_order(json_get(session, "tools"))) {
        refuse(r, 400, "invalid_value", "tools", "A tool lacks what its type requires.");
    } else {
        answer_text(r, 200, NULL, "");
    }
}

static void
take_reject(struct request *r, struct json_object *body)
{
    int64_t status = json_int(body, "status_code", 603);
    if (status < 300 || status > 699) {
        refuse(r, 400, "invalid_value", "status_code", "status_code is a SIP status, 300 to 699.");
    } else {
        answer_text(r, 200, NULL, "");
    }
}

static void
take_call(struct request *r, const struct fault *f)
{
    (void)f;
    if (!check_key(r)) {
        return;
    }
    const char *action = r->segment[1];
    struct json_object *o = json_parse(r->body.data, r->body.len);
    bool needs_body = strcmp(action, "accept") == 0 || strcmp(action, "refer") == 0;
    if (!json_object_is_type(o, json_type_object) && (needs_body || r->body.len > 0)) {
        refuse(r, 400, "invalid_json", "", "The body is no JSON object.");
    } else if (strcmp(action, "accept") == 0) {
        take_accept(r, o);
    } else if (strcmp(action, "reject") == 0) {
        take_reject(r, o);
    } else if (strcmp(action, "refer") == 0 && *json_str(o, "target_uri", "") == '\0') {
        refuse(r, 400, "missing_required_parameter", "target_uri",
               "Missing required parameter: 'target_uri'.");
    } else {
        answer_text(r, 200, NULL, "");
    }
    (void)json_object_put(o);
}

void
agent_serve_call(struct request *r)
{
    static const char *const actions[] = { "accept", "reject", "hangup", "refer" };
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(r->segment[1], actions[i]) == 0) {
            r->is_secondary = true;
            provider_serve(r, PROVIDER_AGENT, take_call);
            return;
        }
    }
    reply_error(r, 404, "no such action on a call");
}
