/*
 * phone_part - where in a text the telephone number stands: whole text, tel: or sip: URI, or SIP
 * name and address (RFC 3261 section 20.10, RFC 3966). A part of phone.c; nothing else needs it.
 */
#ifndef OMNI_CORE_PHONE_PART_H
#define OMNI_CORE_PHONE_PART_H

#include "base/base.h"

struct phone_part {
    const char *from; /* into the text */
    const char *end;
    bool has_plus; /* a '+' stood before 'from', written %2B */
};

/* NULL and the part, or why there is none. A display name is never searched for a number. */
const char *phone_part_find(const char *text, struct phone_part *out) MUST_CHECK;

#endif
