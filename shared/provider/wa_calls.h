/*
 * wa_calls - WhatsApp calls: Meta's "calls" webhook, and the actions on a call (Cloud API,
 * calling).
 */
#ifndef OMNI_PROVIDER_WA_CALLS_H
#define OMNI_PROVIDER_WA_CALLS_H

#include "core/config.h"
#include "core/phone.h"
#include "provider/call_answer.h"

enum wa_call_kind { WA_CALL_CONNECT, WA_CALL_TERMINATE, WA_CALL_TRANSCRIPT };

/* One event of a call. */
struct wa_call {
    enum wa_call_kind kind;
    const char *id;
    struct phone from;    /* "" where WhatsApp hides the number */
    const char *bsuid;    /* "" if none */
    const char *name;     /* the person's own display name, "" if none; never trusted */
    bool is_ours;         /* we called the person */
    int64_t at_ms;        /* Meta's clock; 0 if it gives none */
    const char *sdp;      /* connect: the offer, "" if none */
    const char *status;   /* terminate: COMPLETED, FAILED, ...; says nothing about an answer */
    int64_t started_ms;   /* terminate: when it was answered; 0 if it was not */
    int64_t ended_ms;     /* terminate: 0 if not told */
    bool answered;        /* terminate: somebody picked up */
    const char *media_id; /* transcript: the document */
    const char *url;      /* transcript: where it lies for five minutes; "" if not told */
};

struct wa_call_items {
    struct wa_call *calls;
    size_t n_calls;
    size_t n_statuses;       /* of calls that we make: passed over */
    size_t n_unknown;        /* events we know nothing of: passed over */
    size_t n_other_number;   /* calls of a number that is not ours: passed over */
    const char **unreadable; /* why, one per item that was no good */
    size_t n_unreadable;
};

/* Every call of every change of every entry; other fields are passed over. Fails only for what is
 * no webhook of Meta's at all. */
bool wa_calls_read(struct arena *a, const struct config *c, const char *body, size_t n,
                   struct wa_call_items *out, struct err *e) MUST_CHECK;

/* POST {phone id}/calls. The SDP is the answer to the caller's offer, the same for both steps. */
void wa_calls_pre_accept(struct arena *a, const struct config *c, const char *call_id,
                         const char *sdp, struct http_request *out);
void wa_calls_accept(struct arena *a, const struct config *c, const char *call_id, const char *sdp,
                     struct http_request *out);
void wa_calls_reject(struct arena *a, const struct config *c, const char *call_id,
                     struct http_request *out);
void wa_calls_terminate(struct arena *a, const struct config *c, const char *call_id,
                        struct http_request *out);
struct call_answer wa_calls_read_action(struct arena *a, const struct http_response *r);

/* GET {media id}: where the document lies. *url is "" unless taken. */
void wa_calls_media(struct arena *a, const struct config *c, const char *media_id,
                    struct http_request *out);
struct call_answer wa_calls_read_media(struct arena *a, const struct http_response *r,
                                       const char **url);

/* GET the document. */
void wa_calls_document(struct arena *a, const struct config *c, const char *url,
                       struct http_request *out);

struct wa_transcript {
    const char *text;     /* "" where Meta understood nothing */
    const char *language; /* "en"; "" if not told */
};
struct call_answer wa_calls_read_document(struct arena *a, const struct http_response *r,
                                          struct wa_transcript *out);

#endif
