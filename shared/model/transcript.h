/*
 * transcript - calls whose points are to be made from the transcript: who does it, and what came of
 * it.
 */
#ifndef OMNI_MODEL_TRANSCRIPT_H
#define OMNI_MODEL_TRANSCRIPT_H

#include "io/db.h"

struct transcript {
    const char *id;      /* the call's row */
    const char *call_id; /* the provider's */
    int64_t token;
    int64_t attempt; /* 1 for the first */
    const char *text;
    const char *known;    /* what tools have stored of the call and its conversation */
    const char *language; /* the caller's, "" if unknown */
};

struct transcript_want {
    const char *worker;
    int want;
    int lease_s;
};

/* Leases up to w->want of them. */
bool transcript_claim(struct db *db, struct arena *a, const struct transcript_want *w,
                      struct transcript **out, size_t *n, struct err *e) MUST_CHECK;

/* Renews the leases of those that are still waited for. */
bool transcript_renew(struct db *db, struct arena *a, const struct transcript *held, size_t n,
                      int lease_s, struct err *e) MUST_CHECK;

struct transcript_end {
    const char *points; /* JSON array; "[]" when there is nothing to say */
    const char *steps;
    const char *language; /* "" if unknown */
    double retry_s;       /* with no points: again after so long; < 0: not again */
};

/* *result: "made", "none", "again", "late" (somebody told it meanwhile), "lost" (it is another's,
 * nothing was written). */
bool transcript_finish(struct db *db, struct arena *a, const struct transcript *t,
                       const struct transcript_end *end, const char **result, struct err *e)
    MUST_CHECK;

#endif
