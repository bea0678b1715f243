/*
 * err - why something failed: a kind that decides what happens next, and words a stranger can act
 * on.
 *
 * A function that can fail returns bool and takes a 'struct err *' last: true is success and leaves
 * the error alone, false means it is set, completely enough to be logged as it is. The words name
 * the field or the part ("from: not a phone number"), are lower case, and never hold a number, a
 * text or a secret.
 */
#ifndef OMNI_BASE_ERR_H
#define OMNI_BASE_ERR_H

#include "base/base.h"

enum err_kind {
    ERR_NONE = 0,
    ERR_INVALID,     /* the caller's input is wrong            -> 400 */
    ERR_AUTH,        /* signature or credential refused        -> 401 */
    ERR_FORBIDDEN,   /* not for this conversation              -> 403 */
    ERR_NOT_FOUND,   /* the thing named does not exist         -> 404 */
    ERR_TOO_LARGE,   /* the body is over the endpoint's limit  -> 413 */
    ERR_MEDIA_TYPE,  /* not a content type this endpoint reads -> 415 */
    ERR_DUPLICATE,   /* already done; answer as if done now    -> 200 */
    ERR_CONFLICT,    /* same key, other arguments              -> 409 */
    ERR_LIMIT,       /* too many, come back later              -> 429 */
    ERR_UNAVAILABLE, /* not configured on this server          -> 503 */
    ERR_TEMP,        /* outside world failed, may work later   -> 503 */
    ERR_PERM,        /* outside world refused for good; the row says so, never an HTTP status */
    ERR_BUG,         /* our own mistake                        -> 500 */
};

struct err {
    enum err_kind kind;
    char code[16];     /* SQLSTATE or the provider's code, "" if none */
    int retry_after_s; /* when another try has a chance; 0 if nobody knows */
    char text[240];
};

/* Sets *e and returns false, so that a failing function can 'return err_set(...)'. Cuts long words.
 */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Adds the code somebody else gave (cut at 15 bytes). Returns false. */
bool err_code(struct err *e, const char *code);

/* Adds after how many seconds another try has a chance. Returns false. */
bool err_retry(struct err *e, int after_s);

/* Puts context in front of the words: "mtn: " + what was there. Keeps all the rest. Returns
 * false. */
bool err_wrap(struct err *e, const char *context);

/* A stable word for the kind: "invalid", "auth", ...; it is error.code in answers. */
const char *err_kind_text(enum err_kind kind);

#endif
