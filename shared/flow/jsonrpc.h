/*
 * jsonrpc - JSON-RPC 2.0 messages: told apart when they come in, put together when they go out.
 */
#ifndef OMNI_FLOW_JSONRPC_H
#define OMNI_FLOW_JSONRPC_H

#include "core/json.h"

enum jsonrpc_code {
    JSONRPC_PARSE_ERROR = -32700,
    JSONRPC_INVALID_REQUEST = -32600,
    JSONRPC_METHOD_NOT_FOUND = -32601,
    JSONRPC_INVALID_PARAMS = -32602,
};

enum jsonrpc_kind {
    JSONRPC_REQUEST,      /* wants an answer */
    JSONRPC_NOTIFICATION, /* has no id and gets no answer */
    JSONRPC_RESPONSE,     /* to a request of ours */
    JSONRPC_INVALID,      /* none of these; 'fault' says why */
};

struct jsonrpc_message {
    enum jsonrpc_kind kind;
    struct json_object *id; /* a string or a number, to be given back as it came; NULL = null */
    const char *method;
    struct json_object *params; /* whatever stands there, NULL if nothing does */
    const char *fault;
};

#define JSONRPC_MAX_BATCH 50

struct jsonrpc_input {
    bool is_batch;
    size_t n;
    struct jsonrpc_message *messages; /* NULL when there are more than JSONRPC_MAX_BATCH */
};

/* Reads one message or a batch from n bytes, which a NUL follows. ERR_INVALID "not JSON: ..." when
 * the bytes are no JSON or more than core/json.h takes. */
bool jsonrpc_parse(struct arena *a, const char *bytes, size_t n, struct jsonrpc_input *out,
                   struct err *e) MUST_CHECK;

/* The answers. 'id' may be NULL. */
struct json_object *jsonrpc_result(struct arena *a, struct json_object *id,
                                   struct json_object *result);
struct json_object *jsonrpc_error(struct arena *a, struct json_object *id, enum jsonrpc_code code,
                                  const char *detail);

#endif
