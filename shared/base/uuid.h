/*
 * uuid - UUID version 7 (RFC 9562): time-ordered, so that indexes grow at their end.
 */
#ifndef OMNI_BASE_UUID_H
#define OMNI_BASE_UUID_H

#include "base/base.h"

struct uuid {
    char text[37]; /* 8-4-4-4-12 lower-case hex; "" means none */
};

/* A new UUIDv7 of now. Random bits come from getrandom(2); ends the process if the kernel has none.
 */
struct uuid uuid_new(void);

/* Reads the 36-character form in either case, any version. False leaves *out alone. */
bool uuid_parse(const char *text, struct uuid *out) MUST_CHECK;

#endif
