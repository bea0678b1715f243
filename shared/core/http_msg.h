/*
 * http_msg - HTTP messages as plain data: what providers read and write, what io/ carries.
 */
#ifndef OMNI_CORE_HTTP_MSG_H
#define OMNI_CORE_HTTP_MSG_H

#include "base/arena.h"

/* A request somebody sent to us. Everything is borrowed from the request's arena. */
struct incoming_http {
    const char *method;       /* "GET", "POST", ... */
    const char *query;        /* without '?', "" if none */
    const char *content_type; /* "" if none */
    const char *const *vars; /* CGI variables, "NAME=value", NULL-terminated; headers are HTTP_… */
    const char *body;        /* the raw bytes, NUL-terminated besides */
    size_t body_len;
    int64_t received_at_ms; /* for what is told apart by the time it came; 0 where nobody asks */
};

/* The value of a header by its wire name ("X-Hub-Signature-256"), "" if absent. */
const char *incoming_header(const struct incoming_http *in, const char *name);

/* A decoded query parameter by name, the first one if there are several; "" if absent or broken. */
const char *incoming_query(struct arena *a, const struct incoming_http *in, const char *name);

/* A request we send. Borrowed strings; io/http.c copies what it needs. */
struct http_request {
    const char *method; /* "POST" or "GET" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;           /* NULL for none */
    size_t body_len;
    int connect_timeout_ms;
    int timeout_ms;
};

/* How far a request got. */
enum http_reach {
    HTTP_ANSWERED, /* a complete answer came: status and body are valid */
    HTTP_NOT_SENT, /* no byte of the request left: safe to send again */
    HTTP_CUT,      /* the request (or part of it) left, no complete answer came: nobody knows */
};

struct http_response {
    enum http_reach reach;
    int status;       /* 0 unless ANSWERED (or CUT after the header: then the status seen) */
    const char *body; /* NUL-terminated, never NULL; at most HTTP_MAX_RESPONSE bytes */
    size_t body_len;
    int retry_after_s; /* from Retry-After, 0 if none */
    const char *why;   /* the transport's words, "" when ANSWERED */
    int64_t took_ms;
};

#define HTTP_MAX_RESPONSE (1024 * 1024)

#endif
