/*
 * One HTTP exchange from its first byte to the end of its answer. A handler either answers at once
 * or leaves the request open and answers later; other requests are served meanwhile.
 */
#ifndef OMNI_LAB_REQUEST_H
#define OMNI_LAB_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"
#include "util.h"

#define REQUEST_SEGMENTS 3

struct MHD_Connection;
struct timer;

enum request_stage { STAGE_HEAD, STAGE_BODY, STAGE_SERVED };

struct request {
    struct MHD_Connection *connection;
    char *uri;         /* path and query as they came */
    char *path;        /* decoded */
    const char *query; /* still encoded, "" if none */
    char method[12];
    struct buf body;                     /* data is never NULL once served */
    char segment[REQUEST_SEGMENTS][128]; /* what the stars of the route matched */
    void (*serve)(struct request *r);    /* the route, once chosen */
    void (*ended)(struct request *r);    /* called when the exchange is over; may be NULL */
    int provider;                        /* enum provider, or -1 */
    bool is_secondary;                   /* a provider request that carries no message */

    /* The answer. */
    unsigned status;
    char *answer;
    size_t answer_len;
    const char *content_type;
    long retry_after; /* seconds; 0 = no header */
    int64_t delay_ms; /* of the answer, beside any fault */

    /* Waiting, for time or for a topic (wait.h). */
    const void *topic;
    struct timer *timer;
    bool has_expired;
    struct request **wait_slot;
    struct request *wait_next;

    /* The life of the exchange. */
    enum request_stage stage;
    bool is_sent;
    bool is_closing;
    bool is_suspended;
    bool is_hung;
    bool is_abandonable; /* nobody but the peer still needs it */
    struct request **open_slot;
    struct request *open_next;
};

struct request *request_new(struct MHD_Connection *connection, const char *uri);
void request_free(struct request *r);

/* NULL if absent; lives as long as the request. */
const char *request_header(const struct request *r, const char *name);

/* Set the answer without sending it; bytes and object are taken over. */
void answer_text(struct request *r, unsigned status, const char *content_type, const char *text);
void answer_bytes(struct request *r, unsigned status, const char *content_type, struct buf *bytes);
void answer_json(struct request *r, unsigned status, struct json_object *o);

/* Exactly one of these ends every request, at once or later. Hung requests end when their peer
 * leaves, at a reset, or with the lab. */
void request_send(struct request *r);
void request_send_later(struct request *r, int64_t delay_ms);
void request_close(struct request *r);
void request_hang(struct request *r);

/* answer_json and request_send; {"error": message} and request_send. */
void reply_json(struct request *r, unsigned status, struct json_object *o);
void reply_error(struct request *r, unsigned status, const char *message);

/* For the server: takes the connection out of MHD's loop until the request is ended. */
void request_suspend(struct request *r);
/* Whether one was resumed since the last time this was asked. */
bool requests_resumed(void);
/* Ends the hung and waiting requests whose peers have left. */
void requests_sweep(void);
void requests_close_hung(void);
void requests_close_all(void);

#endif
