/* Limits and required fields of Cloud API messages, with the codes Meta answers: see
 * graph_check.h. */
#include "graph_check.h"

#include <string.h>

#include "text.h"

#define INVALID_PARAMETER 100
#define MISSING_PARAMETER 131008
#define INVALID_VALUE     131009
#define UNSUPPORTED_TYPE  131051
#define TEMPLATE_TOO_LONG 132005
#define TEMPLATE_BAD_TEXT 132018
#define TEXT_MAX          4096
#define TEMPLATE_MAX      1024
#define BUTTON_BODY_MAX   1024
#define BUTTON_TITLE_MAX  20
#define BUTTONS_MAX       3
#define ROW_TITLE_MAX     24
#define ROW_ID_MAX        200
#define ROW_TEXT_MAX      72
#define ROWS_MAX          10
#define OPAQUE_MAX        512

static long
fail(const char **details, long code, const char *why)
{
    *details = why;
    return code;
}

static long
check_text(struct json_object *message, struct graph_view *view, const char **details)
{
    const char *body = json_str(json_get(message, "text"), "body", "");
    view->kind = "text";
    buf_str(&view->text, body);
    if (*body == '\0') {
        return fail(details, INVALID_PARAMETER, "The parameter text['body'] is required.");
    }
    if (utf8_length(body) > TEXT_MAX) {
        return fail(details, INVALID_PARAMETER, "text['body'] is longer than 4096 characters.");
    }
    return 0;
}

static long
check_parameter(struct json_object *parameter, struct graph_view *view, const char **details)
{
    const char *text = json_str(parameter, "text", "");
    if (*text == '\0') {
        return fail(details, MISSING_PARAMETER, "Parameter of type text is missing text value");
    }
    if (strpbrk(text, "\n\t") != NULL || strstr(text, "     ") != NULL) {
        return fail(details, TEMPLATE_BAD_TEXT,
                    "Param text cannot have new-line/tab characters or more than 4 consecutive "
                    "spaces");
    }
    buf_str(&view->text, view->text.len > 0 ? " " : "");
    buf_str(&view->text, text);
    return 0;
}

static long
check_template(struct json_object *message, struct graph_view *view, const char **details)
{
    struct json_object *template = json_get(message, "template");
    view->kind = "template";
    view->template_name = json_str(template, "name", "");
    if (*view->template_name == '\0' ||
        *json_str(json_get(template, "language"), "code", "") == '\0') {
        return fail(details, INVALID_PARAMETER, "template['name'] and ['language'] are required.");
    }
    struct json_object *components = json_get(template, "components");
    size_t n = components == NULL ? 0 : json_object_array_length(components);
    for (size_t i = 0; i < n; i++) {
        struct json_object *component = json_object_array_get_idx(components, i);
        struct json_object *parameters = json_get(component, "parameters");
        bool is_body = strcmp(json_str(component, "type", ""), "body") == 0;
        size_t count = parameters == NULL || !is_body ? 0 : json_object_array_length(parameters);
        for (size_t j = 0; j < count; j++) {
            long code = check_parameter(json_object_array_get_idx(parameters, j), view, details);
            if (code != 0) {
                return code;
            }
        }
    }
    if (view->text.len > 0 && utf8_length(view->text.data) > TEMPLATE_MAX) {
        return fail(details, TEMPLATE_TOO_LONG, "Translated text too long");
    }
    return 0;
}

static long
check_buttons(struct json_object *interactive, const char *body, const char **details)
{
    struct json_object *buttons = json_get(json_get(interactive, "action"), "buttons");
    size_t n =
        json_object_is_type(buttons, json_type_array) ? json_object_array_length(buttons) : 0;
    if (n < 1 || n > BUTTONS_MAX) {
        return fail(details, INVALID_VALUE, "Invalid buttons count. Min allowed: 1, max: 3");
    }
    if (utf8_length(body) > BUTTON_BODY_MAX) {
        return fail(details, INVALID_VALUE, "interactive['body'] is longer than 1024 characters.");
    }
    for (size_t i = 0; i < n; i++) {
        struct json_object *reply = json_get(json_object_array_get_idx(buttons, i), "reply");
        const char *title = json_str(reply, "title", "");
        if (*title == '\0' || utf8_length(title) > BUTTON_TITLE_MAX ||
            *json_str(reply, "id", "") == '\0') {
            return fail(details, INVALID_VALUE, "Button needs an id and a title of 1 to 20.");
        }
    }
    return 0;
}

static long
check_list(struct json_object *interactive, const char *body, const char **details)
{
    struct json_object *action = json_get(interactive, "action");
    struct json_object *sections = json_get(action, "sections");
    const char *button = json_str(action, "button", "");
    size_t n =
        json_object_is_type(sections, json_type_array) ? json_object_array_length(sections) : 0;
    size_t n_rows = 0;
    if (utf8_length(body) > TEXT_MAX) {
        return fail(details, INVALID_VALUE, "interactive['body'] is longer than 4096 characters.");
    }
    if (*button == '\0' || utf8_length(button) > BUTTON_TITLE_MAX) {
        return fail(details, INVALID_VALUE, "action['button'] needs 1 to 20 characters.");
    }
    for (size_t i = 0; i < n; i++) {
        struct json_object *section = json_object_array_get_idx(sections, i);
        struct json_object *rows = json_get(section, "rows");
        size_t count =
            json_object_is_type(rows, json_type_array) ? json_object_array_length(rows) : 0;
        if (n > 1 && *json_str(section, "title", "") == '\0') {
            return fail(details, INVALID_VALUE, "Several sections need titles.");
        }
        for (size_t j = 0; j < count; j++) {
            struct json_object *row = json_object_array_get_idx(rows, j);
            const char *title = json_str(row, "title", "");
            size_t id = utf8_length(json_str(row, "id", ""));
            if (*title == '\0' || utf8_length(title) > ROW_TITLE_MAX || id < 1 || id > ROW_ID_MAX ||
                utf8_length(json_str(row, "description", "")) > ROW_TEXT_MAX) {
                return fail(details, INVALID_VALUE, "Row needs an id and a title of 1 to 24.");
            }
        }
        n_rows += count;
    }
    if (n_rows < 1 || n_rows > ROWS_MAX) {
        return fail(details, INVALID_VALUE, "Invalid rows count. Min allowed: 1, max: 10");
    }
    return 0;
}

static long
check_interactive(struct json_object *message, struct graph_view *view, const char **details)
{
    struct json_object *interactive = json_get(message, "interactive");
    const char *body = json_str(json_get(interactive, "body"), "text", "");
    view->kind = "interactive";
    buf_str(&view->text, body);
    if (*body == '\0') {
        return fail(details, INVALID_PARAMETER, "The parameter interactive['body'] is required.");
    }
    if (strcmp(json_str(interactive, "type", ""), "button") == 0) {
        return check_buttons(interactive, body, details);
    }
    if (strcmp(json_str(interactive, "type", ""), "list") == 0) {
        return check_list(interactive, body, details);
    }
    if (utf8_length(body) > TEXT_MAX) {
        return fail(details, INVALID_VALUE, "interactive['body'] is longer than 4096 characters.");
    }
    return 0;
}

long
graph_check(struct json_object *message, struct graph_view *view, const char **details)
{
    const char *type = json_str(message, "type", "text");
    buf_add(&view->text, "", 0);
    char phone[32];
    phone_plus(json_str(message, "to", json_str(message, "recipient", "")), phone);
    if (*phone == '\0') {
        return fail(details, INVALID_PARAMETER, "The parameter to is required.");
    }
    if (utf8_length(json_str(message, "biz_opaque_callback_data", "")) > OPAQUE_MAX) {
        return fail(details, INVALID_PARAMETER, "biz_opaque_callback_data is longer than 512.");
    }
    if (strcmp(type, "text") == 0) {
        return check_text(message, view, details);
    }
    if (strcmp(type, "template") == 0) {
        return check_template(message, view, details);
    }
    if (strcmp(type, "interactive") == 0) {
        return check_interactive(message, view, details);
    }
    return fail(details, UNSUPPORTED_TYPE, "Message type is not supported by the lab.");
}
