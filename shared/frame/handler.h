/*
 * handler - one endpoint as a table entry: what it takes, what it needs, and a function over one
 * request.
 */
#ifndef OMNI_FRAME_HANDLER_H
#define OMNI_FRAME_HANDLER_H

#include "core/json.h"
#include "flow/tool.h"

enum method { METHOD_GET = 1 << 0, METHOD_POST = 1 << 1 };

enum handler_auth {
    AUTH_OWN,     /* the handler verifies a signature itself, or needs none */
    AUTH_SERVICE, /* Authorization: Bearer SERVICE_ROLE_KEY */
    AUTH_CALLER,  /* the same, or a bound token: call->caller says for whom */
};

/* One request. */
struct call {
    struct arena *arena;
    struct flow *flow;
    struct config *settings; /* flow->config, to be read again when a secret does not match; may be
                                NULL */
    const char *program;
    struct incoming_http in;
    struct tool_caller caller; /* with AUTH_CALLER */
    struct json_object *body;  /* parsed for handlers that read JSON, else NULL */
    struct json_object *reply; /* an object to fill in */
    const char *text;          /* if set, the answer is this text/plain instead */
    int status;                /* of a success; 200 */
};

struct handler {
    const char *name;
    unsigned methods;
    size_t max_body;   /* bytes */
    const char *media; /* content type of a POST, NULL for any */
    unsigned needs;    /* CFG_… groups */
    enum handler_auth auth;
    bool reads_json;            /* parse the body into call->body; unreadable: 400 */
    const struct param *params; /* of that JSON; checked before run */
    const size_t *n_params;
    const struct tool *tool; /* a tool's endpoint: run is tool's, --describe prints its schema */
    bool (*run)(struct call *c, struct err *e);
};

/* A tool's endpoint. */
#define TOOL_HANDLER(the_tool, bytes, groups)                                                      \
    {                                                                                              \
        .name = NULL, .methods = METHOD_POST, .max_body = (bytes), .media = "application/json",    \
        .needs = (groups) | CFG_SERVICE, .auth = AUTH_CALLER, .reads_json = true,                  \
        .tool = &(the_tool)                                                                        \
    }

/* The program's name: the handler's, or its tool's. */
const char *handler_name(const struct handler *h);

/* main() of every FastCGI program. Returns the exit code. */
int handler_main(const struct handler *h, int argc, char **argv);

/* Answers one request: everything between its arrival and the bytes that go back. Public for tests.
 */
struct handler_answer {
    int status;
    const char *content_type;
    const char *headers[6]; /* NULL-terminated */
    const char *body;
    size_t body_len;
};
enum handler_trouble { TROUBLE_NONE, TROUBLE_TOO_LARGE, TROUBLE_CUT };
struct handler_answer handler_answer(const struct handler *h, struct call *c,
                                     enum handler_trouble trouble);

#endif
