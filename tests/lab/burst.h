/* The same webhook posted several times at once, and one answer when all were answered. */
#ifndef OMNI_LAB_BURST_H
#define OMNI_LAB_BURST_H

#include "posts.h"
#include "request.h"

struct burst;

/* options: times (default 1, at most 256) and wait (default true). The answer calls the id by its
 * name, a literal. Ended by burst_start. */
struct burst *burst_new(struct request *r, struct json_object *options, const char *name,
                        const char *id);
bool burst_wants_more(const struct burst *b);
void burst_add(struct burst *b, struct post *p);
/* Answers {name: id, statuses, ms} in the end, or 202 {name: id} at once without wait. */
void burst_start(struct burst *b);

#endif
