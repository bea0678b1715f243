/*
 * answer - the form of a reply: a list of options the person may choose from by its number, and a
 * text too long for one SMS in parts, each but the last ending in how to get the next.
 */
#ifndef OMNI_FLOW_ANSWER_H
#define OMNI_FLOW_ANSWER_H

#include "base/arena.h"

#define ANSWER_MAX_OPTIONS 10
#define ANSWER_MAX_PARTS   80 /* enough for GUARD_MAX letters of any script */
#define ANSWER_MAX_TITLE   200

/* What stands behind the numbers of the first list in the text that goes "1. ", "2. " line by line,
 * or "1) ", "1: ", "1 - ", at least two of them and at most ANSWER_MAX_OPTIONS; of an item that
 * goes on in indented lines its first line. Returns how many, 0 for no such list; out has room for
 * ANSWER_MAX_OPTIONS. */
size_t answer_options(struct arena *a, const char *text, const char *out[ANSWER_MAX_OPTIONS]);

/* Lines at the end of an SMS: "1 for more" where another part follows, and what a text that fits
 * into one message ends in ("" for nothing), which is no longer than that. */
struct answer_lines {
    const char *more;
    const char *last;
};

/* A text for SMS (sms_text_plain) in parts of at most 'segments' each, cut behind a sentence or a
 * word. Returns how many; out has room for ANSWER_MAX_PARTS. */
size_t answer_parts(struct arena *a, const char *plain, int segments,
                    const struct answer_lines *lines, const char *out[ANSWER_MAX_PARTS]);

/* What was cut off somewhere, up to the end of its last whole sentence or line; as it is when there
 * is none. */
const char *answer_whole(struct arena *a, const char *text);

/* The option a person names by its number: "2", "2.", "no 2", "option 2", "#2"; 0 for anything
 * else. */
int answer_choice(const char *text);

/* Does the person ask for the next part: "1" or a word for "more" in one of the four languages? */
bool answer_wants_more(const char *text);

#endif
