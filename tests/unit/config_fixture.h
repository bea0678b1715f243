/*
 * config_fixture - an environment of its own for each test, a directory for secret files, and the
 * settings loaded from them.
 */
#ifndef OMNI_UNIT_CONFIG_FIXTURE_H
#define OMNI_UNIT_CONFIG_FIXTURE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config.h"
#include "unit/unit.h"

extern char **environ;

#define ALL                                                                                        \
    (CFG_CORE | CFG_SERVICE | CFG_WHATSAPP | CFG_WA_HOOK | CFG_SMS | CFG_SMS_HOOK | CFG_AGENT |    \
     CFG_VOICE)

struct fixture {
    struct arena *arena;
    struct config config;
    struct err e;
    char dir[64];
};

/* The tests see only what they set themselves. */
static inline void
clear_environment(void)
{
    static char *none[] = { NULL };

    environ = none;
}

static inline void
set(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static inline int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = arena_alloc(a, sizeof(*f));

    f->arena = a;
    memcpy(f->dir, "/tmp/unit_config.XXXXXX", sizeof("/tmp/unit_config.XXXXXX"));
    assert_non_null(mkdtemp(f->dir));
    clear_environment();
    set("DATABASE_URL", "postgresql://omni_app:hush@db/omni");
    set("SERVICE_ROLE_KEY", "service-key");
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->arena;

    clear_environment();
    assert_int_equal(rmdir(f->dir), 0);
    arena_free(&a);
    return 0;
}

static inline bool
load(struct fixture *f, unsigned groups)
{
    f->e = (struct err){ 0 };
    return config_load(f->arena, groups, &f->config, &f->e);
}

static inline const char *
shown(struct fixture *f)
{
    struct buf out = buf_init(f->arena, 65536);

    config_print(&f->config, &out);
    assert_false(buf_overflowed(&out));
    return out.data;
}

static inline const char *
file_path(struct fixture *f, const char *name)
{
    return arena_printf(f->arena, "%s/%s", f->dir, name);
}

/* Writes the file in the directory of the test, and sets the variable to its path. */
static inline void
put_file(struct fixture *f, const char *name, const char *bytes, size_t n)
{
    const char *path = file_path(f, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    set(name, path);
}

static inline void
put_text(struct fixture *f, const char *name, const char *text)
{
    put_file(f, name, text, strlen(text));
}

/* Sets the file's modification time, so that no test waits for the clock. */
static inline void
touch(struct fixture *f, const char *name, time_t when)
{
    const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

    assert_int_equal(utimensat(AT_FDCWD, file_path(f, name), times, 0), 0);
}

static inline void
drop_file(struct fixture *f, const char *name)
{
    assert_int_equal(unlink(file_path(f, name)), 0);
}

#define CONFIG_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
