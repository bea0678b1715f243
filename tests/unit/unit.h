/*
 * unit - what the unit tests share: cmocka with what it wants before it, assertions that name the
 * table's row, and an arena that lives as long as one test.
 */
#ifndef OMNI_UNIT_UNIT_H
#define OMNI_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static inline void
expect_true(const char *row, bool claim)
{
    if (!claim)
        fail_msg("%s: not true", row);
}

static inline void
expect_int(const char *row, int64_t got, int64_t want)
{
    if (got != want)
        fail_msg("%s: got %lld, want %lld", row, (long long)got, (long long)want);
}

static inline void
expect_text(const char *row, const char *got, const char *want)
{
    if (got == NULL || want == NULL || strcmp(got, want) != 0)
        fail_msg("%s: got \"%s\", want \"%s\"", row, got != NULL ? got : "(NULL)",
                 want != NULL ? want : "(NULL)");
}

static inline int
arena_setup(void **state)
{
    *state = arena_new();
    return 0;
}

static inline int
arena_teardown(void **state)
{
    struct arena *a = *state;

    arena_free(&a);
    return 0;
}

#define ARENA_TEST(function) cmocka_unit_test_setup_teardown(function, arena_setup, arena_teardown)

#endif
