/*
 * http - requests to providers: many at once, on one event loop. The only user of libcurl.
 *
 * https only (http besides where the operator allows it), no redirects, certificates always
 * checked, a ceiling on every answer, HTTP/1.1, connections kept, but not used again after seconds
 * of silence, when the server may be about to close them. A request's body can be read once and not
 * rewound, so libcurl cannot silently send a request a second time when a kept connection dies
 * under it.
 */
#ifndef OMNI_IO_HTTP_H
#define OMNI_IO_HTTP_H

#include "base/err.h"
#include "core/http_msg.h"

struct http;

/* Called once per started request, from inside http_step(). 'r' and what it points to live until
 * the callback returns. */
typedef void http_done(void *ctx, const struct http_response *r);

/* Must be matched by http_close() if and only if it returns true. */
bool http_open(bool allow_http, struct http **out, struct err *e) MUST_CHECK;

/* Drops what is still in flight; its callbacks are not called. */
void http_close(struct http **h);

/* Starts a request. Everything is copied. A request that cannot even be started (a bad URL) is
 * answered through 'done' too, as HTTP_NOT_SENT, from the next http_step(). */
void http_start(struct http *h, const struct http_request *req, http_done *done, void *ctx);

/* How many requests are in flight. */
int http_active(const struct http *h);

/* Makes http_step() return early when 'fd' becomes readable; the caller reads it. -1 for none. */
void http_watch(struct http *h, int fd);

/* Waits up to timeout_ms for something to happen and lets it happen; callbacks run from here. True
 * when the watched descriptor is readable. Returns early on a signal. */
bool http_step(struct http *h, int timeout_ms);

#endif
