/*
 * turn - the agent's turns: who waits for an answer, what the agent reads, what came of it.
 */
#ifndef OMNI_MODEL_TURN_H
#define OMNI_MODEL_TURN_H

#include "core/json.h"
#include "model/message.h"
#include "model/person.h"

struct turn {
    const char *id;
    const char *session_id;
    int64_t token;
    int64_t upto;
    int64_t attempt; /* 1 for the first */
};

struct turn_want {
    const char *worker;
    int want;
    int lease_s;
};

/* Leases up to w->want due turns. */
bool turn_claim(struct db *db, struct arena *a, const struct turn_want *w, struct turn **out,
                size_t *n, struct err *e) MUST_CHECK;

/* Renews the leases of turns that are still waited for. */
bool turn_renew(struct db *db, struct arena *a, const struct turn *turns, size_t n, int lease_s,
                struct err *e) MUST_CHECK;

struct turn_line {
    bool is_inbound;
    bool is_staff; /* outbound: a person of ours wrote it */
    bool waits;    /* for this turn's answer */
    enum channel channel;
    const char *text;
    const char *at; /* "Sun 22 Nov 20:05": all times are those of Kigali */
};

struct turn_lines {
    struct turn_line *items; /* oldest first */
    size_t n;
};

/* A call as the agent is told of it; "" where there is nothing. */
struct turn_call {
    const char *summary;
    const char *bullets; /* JSON text */
    const char *next_actions;
    const char *intent;
    const char *ended_at;
};

enum turn_verdict {
    TURN_GO,
    TURN_PROBE,  /* go on, as the one that tries whether the agent's server is back */
    TURN_PAUSED, /* the agent's server rests */
    TURN_LOOP,   /* two machines are talking: one notice, then silence */
    TURN_MUTED,  /* the notice went out before */
    TURN_LEFT,   /* the person has begun anew: nobody is asked, nothing is said */
};

struct turn_context {
    struct person person;
    const char *call_id;
    const char *context; /* the session's, as JSON text */
    const char *now_at;
    const char *agent; /* slug */
    const char *instructions;
    const char *model;    /* "" = the configured one */
    const char *base_url; /* "" = the configured one */
    const char *tools;    /* "a,b,c" */
    const char *provider; /* "agent:HOST": whose breaker counts */
    struct turn_call call;
    const char *call_language;
    struct turn_lines lines;
    bool has_before;         /* it continues an earlier conversation: */
    struct turn_call before; /* what that was about, and when it ended */
    struct turn_lines before_lines;
    const char *first_turn_id; /* the first try at what waits now */
    enum turn_verdict verdict;
    double wait_s; /* TURN_PAUSED: look again then */
};

struct turn_read {
    int max_lines;
    const char *base_url; /* the configured one */
    double scale;         /* BACKOFF_SCALE */
    bool again;           /* the turn has begun: there is no verdict any more */
};

/* What the turn is about. ERR_NOT_FOUND when the session is gone. */
bool turn_context(struct db *db, struct arena *a, const struct turn *t, const struct turn_read *r,
                  struct turn_context *out, struct err *e) MUST_CHECK;

enum turn_ending {
    TURN_ENDS,
    TURN_ENDS_PAUSED,  /* not done, and no try is spent */
    TURN_ENDS_STOPPED, /* done: the messages are a person's now, and no machine answers for mute_s
                        */
};

struct turn_end {
    bool done; /* false: the drafts are the fallback, and the turn is due again */
    enum turn_ending ending;
    const struct message_draft *drafts;
    size_t n_drafts;
    const char *agent;
    const char *model;
    const char *error_code;
    const char *provider; /* its agent's server ... */
    const char *says;     /* ... and what the turn tells about it: chat_says() */
    bool probe;
    int pause_s; /* with "pause" */
    double scale;
    int mute_s; /* 0: as long as it was */
    int rounds; /* requests that were answered */
    int64_t duration_ms;
    struct json_object *tool_calls; /* [{tool, outcome}]; NULL for none */
    int64_t prompt_tokens;
    int64_t completion_tokens;
    double retry_s; /* < 0: not again, a person must see to it */
    int fallback_every_s;
};

/* Ends the turn. *lost: its lease was taken over meanwhile and nothing was written. */
bool turn_finish(struct db *db, struct arena *a, const struct turn *t, const struct turn_end *end,
                 bool *lost, struct err *e) MUST_CHECK;

#endif
