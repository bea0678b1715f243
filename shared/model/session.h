/*
 * session - a conversation as agents and operators handle it: opened, noted in, read, handed over,
 * held back.
 */
#ifndef OMNI_MODEL_SESSION_H
#define OMNI_MODEL_SESSION_H

#include "io/db.h"

/* "" where not given; one of profile_id and phone. */
struct session_wish {
    const char *profile_id;
    const char *phone; /* E.164 */
    const char *channel;
    const char *call_id;
    const char *agent;
    const char *intent;
};

struct session_found {
    const char *id;
    const char *profile_id;
    const char *status;
    const char *context; /* JSON text */
    bool created;
};

/* The person's open conversation, or a new one. ERR_NOT_FOUND when there is no such person. */
bool session_find_or_open(struct db *db, struct arena *a, const struct session_wish *w,
                          struct session_found *out, struct err *e) MUST_CHECK;

struct session_noted {
    const char *status;
    const char *ignored; /* JSON array of the keys that were not taken */
};

/* Sets the status ("" leaves it) and merges the context, a JSON object or "". ERR_NOT_FOUND;
 * ERR_CONFLICT when it is closed and shall be opened again. */
bool session_note(struct db *db, struct arena *a, const char *id, const char *status,
                  const char *context, struct session_noted *out, struct err *e) MUST_CHECK;

/* What an agent may read; JSON texts. */
struct session_view {
    const char *id;
    const char *status;
    const char *agent; /* "" for the default */
    bool paused;
    bool needs_human;
    const char *context;
    const char *call; /* "" if there was none */
    const char *messages;
};

bool session_read(struct db *db, struct arena *a, const char *id, int max_messages,
                  struct session_view *out, struct err *e) MUST_CHECK;

/* Another agent goes on; "human" holds the conversation back for a person. *status is its status.
 * ERR_NOT_FOUND, ERR_CONFLICT. */
bool session_handover(struct db *db, struct arena *a, const char *id, const char *agent,
                      const char *reason, const char **status, struct err *e) MUST_CHECK;

/* No turn begins while it is held back; let go, what waits is due. ERR_NOT_FOUND, ERR_CONFLICT. */
bool session_hold(struct db *db, struct arena *a, const char *id, bool hold, const char **status,
                  struct err *e) MUST_CHECK;

#endif
