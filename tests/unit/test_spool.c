/*
 * spool - what is kept comes back as it was, in order; what cannot be kept leaves nothing behind.
 */
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

static int
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
static int
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

static void
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

static const char *
path(struct fixture *f, const char *name)
{
    return arena_printf(f->arena, "%s/%s", f->dir, name);
}

static int
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

static bool
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

static bool
put(struct fixture *f, const char *body)
{
    return put_at(f, f->spool, body, strlen(body), FAKE_CLK_START);
}

static const char **
listed(struct fixture *f, size_t want)
{
    const char **names;
    size_t n = 0;

    assert_true(spool_list(f->spool, f->arena, &names, &n, &f->e));
    assert_int_equal(n, want);
    return names;
}

static void
test_round_trip(void **state)
{
    static const char body[] = "{\"x\":\"\0\n\xff caf\xc3\xa9\"}\n";
    struct fixture *f = *state;
    struct spool_record r;
    struct stat st;

    assert_false(spool_waiting(f->spool));
    assert_true(put_at(f, f->spool, body, sizeof(body) - 1, FAKE_CLK_START + 7));
    assert_true(spool_waiting(f->spool));
    const char **names = listed(f, 1);
    assert_true(spool_read(f->spool, f->arena, names[0], &r, &f->e));
    assert_string_equal(r.program, "some-webhook");
    assert_string_equal(r.provider, "mtn");
    assert_string_equal(r.correlation_id, "abc-1");
    assert_string_equal(r.content_type, "application/json");
    assert_string_equal(r.query, "a=b");
    assert_true(r.is_report);
    assert_true(r.received_at_ms == FAKE_CLK_START + 7);
    assert_int_equal(r.body_len, sizeof(body) - 1);
    assert_memory_equal(r.body, body, sizeof(body)); /* and a NUL behind it */
    assert_int_equal(stat(path(f, names[0]), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(f->dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_true(spool_done(f->spool, names[0], &f->e));
    assert_false(spool_waiting(f->spool));
    assert_int_equal(files_in(f->dir), 0);
}

static void
test_empty_body(void **state)
{
    struct fixture *f = *state;
    struct spool_record r;

    assert_true(put(f, ""));
    assert_true(spool_read(f->spool, f->arena, listed(f, 1)[0], &r, &f->e));
    assert_int_equal(r.body_len, 0);
    assert_string_equal(r.body, "");
}

static void
test_name_tells_nothing(void **state)
{
    struct fixture *f = *state;

    assert_true(put(f, "+250788000001 hello"));
    const char *name = listed(f, 1)[0];
    assert_true(str_starts(name, "1768471200000-"));
    assert_true(str_ends(name, ".ev"));
    assert_int_equal(strspn(name, "0123456789abcdef-"), strlen(name) - strlen(".ev"));
    assert_null(strstr(name, "788000001"));
}

/* By the time of arrival, whoever wrote first; of one process also within a millisecond. */
static void
test_order(void **state)
{
    static const char *const want[] = { "early", "a", "b", "c", "d", "late" };
    struct fixture *f = *state;
    struct spool *second = spool_new(f->arena, f->dir, 1000, 8);
    struct spool *third = spool_new(f->arena, f->dir, 1000, 8);

    assert_true(put_at(f, third, "late", 4, FAKE_CLK_START + 5000));
    for (size_t i = 1; i < 5; i++)
        assert_true(put(f, want[i]));
    assert_true(put_at(f, second, "early", 5, FAKE_CLK_START - 1));
    const char **names = listed(f, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        struct spool_record r;
        assert_true(spool_read(f->spool, f->arena, names[i], &r, &f->e));
        expect_text("order", r.body, want[i]);
    }
}

static void
test_limit_of_files(void **state)
{
    struct fixture *f = *state;
    struct spool *s = spool_new(f->arena, f->dir, 3, 8);
    struct spool *other = spool_new(f->arena, f->dir, 3, 8);

    assert_true(put_at(f, s, "1", 1, 1));
    assert_true(put_at(f, other, "2", 1, 2));
    assert_int_equal(spool_check(s, &f->e), SPOOL_OK);
    assert_true(put_at(f, s, "3", 1, 3));
    assert_false(put_at(f, s, "4", 1, 4));
    assert_int_equal(f->e.kind, ERR_TEMP);
    assert_string_equal(f->e.text, "spool: full (SPOOL_MAX_FILES, SPOOL_MAX_MB)");
    assert_false(put_at(f, other, "4", 1, 4));
    assert_int_equal(spool_check(other, &f->e), SPOOL_FULL);
    assert_int_equal(files_in(f->dir), 3);
    assert_true(spool_done(f->spool, listed(f, 3)[0], &f->e));
    assert_true(put_at(f, s, "4", 1, 4));
}

static void
test_limit_of_bytes(void **state)
{
    struct fixture *f = *state;
    struct spool *s = spool_new(f->arena, f->dir, 1000, 1);
    size_t n = (size_t)600 * 1024;
    char *body = arena_alloc(f->arena, n);

    memset(body, 'x', n);
    assert_true(put_at(f, s, body, n, 1));
    assert_false(put_at(f, s, body, n, 2));
    assert_true(put_at(f, s, body, n / 2, 3));
    assert_int_equal(files_in(f->dir), 2);
}

/* Many files are not counted for each new one; but a full spool is not full for long. */
static void
test_many_are_counted_now_and_then(void **state)
{
    struct fixture *f = *state;
    struct spool *s = spool_new(f->arena, f->dir, 300, 8);

    for (int i = 0; i < 300; i++)
        assert_true(put_at(f, s, "x", 1, i));
    assert_false(put_at(f, s, "x", 1, 300));
    const char **names = listed(f, 300);
    assert_true(spool_done(f->spool, names[0], &f->e));
    assert_false(put_at(f, s, "x", 1, 301));
    fake_clk_advance(250);
    assert_true(put_at(f, s, "x", 1, 302));
    for (size_t i = 1; i < 300; i++)
        assert_true(spool_done(f->spool, names[i], &f->e));
}

static void
overwrite(struct fixture *f, const char *name, long at, const char *bytes, bool cut)
{
    FILE *file = fopen(path(f, name), "r+");

    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    if (cut)
        assert_int_equal(ftruncate(fileno(file), ftell(file)), 0);
    else
        assert_int_equal(fwrite(bytes, 1, strlen(bytes), file), strlen(bytes));
    assert_int_equal(fclose(file), 0);
}

static void
test_damaged_files_are_set_aside(void **state)
{
    static const struct {
        long at;
        const char *bytes;
        bool cut;
    } rows[] = {
        { -1, "X", false }, { -1, "", true },        { 0, "", true },
        { 13, "9", false }, { 20, "\n", false },     { 0, "omni-spool 2", false },
        { 100, "", true },  { 90, "\n\n\n", false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct spool_record r;
        assert_true(put(f, "{\"from\": \"somebody\"}"));
        const char *name = listed(f, 1)[0];
        overwrite(f, name, rows[i].at, rows[i].bytes, rows[i].cut);
        assert_false(spool_read(f->spool, f->arena, name, &r, &f->e));
        assert_int_equal(f->e.kind, ERR_INVALID);
        assert_true(spool_set_aside(f->spool, name, &f->e));
        assert_false(spool_waiting(f->spool));
        assert_int_equal(access(path(f, arena_printf(f->arena, "corrupt/%s", name)), F_OK), 0);
    }
    assert_int_equal(files_in(path(f, "corrupt")), COUNT_OF(rows));
}

/* A symbolic link is not followed, a pipe not waited for. */
static void
test_strange_files(void **state)
{
    struct fixture *f = *state;
    struct spool_record r;

    assert_true(put(f, "x"));
    assert_true(spool_done(f->spool, listed(f, 1)[0], &f->e));
    assert_int_equal(symlink("/etc/passwd", path(f, "1-link.ev")), 0);
    assert_int_equal(mkfifo(path(f, "2-pipe.ev"), 0600), 0);
    const char **names = listed(f, 2);
    for (int i = 0; i < 2; i++) {
        assert_false(spool_read(f->spool, f->arena, names[i], &r, &f->e));
        assert_int_equal(f->e.kind, ERR_INVALID);
    }
}

static void
test_not_a_line(void **state)
{
    struct fixture *f = *state;
    const struct spool_record r = { "p", "mtn", "c", "text\nplain", "", 1, false, "", 0 };

    assert_false(spool_put(f->spool, &r, &f->e));
    assert_int_equal(files_in(f->dir), 0);
}

static void
test_half_written_files(void **state)
{
    struct fixture *f = *state;
    const char *old = path(f, ".1768471200000-17-0123.ev.tmp");

    assert_true(put(f, "x"));
    assert_int_equal(close(open(old, O_WRONLY | O_CREAT, 0600)), 0);
    (void)listed(f, 1); /* its writer may still be at it */
    assert_int_equal(access(old, F_OK), 0);
    fake_clk_advance(600001);
    (void)listed(f, 1);
    assert_int_equal(access(old, F_OK), -1);
}

/* In a process of its own, whose limits end with it: is the file refused, and nothing left? */
static void
expect_refused(struct fixture *f, void (*make_it_hard)(struct fixture *f), int files)
{
    pid_t pid = fork();
    int status = 0;

    assert_true(pid >= 0);
    if (pid == 0) {
        static char body[8192];
        bool ok;
        make_it_hard(f);
        memset(body, 'x', sizeof(body));
        ok = put_at(f, f->spool, body, sizeof(body), 1);
        _exit(ok || f->e.kind != ERR_TEMP || !str_starts(f->e.text, "spool: ") ||
              spool_check(f->spool, &f->e) == SPOOL_FULL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(files_in(f->dir), files);
}

/* The disk is full in the middle of a file. */
static void
allow_small_files(struct fixture *f)
{
    const struct rlimit limit = { 4096, 4096 };

    (void)f;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(2);
}

static void
become_somebody_else(struct fixture *f)
{
    if (chmod(f->parent, 0711) != 0 || (geteuid() == 0 && setuid(65534) != 0) ||
        (geteuid() != 65534 && chmod(f->dir, 0500) != 0))
        _exit(2);
}

static void
test_disk_full(void **state)
{
    struct fixture *f = *state;

    assert_true(put(f, "x"));
    expect_refused(f, allow_small_files, 1);
    assert_true(put(f, "y"));
}

static void
test_not_ours_to_write(void **state)
{
    struct fixture *f = *state;

    assert_true(put(f, "x"));
    expect_refused(f, become_somebody_else, 1);
    assert_int_equal(chmod(f->dir, 0700), 0);
    assert_true(put(f, "y"));
}

static void
test_not_a_directory(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(close(open(f->dir, O_WRONLY | O_CREAT, 0600)), 0);
    assert_false(put(f, "x"));
    assert_int_equal(f->e.kind, ERR_TEMP);
    assert_string_equal(f->e.text, "spool: SPOOL_DIR: Not a directory");
    assert_int_equal(spool_check(f->spool, &f->e), SPOOL_UNWRITABLE);
    assert_false(spool_waiting(f->spool));
    assert_false(spool_lock(f->spool));
    assert_int_equal(unlink(f->dir), 0);
    assert_int_equal(spool_check(f->spool, &f->e), SPOOL_OK);
    assert_int_equal(files_in(f->dir), 0);
}

static void
test_one_takes_out(void **state)
{
    struct fixture *f = *state;
    struct spool *other = spool_new(f->arena, f->dir, 10, 1);

    assert_true(spool_lock(f->spool));
    assert_false(spool_lock(other));
    spool_unlock(f->spool);
    assert_true(spool_lock(other));
    assert_false(spool_lock(f->spool));
    spool_unlock(other);
}

/* New ones queue behind what waits while the database is away, and not much longer. */
static void
test_queue(void **state)
{
    struct fixture *f = *state;
    struct spool *other = spool_new(f->arena, f->dir, 10, 1);

    assert_true(put(f, "x"));
    assert_false(spool_is_queue(f->spool));
    spool_note_away(other);
    assert_true(spool_is_queue(f->spool));
    fake_clk_advance(9000);
    assert_true(spool_is_queue(f->spool));
    spool_note_away(f->spool);
    fake_clk_advance(9000);
    assert_true(spool_is_queue(other));
    assert_true(spool_done(f->spool, listed(f, 1)[0], &f->e));
    assert_false(spool_is_queue(other));
    assert_true(put(f, "x"));
    assert_true(spool_is_queue(other));
    fake_clk_advance(1001);
    assert_false(spool_is_queue(other));
    fake_clk_set(FAKE_CLK_START - 3600000); /* the clock was put right: no hour of queueing */
    assert_false(spool_is_queue(other));
}

static void
test_state_words(void **state)
{
    (void)state;
    assert_string_equal(spool_state_text(SPOOL_OK), "ok");
    assert_string_equal(spool_state_text(SPOOL_FULL), "full");
    assert_string_equal(spool_state_text(SPOOL_UNWRITABLE), "unwritable");
}

#define SPOOL_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        SPOOL_TEST(test_round_trip),
        SPOOL_TEST(test_empty_body),
        SPOOL_TEST(test_name_tells_nothing),
        SPOOL_TEST(test_order),
        SPOOL_TEST(test_limit_of_files),
        SPOOL_TEST(test_limit_of_bytes),
        SPOOL_TEST(test_many_are_counted_now_and_then),
        SPOOL_TEST(test_damaged_files_are_set_aside),
        SPOOL_TEST(test_strange_files),
        SPOOL_TEST(test_not_a_line),
        SPOOL_TEST(test_half_written_files),
        SPOOL_TEST(test_disk_full),
        SPOOL_TEST(test_not_ours_to_write),
        SPOOL_TEST(test_not_a_directory),
        SPOOL_TEST(test_one_takes_out),
        SPOOL_TEST(test_queue),
        cmocka_unit_test(test_state_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
