/*
 * agent_handover - the tool's own endpoint: POST /tools/agent_handover. What it does:
 * flow/tool_agent_handover.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_agent_handover, 64 * 1024, 0);
