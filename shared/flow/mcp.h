/*
 * mcp - the Model Context Protocol: the tools, for agents that speak it. Stateless: every POST is
 * answered from itself alone, as JSON, never as a stream.
 *
 * The specification's versions with the streamable transport, and the two before it, whose
 * messages are the same: https://modelcontextprotocol.io/specification
 */
#ifndef OMNI_FLOW_MCP_H
#define OMNI_FLOW_MCP_H

#include "flow/tool.h"

/* One POST, and what is behind it. */
struct mcp {
    struct arena *arena;
    struct flow *flow;
    const struct tool_caller *caller;
    const char *version;             /* of the header MCP-Protocol-Version, "" if there was none */
    const struct tool *const *tools; /* ended by NULL */
    /* tool_execute(), but in tests */
    bool (*execute)(struct flow *f, const struct tool *t, struct tool_call *call, struct err *e);
};

struct mcp_answer {
    int status;               /* HTTP: 200, 202 when nothing wants an answer, 400 */
    struct json_object *body; /* NULL with 202 */
};

/* Is this a version of the protocol that we speak? */
bool mcp_version_known(const char *version);

/* Answers the n bytes of a POST, which a NUL follows. */
struct mcp_answer mcp_answer(const struct mcp *m, const char *bytes, size_t n);

#endif
