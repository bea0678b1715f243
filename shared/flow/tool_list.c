/*
 * tool_list - every tool: what /tools and /mcp offer, and what a model may call.
 */
#include "base/str.h"
#include "flow/tool.h"

const struct tool *const tool_all[] = {
    &tool_call_log_summary,
    &tool_messaging_send_whatsapp,
    &tool_messaging_send_sms,
    &tool_messaging_send_dual_channel,
    &tool_session_get_or_create,
    &tool_session_update_status,
    &tool_session_add_context,
    &tool_session_get_context,
    &tool_agent_handover,
    &tool_session_pause,
    &tool_session_resume,
    &tool_operator_send,
    NULL,
};

const struct tool *
tool_find(const char *name)
{
    for (size_t i = 0; tool_all[i] != NULL; i++) {
        if (str_eq(tool_all[i]->name, name))
            return tool_all[i];
    }
    return NULL;
}
