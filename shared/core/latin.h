/*
 * latin - Latin letters with accents: which letter is underneath, and which letter a base and a
 * combining mark make (Unicode NFC for the marks that occur in names). Latin-1, Latin Extended-A
 * and the common ones of Extended-B.
 */
#ifndef OMNI_CORE_LATIN_H
#define OMNI_CORE_LATIN_H

#include "base/base.h"

/* The ASCII letter under an accented one (or the ASCII letter itself); 0 when there is no single
 * one. */
char latin_base(uint32_t code);

/* The composed letter, 0 when Unicode has none in these blocks. */
uint32_t latin_compose(uint32_t base, uint32_t mark);

/* U+0300 to U+036F. */
bool latin_is_mark(uint32_t code);

#endif
