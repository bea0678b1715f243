/*
 * wa_cloud - sending by WhatsApp's Cloud API: text, with buttons or a list where there is something
 * to choose, inside the 24-hour window, the approved template outside (Cloud API, messages).
 */
#include "base/str.h"
#include "base/utf8.h"
#include "core/json.h"
#include "core/phrase.h"
#include "provider/providers.h"
#include "provider/wa_webhook.h"

#define TEXT_MAX         4096 /* code points of a text body, and of a list's */
#define BUTTON_BODY_MAX  1024
#define BUTTON_TITLE_MAX 20
#define BUTTONS_MAX      3
#define ROW_TITLE_MAX    24
#define ROWS_MAX         10
#define TEMPLATE_MAX                                                                               \
    900 /* of the template's one parameter, so that the filled template stays under 1024 */

static bool
configured(const struct config *c)
{
    return !str_empty(c->whatsapp_phone_id) && !str_empty(c->whatsapp_access_token.now);
}

/* A template parameter may hold no line break, no tab and no run of blanks: one paragraph. */
static const char *
flat(struct arena *a, const char *text)
{
    char *out = arena_strndup(a, text, utf8_prefix(text, TEMPLATE_MAX));
    char *to = out;

    for (const char *from = out; *from != '\0'; from++) {
        char c = *from;

        if (c == '\n' || c == '\t' || c == '\r')
            c = ' ';
        if (c == ' ' && (to == out || to[-1] == ' '))
            continue;
        *to++ = c;
    }
    while (to > out && to[-1] == ' ')
        to--;
    *to = '\0';
    return out;
}

static const char *
template_language(enum language l)
{
    return l == LANG_RW ? "rw_RW" : language_text(l);
}

static void
add_template(struct arena *a, struct json_object *body, const struct config *c,
             const struct outbound *m)
{
    struct json_object *template;
    struct json_object *component;
    struct json_object *parameter;

    json_set_str(body, "type", "template");
    template = json_add_object(body, "template");
    json_set_str(template, "name", c->whatsapp_template_summary);
    json_set_str(json_add_object(template, "language"), "code", template_language(m->language));
    component = json_push_object(json_add_array(template, "components"));
    json_set_str(component, "type", "body");
    parameter = json_push_object(json_add_array(component, "parameters"));
    json_set_str(parameter, "type", "text");
    json_set_str(parameter, "text", flat(a, m->text));
}

static void
add_text(struct arena *a, struct json_object *body, const struct outbound *m)
{
    struct json_object *text;

    json_set_str(body, "type", "text");
    text = json_add_object(body, "text");
    json_set_str(text, "body", arena_strndup(a, m->text, utf8_prefix(m->text, TEXT_MAX)));
    json_set_bool(text, "preview_url", false);
}

/* What the numbers in the text stand for, where WhatsApp can show them to be tapped: all there,
 * different, and short enough. Returns how many, 0 for a text that stays one. */
static size_t
choices_of(struct arena *a, const struct outbound *m, const char *titles[ROWS_MAX])
{
    struct json_object *list = NULL;
    struct err ignored = { 0 };
    size_t n;

    if (str_empty(m->options) || !json_parse(a, m->options, strlen(m->options), &list, &ignored))
        return 0;
    n = json_count(list);
    if (n < 2 || n > ROWS_MAX || utf8_count(m->text) > TEXT_MAX)
        return 0;
    for (size_t i = 0; i < n; i++) {
        titles[i] = str_trim(a, json_text(a, json_item(list, i)));
        if (str_empty(titles[i]) || utf8_count(titles[i]) > ROW_TITLE_MAX)
            return 0;
        for (size_t k = 0; k < i; k++) {
            if (str_eq(titles[i], titles[k]))
                return 0;
        }
    }
    return n;
}

/* Few and short enough for buttons below the text? */
static bool
fit_buttons(const struct outbound *m, const char *const *titles, size_t n)
{
    if (n > BUTTONS_MAX || utf8_count(m->text) > BUTTON_BODY_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (utf8_count(titles[i]) > BUTTON_TITLE_MAX)
            return false;
    }
    return true;
}

/* The text with its options as reply buttons, else as a list. The body is the whole text: nothing
 * is hidden behind a button, and a number typed instead means the same. */
static void
add_interactive(struct arena *a, struct json_object *body, const struct outbound *m,
                const char *const *titles, size_t n)
{
    bool buttons = fit_buttons(m, titles, n);
    struct json_object *interactive;
    struct json_object *action;
    struct json_object *array;

    json_set_str(body, "type", "interactive");
    interactive = json_add_object(body, "interactive");
    json_set_str(interactive, "type", buttons ? "button" : "list");
    json_set_str(json_add_object(interactive, "body"), "text", m->text);
    action = json_add_object(interactive, "action");
    if (!buttons)
        json_set_str(action, "button", phrase_get(PHRASE_CHOOSE, m->language));
    array = buttons ? json_add_array(action, "buttons")
                    : json_add_array(json_push_object(json_add_array(action, "sections")), "rows");
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_push_object(array);

        if (buttons) {
            json_set_str(item, "type", "reply");
            item = json_add_object(item, "reply");
        }
        json_set_str(item, "id", arena_printf(a, "opt:%zu:%s", i + 1, m->id));
        json_set_str(item, "title", titles[i]);
    }
}

static bool
build(struct arena *a, const struct config *c, const struct outbound *m, struct http_request *out,
      struct err *e)
{
    struct json_object *body = json_new_object(a);
    const char **headers = arena_array(a, 4, sizeof(*headers));
    const char *titles[ROWS_MAX];
    size_t n_titles;

    if (str_empty(m->to) || str_empty(flat(a, m->text)))
        return err_set(e, ERR_PERM, "whatsapp: a message without recipient or text");
    json_set_str(body, "messaging_product", "whatsapp");
    json_set_str(body, "recipient_type", "individual");
    if (m->to_is_bsuid)
        json_set_str(body, "recipient", m->to);
    else
        json_set_str(body, "to", m->to[0] == '+' ? m->to + 1 : m->to);
    n_titles = m->is_template ? 0 : choices_of(a, m, titles);
    if (m->is_template)
        add_template(a, body, c, m);
    else if (n_titles > 0)
        add_interactive(a, body, m, titles, n_titles);
    else
        add_text(a, body, m);
    json_set_str(body, "biz_opaque_callback_data", m->id);
    headers[0] = "Content-Type: application/json";
    headers[1] = arena_printf(a, "Authorization: Bearer %s", c->whatsapp_access_token.now);
    headers[2] = arena_printf(a, "X-Correlation-Id: %s", m->correlation_id);
    *out = (struct http_request){ .method = "POST", .headers = headers };
    out->url = arena_printf(a, "%s/%s/messages", c->whatsapp_api_url, c->whatsapp_phone_id);
    out->body = json_print(a, body);
    out->body_len = strlen(out->body);
    return true;
}

/* Meta's error codes by what they ask of us (Cloud API, error codes). */
static const int64_t retry_codes[] = { 1,      2,      4,      80007,  130429, 131000, 131016,
                                       131048, 131056, 131057, 131064, 133004, 133016, 368 };
static const int64_t hold_codes[] = { 0,      3,      10,     33,     190,    130497, 131005,
                                      131031, 131037, 131042, 131044, 131045, 133010 };

static bool
among(int64_t code, const int64_t *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

static enum outcome
code_outcome(int64_t code, bool transient)
{
    if (transient || among(code, retry_codes, COUNT_OF(retry_codes)))
        return OUTCOME_RETRY;
    if (among(code, hold_codes, COUNT_OF(hold_codes)) || (code >= 200 && code <= 299))
        return OUTCOME_HOLD;
    return OUTCOME_PERMANENT;
}

static struct send_result
read_answer(struct arena *a, const struct http_response *r)
{
    struct send_result result = { provider_status_outcome(r->status), "", "", r->retry_after_s,
                                  NULL };
    struct json_object *answer = NULL;
    struct err ignored = { 0 };
    bool readable = json_parse(a, r->body, r->body_len, &answer, &ignored);
    int64_t code = readable ? json_opt_int(json_at(answer, "error"), "code", -1) : -1;

    if (code >= 0) { /* a complete error of Meta's is an answer, whatever the HTTP status */
        result.outcome =
            code_outcome(code, json_opt_bool(json_at(answer, "error"), "is_transient", false));
        result.error_code = arena_printf(a, "%lld", (long long)code);
    } else if (result.outcome != OUTCOME_ACCEPTED) {
        result.error_code = provider_status_code(a, r->status);
    } else if (readable) {
        result.external_id = json_opt_str(a, answer, "messages.0.id", "");
    }
    return result;
}

const struct provider provider_meta = {
    .name = "meta",
    .channel = CHANNEL_WHATSAPP,
    .configured = configured,
    .build = build,
    .read_answer = read_answer,
    .verify = wa_webhook_verify,
    .read_webhook = wa_webhook_read,
};
