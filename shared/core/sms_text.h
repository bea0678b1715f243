/*
 * sms_text - what a text becomes on the radio: GSM-7 (3GPP TS 23.038) or UCS-2, and how many SMS it
 * costs (3GPP TS 23.040: 160/153 septets, 70/67 UTF-16 units; an escape pair or a surrogate pair is
 * never cut).
 */
#ifndef OMNI_CORE_SMS_TEXT_H
#define OMNI_CORE_SMS_TEXT_H

#include "base/arena.h"

enum sms_encoding { SMS_GSM7, SMS_UCS2 };

struct sms_size {
    enum sms_encoding encoding;
    int units;    /* septets (an extension character is 2) or UTF-16 units */
    int segments; /* 0 for an empty text */
};

/* Counts valid UTF-8 as it stands, changing nothing. */
struct sms_size sms_text_size(const char *text);

/*
 * The text as it should go out by SMS: composed (the common base letter + combining mark pairs),
 * typographic characters and accented letters outside GSM-7 replaced by their nearest GSM-7
 * spelling, WhatsApp marks (*bold*, _italic_, ~struck~, `code`, ```block```, also doubled) removed
 * where they are a pair at the edges of words (2*3*4, snake_case and *182*8*1# stay), "* " at the
 * start of a line made "- ", emoji and zero-width characters dropped (a keycap leaves its digit),
 * runs of blanks folded, blank lines at most one, none at the edges. If something outside GSM-7
 * remains (another script) the text stays as it is apart from composition, marks, blanks, emoji and
 * zero-width characters, and will be UCS-2: a name is not mangled.
 */
char *sms_text_plain(struct arena *a, const char *text);

/*
 * Cuts at a word's edge and ends in "..." so that the text fits in max_segments; unchanged if it
 * fits, "" when max_segments is below 1. Sizes as sms_text_size. Where no word ends in the second
 * half of what would fit (a long URL, a script without blanks) the cut falls between two letters.
 */
char *sms_text_fit(struct arena *a, const char *text, int max_segments);

#endif
