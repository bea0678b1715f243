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

/* Must be matched by fcgi_close() if and only if it returns true. */
bool fcgi_open(struct fcgi **out, struct err *e) MUST_CHECK;
void fcgi_close(struct fcgi **f);

/*
 * Waits for the next request and reads all of it into 'a'. False when there is none any more: asked
 * to stop by SIGTERM, or the one CGI request is done. Must be matched by fcgi_answer() if and only
 * if it returns true.
 */
bool fcgi_next(struct fcgi *f, struct arena *a, size_t max_body, struct incoming_http *in,
               enum fcgi_body *body) MUST_CHECK;

/* Answers and ends the request. 'headers' are further "Name: value" lines, NULL-terminated. A
 * client that has gone is not an error. */
void fcgi_answer(struct fcgi *f, int status, const char *content_type, const char *const *headers,
                 const char *body, size_t body_len);

#endif
