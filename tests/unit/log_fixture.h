/*
 * log_fixture - a log into a file of its own for each test, and what was written to it.
 */
#ifndef OMNI_UNIT_LOG_FIXTURE_H
#define OMNI_UNIT_LOG_FIXTURE_H

#include <fcntl.h>
#include <unistd.h>

#include "core/json.h"
#include "core/log.h"
#include "fakes/fake_clk.h"
#include "unit/unit.h"

struct fixture {
    struct arena *arena;
    struct log *log;
    char path[64];
};

static inline int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = arena_alloc(a, sizeof(*f));
    struct err e;

    f->arena = a;
    memcpy(f->path, "/tmp/unit_log.XXXXXX", sizeof("/tmp/unit_log.XXXXXX"));
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    fake_clk_set(FAKE_CLK_START);
    assert_true(log_open("unit-test", f->path, LOG_INFO, &f->log, &e));
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->arena;

    log_close(&f->log);
    assert_null(f->log);
    assert_int_equal(unlink(f->path), 0);
    arena_free(&a);
    return 0;
}

/* What the file holds, and no longer does. */
static inline const char *
written(struct fixture *f)
{
    char *text = arena_alloc(f->arena, 65536);
    int fd = open(f->path, O_RDWR);

    assert_true(fd >= 0);
    assert_true(read(fd, text, 65535) >= 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(close(fd), 0);
    return text;
}

/* The one line in the file, which must be one line and JSON. */
static inline struct json_object *
line(struct fixture *f)
{
    const char *text = written(f);
    struct json_object *o = NULL;
    struct err e;

    size_t n = strlen(text);
    assert_true(n > 0);
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
    if (!json_parse(f->arena, text, n, &o, &e))
        fail_msg("%s: %s", text, e.text);
    assert_true(json_is_object(o));
    return o;
}

#define LOG_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
