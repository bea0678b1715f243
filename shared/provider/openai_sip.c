/*
 * openai_sip - reading the event, building the answers. The SIP headers come from strangers: they
 * are data, and only a number that fits a number's shape leaves this file.
 */
#include "provider/openai_sip.h"

#include "base/clk.h"
#include "base/str.h"
#include "core/json.h"
#include "core/param.h"

static struct json_object *
next_header(struct json_object *headers, size_t *i)
{
    return *i < json_count(headers) ? json_item(headers, (*i)++) : NULL;
}

static bool
is_named(struct arena *a, struct json_object *header, const char *name, const char *compact)
{
    const char *given = str_trim(a, json_opt_str(a, header, "name", ""));

    return str_eq_nocase(given, name) || (!str_empty(compact) && str_eq_nocase(given, compact));
}

/* Behind the display name: it may be quoted and hold anything, brackets and numbers too. */
static const char *
skip_display_name(const char *value)
{
    const char *p = value;
    const char *bracket;

    while (*p == ' ' || *p == '\t')
        p++;
    if (*p == '"') {
        for (p++; *p != '\0' && *p != '"'; p++) {
            if (*p == '\\' && p[1] != '\0')
                p++;
        }
        if (*p == '\0')
            return p;
        p++;
    }
    bracket = strchr(p, '<');
    return bracket != NULL ? bracket + 1 : p;
}

/* The user of a tel:, sip: or sips: address, "" if it is none: <sip:+250...;x=y@host;z>. */
static const char *
user_of(struct arena *a, const char *value)
{
    static const char *const schemes[] = { "tel:", "sip:", "sips:" };
    const char *p = skip_display_name(value);
    char *user;

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (str_starts_nocase(p, schemes[i])) {
            bool is_tel = i == 0;
            size_t n;

            p += strlen(schemes[i]);
            n = strcspn(p, is_tel ? ";>, \t" : "@>, \t");
            if (!is_tel && p[n] != '@') /* a host alone */
                return "";
            n = strcspn(arena_strndup(a, p, n), ";:");
            /* A plus sign is a plus sign here, not a blank. */
            p = str_replace(a, arena_strndup(a, p, n), "+", "%2B");
            return str_url_decode(a, p, strlen(p), &user) ? user : "";
        }
    }
    return "";
}

/* Cuts the first address off a list: behind it is a comma, if that is in no quotes or brackets. */
static const char *
next_address(struct arena *a, const char **list)
{
    const char *from = *list;
    const char *p = from;
    bool quoted = false;
    bool in_brackets = false;

    for (; *p != '\0' && (quoted || in_brackets || *p != ','); p++) {
        if (quoted && *p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '"' && !in_brackets)
            quoted = !quoted;
        else if (!quoted && (*p == '<' || *p == '>'))
            in_brackets = *p == '<';
    }
    *list = *p == ',' ? p + 1 : p;
    return arena_strndup(a, from, (size_t)(p - from));
}

/* RFC 3325, section 9.1: one address, or two with a comma between them. */
static bool
read_addresses(struct arena *a, const char *list, struct phone *out)
{
    struct err ignored = { 0 };

    while (*list != '\0') {
        if (phone_parse(user_of(a, next_address(a, &list)), "from", out, &ignored))
            return true;
    }
    return false;
}

/* The number that the first header of this name with a number has. */
static bool
read_number(struct arena *a, struct json_object *headers, const char *name, const char *compact,
            struct phone *out)
{
    struct json_object *h;
    size_t i = 0;

    while ((h = next_header(headers, &i)) != NULL) {
        if (is_named(a, h, name, compact) &&
            read_addresses(a, json_opt_str(a, h, "value", ""), out))
            return true;
    }
    *out = (struct phone){ "" };
    return false;
}

static const char *
read_sip_call_id(struct arena *a, struct json_object *headers)
{
    struct json_object *h;
    size_t i = 0;

    while ((h = next_header(headers, &i)) != NULL) {
        const char *value;

        if (!is_named(a, h, "Call-ID", "i"))
            continue;
        value = str_trim(a, json_opt_str(a, h, "value", ""));
        if (!str_empty(value) && strlen(value) <= PARAM_ID_MAX)
            return value;
    }
    return "";
}

bool
openai_sip_read(struct arena *a, const char *body, size_t n, struct sip_event *out, struct err *e)
{
    struct json_object *root;
    struct json_object *headers;

    *out = (struct sip_event){ .call_id = "", .sip_call_id = "" };
    if (!json_parse(a, body, n, &root, e) || !json_need_str(a, root, "type", &out->type, e))
        return false;
    /* The same call may also come as live.call.incoming or live.transport.incoming: one is enough.
     */
    out->is_call = str_eq(out->type, "realtime.call.incoming");
    if (!out->is_call)
        return true;
    if (!json_need_str(a, root, "data.call_id", &out->call_id, e))
        return false;
    if (strlen(out->call_id) > PARAM_ID_MAX)
        return err_set(e, ERR_INVALID, "data.call_id: too long");
    headers = json_at(root, "data.sip_headers");
    if (!read_number(a, headers, "From", "f", &out->caller))
        (void)read_number(a, headers, "P-Asserted-Identity", "", &out->caller);
    out->sip_call_id = read_sip_call_id(a, headers);
    if (!clk_parse(json_opt_scalar(a, root, "created_at", ""), &out->at_ms))
        out->at_ms = 0;
    return true;
}

/* 'body' NULL for none. */
static void
post(struct arena *a, const struct config *c, const char *call_id, const char *action,
     struct json_object *body, struct http_request *out)
{
    const char **headers = arena_array(a, 3, sizeof(*headers));

    headers[0] = arena_printf(a, "Authorization: Bearer %s", c->openai_api_key.now);
    headers[1] = body != NULL ? "Content-Type: application/json" : NULL;
    *out = (struct http_request){ .method = "POST", .headers = headers, .body = "" };
    out->url = arena_printf(a, "%s/realtime/calls/%s/%s", c->openai_base_url,
                            str_url_encode(a, call_id), action);
    if (body != NULL)
        out->body = json_print(a, body);
    out->body_len = strlen(out->body);
}

/* Our tools, over the Model Context Protocol. */
static void
add_tools(struct arena *a, struct json_object *session, const struct config *c,
          const struct sip_accept *s)
{
    struct json_object *tool = json_push_object(json_add_array(session, "tools"));
    struct json_object *allowed;
    size_t n;
    char **names = str_split(a, s->tools, ',', &n);

    json_set_str(tool, "type", "mcp");
    json_set_str(tool, "server_label", "easymo");
    json_set_str(tool, "server_url", arena_printf(a, "%s/mcp", c->public_url));
    json_set_str(tool, "authorization", s->token);
    allowed = json_add_array(tool, "allowed_tools");
    for (size_t i = 0; i < n; i++)
        json_push_str(allowed, names[i]);
    json_set_str(tool, "require_approval", "never");
}

void
openai_sip_accept(struct arena *a, const struct config *c, const struct sip_accept *s,
                  struct http_request *out)
{
    struct json_object *session = json_new_object(a);
    struct json_object *audio;
    struct json_object *input;

    json_set_str(session, "type", "realtime");
    json_set_str(session, "model", c->openai_realtime_model);
    json_set_str(session, "instructions", s->instructions);
    json_push_str(json_add_array(session, "output_modalities"), "audio");
    audio = json_add_object(session, "audio");
    input = json_add_object(audio, "input");
    json_set_str(json_add_object(input, "noise_reduction"), "type", "near_field");
    json_set_str(json_add_object(input, "turn_detection"), "type", "server_vad");
    json_set_str(json_add_object(audio, "output"), "voice", s->voice);
    if (!str_empty(c->public_url) && !str_empty(s->token))
        add_tools(a, session, c, s);
    post(a, c, s->call_id, "accept", session, out);
}

void
openai_sip_reject(struct arena *a, const struct config *c, const char *call_id, int status,
                  struct http_request *out)
{
    struct json_object *body = json_new_object(a);

    json_set_int(body, "status_code", status);
    post(a, c, call_id, "reject", body, out);
}

void
openai_sip_hangup(struct arena *a, const struct config *c, const char *call_id,
                  struct http_request *out)
{
    post(a, c, call_id, "hangup", NULL, out);
}

struct call_answer
openai_sip_read_answer(struct arena *a, const struct http_response *r)
{
    struct call_answer answer = call_answer_read(a, r);
    struct json_object *body = NULL;
    struct err ignored = { 0 };
    const char *code;

    if (answer.verdict == CALL_TAKEN || r->reach != HTTP_ANSWERED ||
        !json_parse(a, r->body, r->body_len, &body, &ignored))
        return answer;
    code = json_opt_str(a, body, "error.code", "");
    if (!str_empty(code))
        answer.code = code;
    return answer;
}

struct call_answer
openai_sip_read_hangup(struct arena *a, const struct http_response *r)
{
    if (r->reach == HTTP_ANSWERED && r->status == 404)
        return (struct call_answer){ CALL_TAKEN, "" };
    return openai_sip_read_answer(a, r);
}
