/*
 * gsm7 - the default alphabet of SMS (3GPP TS 23.038, section 6.2.1), and how other characters are
 * spelled in it.
 */
#ifndef OMNI_CORE_GSM7_H
#define OMNI_CORE_GSM7_H

#include "base/base.h"

/* 1, 2 for a character of the extension table (ESC and a code), 0 for one outside the alphabet. */
int gsm7_septets(uint32_t code);

#define GSM7_SPELLING_MAX 4

/* How the character is written inside the alphabet: itself, a base letter, a few characters
 * ("..."), or nothing (a combining mark). At most GSM7_SPELLING_MAX bytes, NUL-terminated. False
 * when there is no fair spelling. */
bool gsm7_spell(uint32_t code, char out[GSM7_SPELLING_MAX + 1]) MUST_CHECK;

#endif
