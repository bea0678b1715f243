/*
 * spool_fixture - a spool in a folder of its own, and what stands in it.
 */
#ifndef OMNI_UNIT_SPOOL_FIXTURE_H
#define OMNI_UNIT_SPOOL_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "fakes/fake_clk.h"
#include "io/spool.h"
#include "unit/unit.h"

struct fixture {
    struct arena *arena;
    struct spool *spool;
    struct err e;
    char parent[64];
    const char *dir;
};

static inline int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = arena_alloc(a, sizeof(*f));

    f->arena = a;
    memcpy(f->parent, "/tmp/unit_spool.XXXXXX", sizeof("/tmp/unit_spool.XXXXXX"));
    assert_non_null(mkdtemp(f->parent));
    f->dir = arena_printf(a, "%s/spool", f->parent);
    f->spool = spool_new(a, f->dir, 1000, 8);
    fake_clk_set(FAKE_CLK_START);
    *state = f;
    return 0;
}

/* How many files are in the folder, whatever their names; -1 if there is no folder. */
static inline int
files_in(const char *dir)
{
    DIR *listing = opendir(dir);
    struct dirent *d;
    struct stat st;
    int n = 0;

    if (listing == NULL)
        return -1;
    while ((d = readdir(listing)) != NULL)
        n += fstatat(dirfd(listing), d->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
             !str_eq(d->d_name, ".lock") && !str_eq(d->d_name, ".away");
    assert_int_equal(closedir(listing), 0);
    return n;
}

static inline void
remove_files(const char *dir)
{
    DIR *listing = opendir(dir);
    struct dirent *d;

    if (listing == NULL)
        return;
    while ((d = readdir(listing)) != NULL)
        (void)unlinkat(dirfd(listing), d->d_name, 0);
    assert_int_equal(closedir(listing), 0);
    assert_int_equal(rmdir(dir), 0);
}

static inline const char *
path(struct fixture *f, const char *name)
{
    return arena_printf(f->arena, "%s/%s", f->dir, name);
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->arena;

    remove_files(path(f, "corrupt"));
    remove_files(f->dir);
    assert_int_equal(rmdir(f->parent), 0);
    arena_free(&a);
    return 0;
}

static inline bool
put_at(struct fixture *f, struct spool *s, const char *body, size_t n, int64_t at)
{
    const struct spool_record r = { .program = "some-webhook",
                                    .provider = "mtn",
                                    .correlation_id = "abc-1",
                                    .content_type = "application/json",
                                    .query = "a=b",
                                    .received_at_ms = at,
                                    .is_report = true,
                                    .body = body,
                                    .body_len = n };

    f->e = (struct err){ 0 };
    return spool_put(s, &r, &f->e);
}

static inline bool
put(struct fixture *f, const char *body)
{
    return put_at(f, f->spool, body, strlen(body), FAKE_CLK_START);
}

static inline const char **
listed(struct fixture *f, size_t want)
{
    const char **names;
    size_t n = 0;

    assert_true(spool_list(f->spool, f->arena, &names, &n, &f->e));
    assert_int_equal(n, want);
    return names;
}

#define SPOOL_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
