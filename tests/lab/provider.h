/*
 * The way of every request to a provider: recorded, given to the fault queue, refused in the
 * provider's own words or taken, answered in time, late or never.
 */
#ifndef OMNI_LAB_PROVIDER_H
#define OMNI_LAB_PROVIDER_H

#include "faults.h"

/* take sets an answer; it accepts messages and plans their receipts only if all is in order. */
void provider_serve(struct request *r, enum provider p,
                    void (*take)(struct request *r, const struct fault *f));

/* Sets a refusal in the provider's wording. code is the provider's own number or word. */
void provider_refuse(struct request *r, enum provider p, unsigned status, const char *code);
/* Meta's error object for a number, with the HTTP status Meta gives it. */
void meta_refuse(struct request *r, unsigned status, long code, const char *details);

#endif
