/*
 * fuzz_mcp - any bytes posted to /mcp: there is an answer or a reason for none, it is JSON-RPC, and
 * the id in it is the one that came.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "flow/jsonrpc.h"
#include "flow/mcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static const struct param note_params[] = {
    { "note", PARAM_TEXT, true, 20, NULL, "A few words." },
    { "mode", PARAM_WORD, false, 0, "a|b", "Which." },
};
static const size_t n_note_params = COUNT_OF(note_params);

static bool
run_note(struct flow *f, struct tool_call *call, struct err *e)
{
    (void)f;
    (void)e;
    json_set_str(call->reply, "note", json_opt_str(call->arena, call->args, "note", ""));
    return true;
}

static const struct tool note = { .name = "note",
                                  .description = "Takes a note.",
                                  .params = note_params,
                                  .n_params = &n_note_params,
                                  .run = run_note };
static const struct tool *const tools[] = { &note, NULL };

static bool
execute(struct flow *f, const struct tool *t, struct tool_call *call, struct err *e)
{
    return tool_run(t, f, call, e);
}

static void
check_answer(struct json_object *o)
{
    must(json_is_object(o) && json_is_object(json_at(o, "result")) != json_has(o, "error"));
    must(!json_has(o, "error") || json_opt_int(json_at(o, "error"), "code", 0) <= -32600);
}

/* One message: the id goes back with every letter and digit. */
static void
check_id(struct arena *a, const char *text, size_t n, struct json_object *answer)
{
    struct jsonrpc_input in;
    struct err e = { 0 };

    if (!jsonrpc_parse(a, text, n, &in, &e) || in.is_batch)
        return;
    must(json_has(answer, "id") == (in.messages[0].id != NULL));
    if (in.messages[0].id != NULL)
        must(str_eq(json_print(a, json_at(answer, "id")), json_print(a, in.messages[0].id)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const struct tool_caller caller = { .is_operator = true };
    static const char *const versions[] = { "", "2025-11-25", "2025-03-26" };
    struct arena *a = arena_new();
    char *text = arena_alloc(a, n + 1);
    struct mcp m = { .arena = a, .caller = &caller, .tools = tools, .execute = execute };
    struct mcp_answer answer;

    if (n > 0)
        memcpy(text, bytes, n);
    m.version = versions[n % COUNT_OF(versions)];
    answer = mcp_answer(&m, text, n);
    must((answer.status == 202) == (answer.body == NULL));
    must(answer.status == 200 || answer.status == 202 || answer.status == 400);
    if (json_is_array(answer.body)) {
        for (size_t i = 0; i < json_count(answer.body); i++)
            check_answer(json_item(answer.body, i));
    } else if (answer.body != NULL) {
        check_answer(answer.body);
        check_id(a, text, n, answer.body);
    }
    arena_free(&a);
    return 0;
}
