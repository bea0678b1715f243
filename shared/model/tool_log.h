/*
 * tool_log - calls of tools: what their arguments belong to, the limits, the evidence, and the
 * messages they write once.
 */
#ifndef OMNI_MODEL_TOOL_LOG_H
#define OMNI_MODEL_TOOL_LOG_H

#include "model/message.h"
#include "model/person.h"

/* Ids to be looked up together; "" where there is none. Anything that is no UUID counts as none. */
struct tool_named {
    const char *profile_id;
    const char *session_id;
    const char *call_id;
    const char *turn_id;
    int64_t turn_token;
    const char *phone; /* E.164 */
};

/* How they hang together; ids and numbers are "" where there is none. */
struct tool_bond {
    const char *person;         /* the one who is named by id, as known today */
    const char *phone;          /* the person's */
    const char *session_person; /* whose the session is */
    const char *call_person;    /* whose the call is */
    const char *call_session;
    const char *open_session; /* the person's */
    const char *phone_person; /* whose the number is */
    bool turn_runs;           /* the turn is the session's present one */
};

bool tool_log_bond(struct db *db, struct arena *a, const struct tool_named *named,
                   struct tool_bond *out, struct err *e) MUST_CHECK;

/* A call, as evidence. */
struct tool_entry {
    const char *id;
    const char *tool;
    const char *caller; /* operator | call | turn | bound */
    const char *profile_id;
    const char *session_id;
    const char *call_id;
    const char *turn_id;
    const char *key;  /* "" if it may be repeated freely */
    const char *hash; /* of the arguments */
    bool counts;      /* as a message, against the limits */
};

enum tool_verdict { TOOL_RUN, TOOL_AGAIN, TOOL_CONFLICT, TOOL_LIMIT };

struct tool_begun {
    enum tool_verdict verdict;
    const char *id;    /* the entry's, or that of the call it repeats */
    const char *limit; /* the name of the limit that is reached, and ... */
    int wait_s;        /* ... the seconds until it is not any more */
    const char *reply; /* of TOOL_AGAIN: JSON text, and its HTTP status */
    int status;
};

bool tool_log_begin(struct db *db, struct arena *a, const struct tool_entry *entry,
                    struct tool_begun *out, struct err *e) MUST_CHECK;

/* A call that was refused before it began. */
bool tool_log_refuse(struct db *db, struct arena *a, const struct tool_entry *entry,
                     const char *outcome, const char *error, struct err *e) MUST_CHECK;

struct tool_ended {
    const char *id;
    const char *outcome; /* ok | failed | unknown */
    const char *error;   /* "" if none */
    int status;
    const char *reply; /* to be given again to whoever repeats the call; "" for none */
};

bool tool_log_end(struct db *db, struct arena *a, const struct tool_ended *ended, struct err *e)
    MUST_CHECK;

/* Somebody to write to. */
struct tool_person {
    struct person person;
    const char *last_channel; /* "" if none */
    const char *call_id;      /* the open conversation's; "" if none */
};

/* ERR_NOT_FOUND when there is no such person. */
bool tool_log_person(struct db *db, struct arena *a, const char *profile_id,
                     struct tool_person *out, struct err *e) MUST_CHECK;

/* The messages of one call. */
struct tool_messages {
    const char *id; /* of the call */
    const char *profile_id;
    const char *session_id;
    int64_t turn_token; /* 0 outside a turn */
    const struct message_draft *drafts;
    size_t n;
    const char *skips; /* JSON: [{channel, reason}] */
    bool by_human;
};

struct tool_sent {
    bool stale; /* the turn is over, nothing was written */
    const char **ids;
    size_t n;
    const char *skips;
};

/* Writes them, or says what a repeated call has written before. */
bool tool_log_send(struct db *db, struct arena *a, const struct tool_messages *m,
                   struct tool_sent *out, struct err *e) MUST_CHECK;

#endif
