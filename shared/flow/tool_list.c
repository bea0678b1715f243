/*
 * tool_list - every tool: what /tools and /mcp offer, and what a model may call.
 */
#include "base/str.h"
#include "flow/tool.h"

const struct tool *const tool_all[] = { &tool_call_log_summary, NULL };

const struct tool *
tool_find(const char *name)
{
    for (size_t i = 0; tool_all[i] != NULL; i++) {
        if (str_eq(tool_all[i]->name, name))
            return tool_all[i];
    }
    return NULL;
}
