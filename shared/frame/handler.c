/*
 * handler - from a request to its answer: the checks every endpoint shares, in the order of their
 * cost, then its own function.
 */
#include "frame/handler.h"

#include "base/clk.h"
#include "base/str.h"
#include "base/uuid.h"

#define RETRY_AFTER_S 5 /* where nobody knows when another try has a chance */

const char *
handler_name(const struct handler *h)
{
    return h->tool != NULL ? h->tool->name : h->name;
}

static bool
check_method(const struct handler *h, const struct incoming_http *in, int *status)
{
    bool known = (str_eq(in->method, "GET") && (h->methods & METHOD_GET) != 0) ||
                 (str_eq(in->method, "POST") && (h->methods & METHOD_POST) != 0);

    if (!known)
        *status = 405;
    return known;
}

/* "application/json; charset=utf-8" is application/json; a missing type is taken as the right one.
 */
static bool
check_media(const struct handler *h, const struct incoming_http *in, struct err *e)
{
    size_t n = h->media != NULL ? strlen(h->media) : 0;

    if (n == 0 || str_empty(in->content_type) || !str_eq(in->method, "POST"))
        return true;
    if (str_starts_nocase(in->content_type, h->media) &&
        (in->content_type[n] == '\0' || in->content_type[n] == ';' || in->content_type[n] == ' '))
        return true;
    return err_set(e, ERR_MEDIA_TYPE, "Content-Type: must be %s", h->media);
}

/* What stands behind "Bearer ", "" when nothing does. */
static const char *
bearer_of(const struct call *c)
{
    const char *given = incoming_header(&c->in, "Authorization");

    return str_starts_nocase(given, "Bearer ") ? given + strlen("Bearer ") : "";
}

static bool
check_service_key(const struct call *c, struct err *e)
{
    if (secret_matches(&c->flow->config->service_role_key, bearer_of(c)))
        return true;
    return err_set(e, ERR_AUTH, "Authorization: missing or wrong");
}

/* The service key makes an operator, a token speaks for the person it was made for. */
static bool
check_caller(struct call *c, struct err *e)
{
    struct token token;
    struct err ignored = { 0 };

    c->caller = (struct tool_caller){ .is_operator = true };
    if (check_service_key(c, &ignored))
        return true;
    c->caller = (struct tool_caller){ .is_operator = false };
    if (!token_read(c->arena, &c->flow->config->token_secret, bearer_of(c), clk_now_ms() / 1000,
                    &token, e))
        return false;
    c->caller = tool_caller_of(&token);
    return true;
}

static bool
check_auth(const struct handler *h, struct call *c, struct err *e)
{
    switch (h->auth) {
    case AUTH_OWN:
        return true;
    case AUTH_SERVICE:
        return check_service_key(c, e);
    case AUTH_CALLER:
        return check_caller(c, e);
    }
    return err_set(e, ERR_BUG, "auth");
}

static bool
check_size(enum handler_trouble trouble, const struct handler *h, struct err *e)
{
    switch (trouble) {
    case TROUBLE_NONE:
        return true;
    case TROUBLE_TOO_LARGE:
        return err_set(e, ERR_TOO_LARGE, "body: larger than %zu bytes", h->max_body);
    case TROUBLE_CUT:
        return err_set(e, ERR_INVALID, "body: shorter than announced, or too slow");
    }
    return err_set(e, ERR_BUG, "body");
}

static bool
run_tool(const struct tool *t, struct call *c, struct err *e)
{
    struct tool_call call = {
        .arena = c->arena,
        .caller = &c->caller,
        .args = c->body,
        .reply = c->reply,
        .status = 200,
        .may_wait = true,
    };

    if (!tool_execute(c->flow, t, &call, e))
        return false;
    c->reply = call.reply;
    c->status = call.status;
    return true;
}

static bool
run(const struct handler *h, struct call *c, enum handler_trouble trouble, struct err *e)
{
    if (!check_size(trouble, h, e) || !check_media(h, &c->in, e) || !check_auth(h, c, e))
        return false;
    if (h->reads_json) {
        if (!json_parse(c->arena, c->in.body, c->in.body_len, &c->body, e))
            return err_wrap(e, "body");
        if (!json_is_object(c->body))
            return err_set(e, ERR_INVALID, "body: must be a JSON object");
        if (h->params != NULL && !param_check(h->params, *h->n_params, c->body, e))
            return false;
    }
    return h->tool != NULL ? run_tool(h->tool, c, e) : h->run(c, e);
}

/* A refused secret may be one that has just been changed: then its file is read, and the request,
 * which has done nothing yet, is looked at once more. What was done before already is a success. */
static bool
run_twice(const struct handler *h, struct call *c, enum handler_trouble trouble, struct err *e)
{
    bool ok = run(h, c, trouble, e);

    if (!ok && (e->kind == ERR_AUTH || e->kind == ERR_FORBIDDEN) && c->settings != NULL &&
        config_refresh_now(c->settings)) {
        c->reply = json_new_object(c->arena);
        *e = (struct err){ 0 };
        ok = run(h, c, trouble, e);
    }
    if (!ok && e->kind == ERR_DUPLICATE) {
        json_set_bool(c->reply, "success", true);
        ok = true;
    }
    return ok;
}

static int
status_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
    case ERR_DUPLICATE: /* never an error by the time it gets here */
        return 200;
    case ERR_INVALID:
        return 400;
    case ERR_AUTH:
        return 401;
    case ERR_FORBIDDEN:
        return 403;
    case ERR_NOT_FOUND:
        return 404;
    case ERR_CONFLICT:
        return 409;
    case ERR_TOO_LARGE:
        return 413;
    case ERR_MEDIA_TYPE:
        return 415;
    case ERR_LIMIT:
        return 429;
    case ERR_UNAVAILABLE:
    case ERR_TEMP:
        return 503;
    case ERR_PERM:
    case ERR_BUG:
        return 500;
    }
    return 500;
}

/* What a stranger may read: the field that is wrong, but nothing of our insides. */
static const char *
words_for_caller(const struct err *e)
{
    if (e->kind == ERR_TEMP)
        return "temporarily unavailable, try again";
    if (status_of(e->kind) == 500)
        return "internal error";
    if (e->code[0] != '\0') /* the database's or a provider's, not the caller's field */
        return "invalid data";
    return e->text;
}

static void
set_error(struct call *c, const char *code, const char *words)
{
    struct json_object *error;

    c->reply = json_new_object(c->arena);
    c->text = NULL;
    json_set_bool(c->reply, "success", false);
    error = json_add_object(c->reply, "error");
    json_set_str(error, "code", code);
    json_set_str(error, "message", words);
}

static void
log_end(const struct call *c, const struct err *e, int64_t began)
{
    struct log *l = c->flow->log;
    int64_t ms = clk_mono_ms() - began;

    if (c->status < 400)
        log_event(l, REQUEST_DONE, LF_INT("status", c->status), LF_INT("ms", ms));
    else if (c->status < 500)
        log_event(l, REQUEST_REFUSED, LF_INT("status", c->status), LF_INT("ms", ms), LF_ERR(e));
    else if (e->kind == ERR_TEMP)
        log_event(l, DATABASE_AWAY, LF_INT("status", c->status), LF_INT("ms", ms), LF_ERR(e));
    else
        log_event(l, REQUEST_FAILED, LF_INT("status", c->status), LF_INT("ms", ms), LF_ERR(e));
}

/* The caller's own correlation id, if it gives a decent one, or a new one. */
static void
set_correlation(struct call *c)
{
    const char *given = incoming_header(&c->in, "X-Correlation-Id");

    log_set_correlation(c->flow->log, given);
    if (str_empty(log_correlation(c->flow->log)))
        log_set_correlation(c->flow->log, uuid_new().text);
}

static struct handler_answer
render(const struct handler *h, struct call *c, const struct err *e)
{
    struct handler_answer out = { .status = c->status, .content_type = "application/json" };
    size_t n = 0;

    out.headers[n++] =
        arena_printf(c->arena, "X-Correlation-Id: %s", log_correlation(c->flow->log));
    out.headers[n++] = "Cache-Control: no-store";
    out.headers[n++] = "X-Content-Type-Options: nosniff";
    if (c->status == 405)
        out.headers[n++] = h->methods == METHOD_GET    ? "Allow: GET"
                           : h->methods == METHOD_POST ? "Allow: POST"
                                                       : "Allow: GET, POST";
    if (c->status == 429 || c->status == 503)
        out.headers[n++] = arena_printf(c->arena, "Retry-After: %d",
                                        e->retry_after_s > 0 ? e->retry_after_s : RETRY_AFTER_S);
    if (c->status == 401 && h->auth != AUTH_OWN)
        out.headers[n++] = "WWW-Authenticate: Bearer";
    out.body = json_print(c->arena, c->reply);
    if (c->text != NULL) {
        out.content_type = "text/plain; charset=utf-8";
        out.body = c->text;
    }
    out.body_len = strlen(out.body);
    return out;
}

struct handler_answer
handler_answer(const struct handler *h, struct call *c, enum handler_trouble trouble)
{
    int64_t began = clk_mono_ms();
    struct err e = { 0 };
    const char *id;

    c->program = handler_name(h);
    c->reply = json_new_object(c->arena);
    c->status = 200;
    set_correlation(c);
    id = arena_strdup(c->arena, log_correlation(c->flow->log));
    if (!check_method(h, &c->in, &c->status)) {
        (void)err_set(&e, ERR_INVALID, "method not allowed");
        set_error(c, "method_not_allowed", e.text);
    } else if (!run_twice(h, c, trouble, &e)) {
        c->status = status_of(e.kind);
        set_error(c, err_kind_text(e.kind), words_for_caller(&e));
    }
    log_set_correlation(c->flow->log, id); /* the flows set it to the rows' they worked on */
    log_end(c, &e, began);
    return render(h, c, &e);
}
