/*
 * clk - the only place that reads a clock. Tests replace this file.
 *
 * What is decided between processes is decided by the database's clock, never by this one.
 */
#ifndef OMNI_BASE_CLK_H
#define OMNI_BASE_CLK_H

#include "base/arena.h"

/* Milliseconds since 1970-01-01 UTC. */
int64_t clk_now_ms(void);

/* Milliseconds of a clock that never jumps and goes on during suspend (CLOCK_BOOTTIME): for
 * durations. */
int64_t clk_mono_ms(void);

/* "2026-11-22T18:05:03.123Z", the form of logs and of timestamps given to PostgreSQL. */
char *clk_iso(struct arena *a, int64_t ms);

/* Reads RFC 3339 / ISO 8601 date-times ("2026-11-22T18:05:03Z", with fraction, with +02:00, with a
 * blank for the T; without an offset it is UTC) and decimal seconds or milliseconds since 1970
 * (10^11 and more counts as milliseconds). False for anything else, and for years before 1970 or
 * after 2100. */
bool clk_parse(const char *text, int64_t *ms) MUST_CHECK;

#endif
