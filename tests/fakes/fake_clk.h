/*
 * fake_clk - stands in the place of base/clk.c: a clock that only moves when a test says so.
 */
#ifndef OMNI_FAKES_FAKE_CLK_H
#define OMNI_FAKES_FAKE_CLK_H

#include "base/clk.h"

/* What both clocks show at the start: 2026-01-15T10:00:00.000Z. */
#define FAKE_CLK_START ((int64_t)1768471200000)

/* Sets the time of day. The clock for durations stays where it is, as the real one would. */
void fake_clk_set(int64_t ms);

/* Time passes, on both clocks. */
void fake_clk_advance(int64_t ms);

#endif
