/*
 * tool - the one door to every tool, and what agents are told of tools and of their results.
 */
#include "flow/tool.h"

#include "base/buf.h"
#include "base/clk.h"
#include "base/hmac.h"
#include "base/str.h"
#include "base/uuid.h"
#include "flow/tool_bind.h"
#include "model/call_log.h"

#define ARGS_MAX (2 * 1024 * 1024) /* more than any endpoint takes */

bool
tool_run(const struct tool *t, struct flow *f, struct tool_call *call, struct err *e)
{
    size_t n = *t->n_params;
    const struct param *params = t->params;

    if (call->caller != NULL && !call->caller->is_operator)
        params = tool_bind_params(call->arena, t, &n);
    if (!param_check(params, n, call->args, e) || !t->run(f, call, e))
        return false;
    if (!json_has(call->reply, "success"))
        json_set_bool(call->reply, "success", true);
    return true;
}

/* SHA-256 over the arguments in the table's order. How the caller waits, and the key itself, make
 * no other message. */
static const char *
hash_args(const struct tool *t, const struct tool_call *call)
{
    struct buf b = buf_init(call->arena, ARGS_MAX);
    unsigned char digest[HMAC_SIZE];

    for (size_t i = 0; i < *t->n_params; i++) {
        const char *name = t->params[i].name;

        if (json_has(call->args, name) && !str_eq(name, "wait") && !str_eq(name, "idempotency_key"))
            buf_printf(&b, "%s=%s\n", name, json_print(call->arena, json_at(call->args, name)));
    }
    hmac_digest(b.data != NULL ? b.data : "", b.len, digest);
    return str_hex(call->arena, digest, sizeof(digest));
}

/* An empty key says that the caller wanted one and has none: running without it would be twice. */
static bool
check_key(const struct tool_call *call, struct err *e)
{
    return !json_has(call->args, "idempotency_key") ||
           !str_empty(json_opt_str(call->arena, call->args, "idempotency_key", "")) ||
           err_set(e, ERR_INVALID, "idempotency_key: empty");
}

static const char *
outcome_word(enum tool_outcome o)
{
    switch (o) {
    case TOOL_OK:
        return "ok";
    case TOOL_FAILED:
        return "failed";
    case TOOL_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

/* Notes a refusal, and says it to the log; the refusal stands whether it could be noted or not. */
static bool
refuse(struct flow *f, const struct tool_entry *entry, struct tool_call *call, const struct err *e)
{
    bool denied = e->kind == ERR_FORBIDDEN;
    struct err ignored = { 0 };

    if (denied)
        log_event(f->log, TOOL_DENIED, LF_ID("tool", entry->tool), LF_ID("caller", entry->caller),
                  LF_ID("session_id", entry->session_id), LF_ID("call_id", entry->call_id),
                  LF_ID("turn_id", entry->turn_id), LF_ERR(e));
    if (e->kind != ERR_TEMP &&
        !tool_log_refuse(f->db, call->arena, entry, denied ? "denied" : "failed",
                         err_kind_text(e->kind), &ignored))
        log_event(f->log, DATABASE_AWAY, LF_ID("tool", entry->tool), LF_ERR(&ignored));
    return false;
}

/* The reply of the call that this one repeats. */
static bool
answer_again(struct tool_call *call, const struct tool_begun *begun, struct err *e)
{
    if (!json_parse(call->arena, begun->reply, strlen(begun->reply), &call->reply, e))
        return err_wrap(e, "reply of a tool call");
    call->status = begun->status;
    call->outcome = TOOL_OK;
    if (!json_opt_bool(call->reply, "success", true))
        call->outcome = TOOL_FAILED;
    else if (str_eq(json_opt_str(call->arena, call->reply, "status", ""), "unknown"))
        call->outcome = TOOL_UNKNOWN;
    return true;
}

/* Runs the tool and notes how it ended. */
static bool
run_and_note(struct flow *f, const struct tool *t, struct tool_call *call, struct err *e)
{
    int64_t began = clk_mono_ms();
    struct err late = { 0 };
    bool ok;

    call->outcome = TOOL_OK;
    ok = tool_run(t, f, call, e);
    if (!ok) /* where the database went away, nobody knows whether it was before or after */
        call->outcome = e->kind == ERR_TEMP ? TOOL_UNKNOWN : TOOL_FAILED;
    if (!tool_log_end(f->db, call->arena,
                      &(struct tool_ended){
                          .id = call->id,
                          .outcome = outcome_word(call->outcome),
                          .error = ok ? "" : err_kind_text(e->kind),
                          .status = call->status,
                          .reply = ok && t->sends ? json_print(call->arena, call->reply) : "",
                      },
                      &late))
        log_event(f->log, DATABASE_AWAY, LF_ID("tool", t->name), LF_ERR(&late));
    log_event(f->log, TOOL_CALLED, LF_ID("tool", t->name), LF_ID("tool_call", call->id),
              LF_ID("outcome", outcome_word(call->outcome)),
              LF_INT("took_ms", clk_mono_ms() - began));
    return ok;
}

/* What the call stands for is known: may it run, or did it? */
static bool
begin(struct flow *f, const struct tool *t, struct tool_call *call, const struct tool_entry *entry,
      struct err *e)
{
    struct tool_begun begun;

    if (!tool_log_begin(f->db, call->arena, entry, &begun, e))
        return false;
    call->id = begun.id;
    switch (begun.verdict) {
    case TOOL_RUN:
        return run_and_note(f, t, call, e);
    case TOOL_AGAIN:
        return answer_again(call, &begun, e);
    case TOOL_CONFLICT:
        return err_set(e, ERR_CONFLICT, "idempotency_key: used before for another call");
    case TOOL_LIMIT:
        log_event(f->log, TOOL_LIMITED, LF_ID("tool", t->name), LF_ID("limit", begun.limit),
                  LF_ID("session_id", entry->session_id));
        (void)err_set(e, ERR_LIMIT, "%s: the limit is reached, nothing was done; again in %d s",
                      begun.limit, begun.wait_s);
        return err_retry(e, begun.wait_s);
    }
    return err_set(e, ERR_BUG, "verdict of a tool call");
}

/* An agent that uses tools is still on the line: its call is not over, whoever believes so. */
static void
hear_of_call(struct flow *f, const struct tool_call *call)
{
    const char *id = call->caller->call_id;
    struct err e = { 0 };

    if (!str_empty(id) && !call_log_heard(f->db, call->arena, id, &e))
        log_event(f->log, DATABASE_AWAY, LF_ID("call_id", id), LF_ERR(&e));
}

bool
tool_execute(struct flow *f, const struct tool *t, struct tool_call *call, struct err *e)
{
    struct tool_entry entry = tool_bind_entry(call, t);
    struct uuid id = uuid_new();
    const struct param *params;
    size_t n;

    call->outcome = TOOL_FAILED;
    entry.id = id.text;
    call->id = arena_strdup(call->arena, id.text);
    if (!tool_bind(f, t, call, &entry, e))
        return refuse(f, &entry, call, e);
    hear_of_call(f, call);
    params = tool_bind_params(call->arena, t, &n);
    if ((!call->caller->is_operator && !param_check(params, n, call->args, e)) ||
        !check_key(call, e))
        return refuse(f, &entry, call, e);
    entry.key = json_opt_str(call->arena, call->args, "idempotency_key", "");
    entry.hash = hash_args(t, call);
    return begin(f, t, call, &entry, e);
}

struct json_object *
tool_result(const struct tool_call *call, const struct err *e)
{
    struct json_object *result = e == NULL ? call->reply : json_new_object(call->arena);
    struct json_object *error;
    const char *words;

    json_set_str(result, "result", outcome_word(call->outcome));
    if (e == NULL)
        return result;
    words = e->text;
    if (e->kind == ERR_TEMP)
        words = "temporarily unavailable, try again";
    else if (e->kind == ERR_PERM || e->kind == ERR_BUG)
        words = "internal error";
    else if (e->code[0] != '\0') /* the database's or a provider's, not the caller's field */
        words = "invalid data";
    json_set_bool(result, "success", false);
    error = json_add_object(result, "error");
    json_set_str(error, "code", err_kind_text(e->kind));
    json_set_str(error, "message", words);
    return result;
}

struct json_object *
tool_describe(struct arena *a, const struct tool *t, bool bound)
{
    struct json_object *o = json_new_object(a);
    size_t n = *t->n_params;
    const struct param *params = bound ? tool_bind_params(a, t, &n) : t->params;
    struct json_object *function;

    json_set_str(o, "type", "function");
    function = json_add_object(o, "function");
    json_set_str(function, "name", t->name);
    json_set_str(function, "description", t->description);
    json_set(function, "parameters", param_schema(a, params, n));
    return o;
}
