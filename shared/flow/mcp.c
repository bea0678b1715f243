/*
 * mcp - the four methods a stateless server of tools needs: initialize, ping, tools/list,
 * tools/call.
 */
#include "flow/mcp.h"

#include "base/str.h"
#include "flow/jsonrpc.h"

#define VERSION_WITH_BATCHES "2025-03-26"

/* The latest first: it is offered to a client that asks for one we do not know. */
static const char *const versions[] = { "2025-11-25", "2025-06-18", VERSION_WITH_BATCHES,
                                        "2024-11-05", "2024-10-07" };

static const char about_operator[] =
    "Messages to people by WhatsApp and SMS, after calls and in conversations. What you send "
    "reaches a real phone, and SMS costs money: give an idempotency_key, so that a repeated call "
    "sends nothing twice. A result with isError says in error.message what to correct.";
static const char about_bound[] =
    "Messages to the one person you are talking with, by WhatsApp and SMS. Person, number and call "
    "are known from your token: no tool asks for them. What you send reaches a real phone, and SMS "
    "costs money. A result with isError says in error.message what to correct.";

bool
mcp_version_known(const char *version)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (str_eq(versions[i], version))
            return true;
    }
    return false;
}

static bool
initialize(const struct mcp *m, struct json_object *params, struct json_object *result,
           struct err *e)
{
    struct json_object *capabilities;
    struct json_object *info;
    const char *wanted;

    if (!json_need_str(m->arena, params, "protocolVersion", &wanted, e))
        return false;
    json_set_str(result, "protocolVersion", mcp_version_known(wanted) ? wanted : versions[0]);
    capabilities = json_add_object(result, "capabilities");
    (void)json_add_object(capabilities, "tools");
    info = json_add_object(result, "serverInfo");
    json_set_str(info, "name", "omni");
    json_set_str(info, "version", OMNI_VERSION);
    json_set_str(result, "instructions", m->caller->is_operator ? about_operator : about_bound);
    return true;
}

static bool
ping(const struct mcp *m, struct json_object *params, struct json_object *result, struct err *e)
{
    (void)m;
    (void)params;
    (void)result;
    (void)e;
    return true;
}

static bool
list_tools(const struct mcp *m, struct json_object *params, struct json_object *result,
           struct err *e)
{
    struct json_object *list = json_add_array(result, "tools");

    if (!str_empty(json_opt_scalar(m->arena, params, "cursor", "")))
        return err_set(e, ERR_INVALID, "cursor: there is one page only");
    for (size_t i = 0; m->tools[i] != NULL; i++) {
        struct json_object *described;
        struct json_object *tool;

        if (!tool_allowed(m->caller, m->tools[i]))
            continue;
        described = tool_describe(m->arena, m->tools[i], !m->caller->is_operator);
        tool = json_push_object(list);
        json_set(tool, "name", json_at(described, "function.name"));
        json_set(tool, "description", json_at(described, "function.description"));
        json_set(tool, "inputSchema", json_at(described, "function.parameters"));
    }
    return true;
}

static const struct tool *
find_tool(const struct mcp *m, const char *name)
{
    for (size_t i = 0; m->tools[i] != NULL; i++) {
        if (str_eq(m->tools[i]->name, name))
            return m->tools[i];
    }
    return NULL;
}

/* The reply as text for the model and as data for the program around it. A tool that fails is a
 * result which says so, not an error of the protocol: the model can read it and do better. */
static void
put_outcome(const struct mcp *m, struct json_object *reply, struct json_object *result)
{
    struct json_object *content = json_add_array(result, "content");
    struct json_object *item = json_push_object(content);

    json_set_str(item, "type", "text");
    json_set_str(item, "text", json_print(m->arena, reply));
    json_set(result, "structuredContent", reply);
    json_set_bool(result, "isError", !json_opt_bool(reply, "success", true));
}

static bool
call_tool(const struct mcp *m, struct json_object *params, struct json_object *result,
          struct err *e)
{
    struct tool_call call = {
        .arena = m->arena, .caller = m->caller, .status = 200, .may_wait = true
    };
    struct err failure = { 0 };
    const struct tool *tool;
    const char *name;
    bool ok;

    if (!json_need_str(m->arena, params, "name", &name, e))
        return false;
    tool = find_tool(m, name);
    if (tool == NULL)
        return err_set(e, ERR_INVALID, "name: no such tool");
    call.args = json_at(params, "arguments");
    if (call.args == NULL)
        call.args = json_new_object(m->arena);
    if (!json_is_object(call.args))
        return err_set(e, ERR_INVALID, "arguments: must be an object");
    call.reply = json_new_object(m->arena);
    ok = m->execute(m->flow, tool, &call, &failure);
    put_outcome(m, tool_result(&call, ok ? NULL : &failure), result);
    return true;
}

static const struct method {
    const char *name;
    bool (*run)(const struct mcp *m, struct json_object *params, struct json_object *result,
                struct err *e);
} methods[] = {
    { "initialize", initialize },
    { "ping", ping },
    { "tools/list", list_tools },
    { "tools/call", call_tool },
};

static const struct method *
find_method(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (str_eq(methods[i].name, name))
            return &methods[i];
    }
    return NULL;
}

static struct json_object *
answer_request(const struct mcp *m, const struct jsonrpc_message *in, bool in_batch)
{
    const struct method *method = find_method(in->method);
    struct json_object *result = json_new_object(m->arena);
    struct err e = { 0 };

    if (method == NULL)
        return jsonrpc_error(m->arena, in->id, JSONRPC_METHOD_NOT_FOUND,
                             "this server has tools only");
    if (in_batch && method->run == initialize)
        return jsonrpc_error(m->arena, in->id, JSONRPC_INVALID_REQUEST,
                             "initialize must stand alone");
    if (in->params != NULL && !json_is_object(in->params))
        return jsonrpc_error(m->arena, in->id, JSONRPC_INVALID_PARAMS, "params: must be an object");
    if (!method->run(m, in->params, result, &e))
        return jsonrpc_error(m->arena, in->id, JSONRPC_INVALID_PARAMS, e.text);
    return jsonrpc_result(m->arena, in->id, result);
}

/* NULL for what gets no answer. */
static struct json_object *
answer_message(const struct mcp *m, const struct jsonrpc_message *in, bool in_batch)
{
    switch (in->kind) {
    case JSONRPC_REQUEST:
        return answer_request(m, in, in_batch);
    case JSONRPC_NOTIFICATION:
    case JSONRPC_RESPONSE: /* we ask nothing, so there is nothing it could answer */
        return NULL;
    case JSONRPC_INVALID:
        return jsonrpc_error(m->arena, in->id, JSONRPC_INVALID_REQUEST, in->fault);
    }
    return NULL;
}

static struct mcp_answer
refuse(const struct mcp *m, enum jsonrpc_code code, const char *detail)
{
    return (struct mcp_answer){ 400, jsonrpc_error(m->arena, NULL, code, detail) };
}

/* Batches exist in one version of the protocol, which is also the one of a client that names none.
 */
static struct mcp_answer
answer_batch(const struct mcp *m, const struct jsonrpc_input *in)
{
    struct json_object *answers = json_new_array(m->arena);

    if (!str_empty(m->version) && !str_eq(m->version, VERSION_WITH_BATCHES))
        return refuse(m, JSONRPC_INVALID_REQUEST, "no batches in this version of the protocol");
    if (in->n == 0 || in->n > JSONRPC_MAX_BATCH)
        return refuse(m, JSONRPC_INVALID_REQUEST, "a batch has 1 to 50 messages");
    for (size_t i = 0; i < in->n; i++) {
        struct json_object *answer = answer_message(m, &in->messages[i], true);

        if (answer != NULL)
            json_push(answers, answer);
    }
    if (json_count(answers) == 0)
        return (struct mcp_answer){ 202, NULL };
    return (struct mcp_answer){ 200, answers };
}

struct mcp_answer
mcp_answer(const struct mcp *m, const char *bytes, size_t n)
{
    struct jsonrpc_input in;
    struct mcp_answer out = { 200, NULL };
    struct err e = { 0 };

    if (!jsonrpc_parse(m->arena, bytes, n, &in, &e))
        return refuse(m, JSONRPC_PARSE_ERROR, e.text);
    if (in.is_batch)
        return answer_batch(m, &in);
    out.body = answer_message(m, &in.messages[0], false);
    if (out.body == NULL)
        out.status = 202;
    else if (in.messages[0].kind == JSONRPC_INVALID)
        out.status = 400;
    return out;
}
