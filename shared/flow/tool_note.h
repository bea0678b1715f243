/*
 * tool_note - what the tools have in common that change a conversation: two write into it, two hold
 * it back and let it go on.
 */
#ifndef OMNI_FLOW_TOOL_NOTE_H
#define OMNI_FLOW_TOOL_NOTE_H

#include "flow/tool.h"

#define TOOL_NOTE_MAX 8192 /* bytes of context in one call; all together at most 32 KiB */

/* Sets the status ("" leaves it), merges the context of the arguments, and fills in {session_id,
 * status, ignored?}. */
bool tool_note(struct flow *f, struct tool_call *call, const char *status, struct err *e)
    MUST_CHECK;

/* The arguments of session_pause and session_resume, and what they do. */
extern const struct param tool_hold_params[];
extern const size_t tool_hold_params_n;
bool tool_hold(struct flow *f, struct tool_call *call, bool paused, struct err *e) MUST_CHECK;

#endif
