/*
 * fcgi - requests from the web server, as FastCGI (standard input is a listening socket) or as
 * plain CGI. The only user of libfcgi.
 */
#ifndef OMNI_IO_FCGI_H
#define OMNI_IO_FCGI_H

#include "base/err.h"
#include "core/http_msg.h"

struct fcgi;

enum fcgi_body {
    FCGI_BODY_OK,
    FCGI_BODY_TOO_LARGE, /* over max_body; what was read is thrown away */
    FCGI_BODY_CUT, /* shorter than Content-Length said, or not here within the body deadline */
};

/* All of a body has to be here within body_ms, whoever sends it and in however many pieces. Must be
 * matched by fcgi_close() if and only if it returns true. */
bool fcgi_open(struct fcgi **out, int body_ms, struct err *e) MUST_CHECK;
void fcgi_close(struct fcgi **f);

/* What becomes readable when a request comes; -1 where none needs to be waited for. */
int fcgi_socket(const struct fcgi *f);

/* Waits up to timeout_ms for a request; true when one may be there. Returns early on a signal. */
bool fcgi_wait(struct fcgi *f, int timeout_ms);

enum fcgi_came {
    FCGI_REQUEST, /* read as far as *body says; must be matched by fcgi_answer() */
    FCGI_NOTHING, /* another process took it, or it broke off: wait again */
    FCGI_OVER,    /* the one CGI request is done, or the socket is no good */
};

/* Takes a request that has come and reads all of it into 'a'. Does not wait for one. A signal does
 * not disturb the reading. */
enum fcgi_came fcgi_next(struct fcgi *f, struct arena *a, size_t max_body, struct incoming_http *in,
                         enum fcgi_body *body) MUST_CHECK;

/* Answers and ends the request. 'headers' are further "Name: value" lines, NULL-terminated. A
 * client that has gone is not an error. */
void fcgi_answer(struct fcgi *f, int status, const char *content_type, const char *const *headers,
                 const char *body, size_t body_len);

#endif
