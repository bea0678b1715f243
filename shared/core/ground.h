/*
 * ground - does a sentence say only what was said? Numbers, prices, dates and names of a point must
 * occur in what it was made from. They are compared by value: "250,000", "250 000", "250k", "250
 * thousand" and "ibihumbi 250" are one number, "Friday" and "vendredi" one day.
 *
 * What it does not catch: a wrong word that is no number, date or name; a name that opens a
 * sentence.
 */
#ifndef OMNI_CORE_GROUND_H
#define OMNI_CORE_GROUND_H

#include "base/arena.h"

struct ground;

/* Lives in the arena; holds nothing yet. */
struct ground *ground_new(struct arena *a);

/* What is said in this text may be said in a point. Any number of texts, of any length. */
void ground_add(struct ground *g, const char *text);

/* True when every number, date and name of the point is there. */
bool ground_holds(const struct ground *g, const char *point);

#endif
