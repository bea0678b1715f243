/*
 * tool-catalog - GET /tools: the tools as OpenAI function definitions; whoever comes with a bound
 * token is told of its own.
 */
#include "frame/handler.h"

static bool
run(struct call *c, struct err *e)
{
    struct json_object *tools = json_add_array(c->reply, "tools");

    (void)e;
    for (size_t i = 0; tool_all[i] != NULL; i++) {
        if (tool_allowed(&c->caller, tool_all[i]))
            json_push(tools, tool_describe(c->arena, tool_all[i], !c->caller.is_operator));
    }
    return true;
}

const struct handler handler = {
    .name = "tool-catalog",
    .methods = METHOD_GET,
    .needs = CFG_SERVICE,
    .auth = AUTH_CALLER,
    .run = run,
};
