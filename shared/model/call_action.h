/*
 * call_action - what is to be done about a call: made with its event, leased, finished behind a
 * fence. It outlives the process that began it.
 */
#ifndef OMNI_MODEL_CALL_ACTION_H
#define OMNI_MODEL_CALL_ACTION_H

#include "io/db.h"

enum call_action_kind {
    CALL_ACTION_ANSWER, /* a WhatsApp call: over the bridge */
    CALL_ACTION_ACCEPT, /* a SIP call */
    CALL_ACTION_STOP,   /* a call is over: hang up where it may go on, let the bridge forget it */
    CALL_ACTION_TRANSCRIPT, /* fetch it */
};

const char *call_action_text(enum call_action_kind k); /* as stored */

/* An action before it is a row; "" for what its kind does not need. */
struct call_action_new {
    enum call_action_kind kind;
    int life_s; /* after the event; then it is worth nothing */
    const char *sdp;
    const char *media_id;
    const char *url;
};

/* An action in somebody's hands. */
struct call_action {
    const char *id;
    int64_t token;
    enum call_action_kind kind;
    const char *sdp; /* the offer */
    const char *media_id;
    const char *url;
    bool may_be_taken;      /* somebody before us began to accept the call */
    const char *answer_sdp; /* and what with; "" if nothing */
    int64_t attempts;       /* this one included */
    bool is_expired;
    bool is_over;       /* the call is */
    bool is_sip;        /* it is OpenAI's to accept, and to hang up */
    bool is_terminated; /* Meta has told of its end */
    const char *call_id;
    const char *session_id;
    const char *profile_id;
    const char *phone; /* "" if unknown */
    const char *bsuid;
    const char *language;
    const char *voice_instructions; /* of the call center's agent, "" if it has none */
};

/* Leases what waits or whose process is gone. */
bool call_action_claim(struct db *db, struct arena *a, const char *worker, int want, int lease_s,
                       const char ***ids, size_t *n, struct err *e) MUST_CHECK;

/* Those among the ids that 'worker' holds. */
bool call_action_load(struct db *db, struct arena *a, const char *const *ids, size_t n_ids,
                      const char *worker, struct call_action **out, size_t *n, struct err *e)
    MUST_CHECK;

/* Before the call is accepted, with this SDP ("" for none): whoever takes the action over knows
 * that it may have happened. *held as below. */
bool call_action_note(struct db *db, struct arena *a, const char *id, int64_t token,
                      const char *answer_sdp, bool *held, struct err *e) MUST_CHECK;

struct call_action_end {
    bool done;
    const char *error_code; /* "" when done */
    double retry_s;         /* not done: again after so long; negative for never */
    bool answered;          /* the call was taken */
    bool lost;              /* it could not be taken: it is over, and its person is told */
};

/* *held is false when somebody else has the action now; then nothing was written. */
bool call_action_finish(struct db *db, struct arena *a, const char *id, int64_t token,
                        const struct call_action_end *end, bool *held, struct err *e) MUST_CHECK;

#endif
