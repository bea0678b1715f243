/*
 * call_log_summary - the tool's own endpoint: POST /tools/call_log_summary. What it does:
 * flow/tool_call_log_summary.c.
 */
#include "frame/handler.h"

const struct handler handler = TOOL_HANDLER(tool_call_log_summary, 1024 * 1024, CFG_SEND);
