/*
 * tool - running and describing tools.
 */
#include "flow/tool.h"

bool
tool_run(const struct tool *t, struct flow *f, struct tool_call *call, struct err *e)
{
    if (!param_check(t->params, *t->n_params, call->args, e) || !t->run(f, call, e))
        return false;
    if (!json_has(call->reply, "success"))
        json_set_bool(call->reply, "success", true);
    return true;
}

struct json_object *
tool_describe(struct arena *a, const struct tool *t)
{
    struct json_object *o = json_new_object(a);
    struct json_object *function;

    json_set_str(o, "type", "function");
    function = json_add_object(o, "function");
    json_set_str(function, "name", t->name);
    json_set_str(function, "description", t->description);
    json_set(function, "parameters", param_schema(a, t->params, *t->n_params));
    return o;
}
