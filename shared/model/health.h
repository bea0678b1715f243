/*
 * health - heartbeats of the jobs, and what /healthz tells of the database's side.
 */
#ifndef OMNI_MODEL_HEALTH_H
#define OMNI_MODEL_HEALTH_H

#include "io/db.h"

/* Notes that the job is alive. */
bool health_beat(struct db *db, struct arena *a, const char *job, struct err *e) MUST_CHECK;

struct health {
    int64_t worker_age_s; /* since its last heartbeat; -1 = never */
    int64_t cron_age_s;
    int64_t due;         /* messages that could be sent now */
    int64_t oldest_s;    /* how long the oldest of them has been due */
    int64_t needs_human; /* conversations that the agent could not answer */
    const char *paused;  /* providers whose circuit breaker is open, with blanks between */
};
bool health_read(struct db *db, struct arena *a, struct health *out, struct err *e) MUST_CHECK;

#endif
