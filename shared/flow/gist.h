/*
 * gist - a call's points from its transcript: what the language model is asked, and what of its
 * answer may be used. Pure functions; summarise.c does the asking.
 */
#ifndef OMNI_FLOW_GIST_H
#define OMNI_FLOW_GIST_H

#include "core/points.h"
#include "provider/chat.h"

#define GIST_MAX_POINTS 5
#define GIST_MAX_STEPS  3

struct gist_source {
    const char *transcript;
    const char *known;    /* what tools have stored of the call, as text */
    const char *language; /* "" where the caller's is not known */
    const char *fence;    /* something that nobody who speaks on the phone can know */
};

/* Whether there is enough in a transcript to ask about. */
bool gist_is_worth_it(const char *transcript);

/* The messages of the request. The transcript stands in a message of its own, between two lines
 * with the fence, and the instructions say that it is data. */
struct chat_message *gist_messages(struct arena *a, const struct gist_source *s, size_t *n);

struct gist {
    struct points points;
    struct points steps;
    const char *language; /* as the model says, if it is one of ours; "" else */
};

/*
 * Reads an answer: a JSON object or array, also in a code block or among other words, or plain
 * lines; what a model thinks aloud (<think>) is left out. False when it is neither ("nonsense": it
 * may be asked again); an honest empty list is true with no points.
 */
bool gist_read(struct arena *a, const char *answer, struct gist *out) MUST_CHECK;

/* Drops the points and steps that say a number, date or name which is not in the source. Returns
 * how many went. */
size_t gist_ground(struct arena *a, const struct gist_source *s, struct gist *g);

#endif
