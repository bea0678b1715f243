/*
 * json_scan - is it JSON (RFC 8259, to the letter), and how much of it? Goes over the bytes before
 * json-c does.
 */
#ifndef OMNI_CORE_JSON_SCAN_H
#define OMNI_CORE_JSON_SCAN_H

#include "base/buf.h"
#include "base/err.h"

/* Stands for a NUL in a string until the string is read: U+FDD0, which is no letter and never will
 * be. */
#define JSON_NUL "\xEF\xB7\x90"

/*
 * Checks the n bytes against the grammar and the limits of json.h, and writes the same JSON to
 * 'out', in a spelling that json-c keeps without loss: broken UTF-8 is U+FFFD, \u escapes are
 * letters (a lone surrogate U+FFFD, \u0000 JSON_NUL, or nothing in a key), whole numbers too long
 * for 64 bits are strings. *members becomes the number of keys in all objects. Fails with
 * ERR_INVALID "not JSON: ...".
 */
bool json_scan(const char *bytes, size_t n, struct buf *out, size_t *members, struct err *e)
    MUST_CHECK;

#endif
