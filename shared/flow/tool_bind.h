/*
 * tool_bind - whom a call of a tool may touch: what its caller is bound to is put into the
 * arguments, and whatever else they name is refused.
 */
#ifndef OMNI_FLOW_TOOL_BIND_H
#define OMNI_FLOW_TOOL_BIND_H

#include "flow/tool.h"
#include "model/tool_log.h"

/* The tool's arguments without those that a bound caller does not give. Lives in 'a'. */
const struct param *tool_bind_params(struct arena *a, const struct tool *t, size_t *n);

/* What the call's evidence says of it, also when it is refused: caller, person, conversation, call,
 * turn. */
struct tool_entry tool_bind_entry(const struct tool_call *call, const struct tool *t);

/*
 * Checks the caller against the tool and the arguments, completes the arguments and *entry.
 * ERR_FORBIDDEN for what a bound caller may not touch, ERR_NOT_FOUND and ERR_INVALID for what the
 * operator names and is not there or does not belong together.
 */
bool tool_bind(struct flow *f, const struct tool *t, struct tool_call *call,
               struct tool_entry *entry, struct err *e) MUST_CHECK;

#endif
