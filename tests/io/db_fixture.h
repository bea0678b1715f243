/*
 * db_fixture - a connection to the test's database for each test, and statements made on the spot.
 */
#ifndef OMNI_IO_DB_FIXTURE_H
#define OMNI_IO_DB_FIXTURE_H

#include <time.h>

#include "base/str.h"
#include "io/db.h"
#include "unit/unit.h"

#define TIMEOUT_MS 5000

struct fixture {
    struct arena *arena;
    struct db *db;
    int statements;
};

static inline const char *
test_url(void)
{
    const char *url = getenv("TEST_DATABASE_URL");

    if (url == NULL)
        fail_msg("TEST_DATABASE_URL is not set: run it by with_database.sh");
    return url;
}

static inline int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = arena_alloc(a, sizeof(*f));

    f->arena = a;
    f->db = db_new(test_url(), "io-test", TIMEOUT_MS);
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->arena;

    db_close(&f->db);
    assert_null(f->db);
    arena_free(&a);
    return 0;
}

static inline int64_t
real_ms(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A statement of its own name, that lives as long as the test. */
static inline const struct db_stmt *
stmt(struct fixture *f, const char *text)
{
    struct db_stmt *s = arena_alloc(f->arena, sizeof(*s));

    *s = (struct db_stmt){ arena_printf(f->arena, "s%d", f->statements++), text };
    return s;
}

/* Runs a statement that must succeed, on any connection. */
static inline struct db_rows *
run_on(struct fixture *f, struct db *db, const struct db_stmt *s)
{
    struct db_rows *rows = NULL;
    struct err e = { 0 };

    if (!db_run(db, f->arena, s, DB_NONE, &rows, &e))
        fail_msg("%s: %s", s->text, e.text);
    return rows;
}

static inline struct db_rows *
run(struct fixture *f, const char *text)
{
    return run_on(f, f->db, stmt(f, text));
}

/* The one value of a statement that names it "v". */
static inline int64_t
number(struct fixture *f, const char *text)
{
    return db_int(run(f, text), 0, "v");
}

/* Runs a statement that must fail; what the error says. */
static inline struct err
failure(struct fixture *f, const struct db_stmt *s)
{
    struct db_rows *rows = NULL;
    struct err e = { 0 };

    expect_true(s->text, !db_run(f->db, f->arena, s, DB_NONE, &rows, &e));
    assert_null(rows);
    return e;
}

#define DB_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
