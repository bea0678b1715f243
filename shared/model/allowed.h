/*
 * allowed - what a message of a conversation's agent may name: hosts and numbers, and the
 * instructions it must not give away.
 */
#ifndef OMNI_MODEL_ALLOWED_H
#define OMNI_MODEL_ALLOWED_H

#include "io/db.h"

struct allowed {
    const char *instructions; /* of the agent */
    const char *links;        /* hosts, a JSON array */
    const char *numbers;      /* a JSON array */
    const char *phone;        /* the person's own; "" if none is known */
};

/* One of these, the others "" or NULL: a conversation, or the open one of a person or a caller. */
struct allowed_for {
    const char *session_id;
    const char *profile_id;
    const char *call_id;
};

/* All of it "" or "[]" when there is no such conversation: nothing is allowed then. */
bool allowed_of_session(struct db *db, struct arena *a, const struct allowed_for *whose,
                        struct allowed *out, struct err *e) MUST_CHECK;

#endif
