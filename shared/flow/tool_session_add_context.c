/*
 * tool_session_add_context - facts an agent wants to find again, in the next message or call.
 */
#include "flow/tool_note.h"

static const struct param params[] = {
    { "session_id", PARAM_UUID, true, 0, NULL, "The conversation." },
    { "context", PARAM_OBJECT, true, TOOL_NOTE_MAX, NULL,
      "Facts to keep, merged by key, such as {\"budget\": \"200k\", \"district\": \"Kicukiro\"}. "
      "\"language\" (rw, en, fr or sw) is what the person is answered in from now on." },
};
static const size_t n_params = COUNT_OF(params);

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    return tool_note(f, call, "", e);
}

const struct tool tool_session_add_context = {
    .name = "session_add_context",
    .description = "Notes facts in the conversation, so that whoever goes on with it knows them.",
    .params = params,
    .n_params = &n_params,
    .run = run,
};
