/*
 * reply_way - how a person answers an SMS: by replying to it, or, where its sender is a name, by
 * writing to the short code. Without one nothing is promised.
 */
#ifndef OMNI_FLOW_REPLY_WAY_H
#define OMNI_FLOW_REPLY_WAY_H

#include "core/config.h"
#include "core/phrase.h"

/* The number that a text must name, since an SMS of ours cannot be replied to; "" where it can be,
 * or where no number is known. */
const char *reply_way_number(const struct config *c);

/* Does the text, as it goes out by SMS, say so already, in the hint's own words? The number alone
 * may be a price. */
bool reply_way_is_named(struct arena *a, const struct config *c, const char *text, enum language l);

/* "Reply to 8080." or "Reply to continue."; "" where there is no way. */
const char *reply_way_hint(struct arena *a, const struct config *c, enum language l);

/* What the last line of an SMS that goes on says: "1 for more", "For more: 1 to 8080"; with options
 * in it a word takes the figure's place. */
const char *reply_way_more(struct arena *a, const struct config *c, enum language l,
                           bool has_options);

/* A fixed sentence as it goes out by SMS, in one: where it asks for a word or a message, it says
 * where to. */
const char *reply_way_phrase(struct arena *a, const struct config *c, enum phrase p,
                             enum language l);

#endif
