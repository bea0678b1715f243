/*
 * spool - what is damaged is set aside, and what cannot be kept leaves nothing behind.
 */
#include "unit/spool_fixture.h"

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

/* Many write at once: the last places are taken once each. */
static void
test_no_more_than_there_is_room_for(void **state)
{
    struct fixture *f = *state;
    int at_once[2];
    pid_t pids[12];
    char byte;

    assert_int_equal(pipe(at_once), 0);
    for (size_t i = 0; i < COUNT_OF(pids); i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] > 0)
            continue;
        struct spool *own = spool_new(f->arena, f->dir, 30, 8);
        (void)close(at_once[1]);
        (void)!read(at_once[0], &byte, 1); /* until the parent has let go */
        for (int k = 0; k < 10; k++)
            (void)put_at(f, own, "x", 1, FAKE_CLK_START + k);
        _exit(0);
    }
    assert_int_equal(close(at_once[1]), 0);
    for (size_t i = 0; i < COUNT_OF(pids); i++)
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    assert_int_equal(close(at_once[0]), 0);
    assert_int_equal(files_in(f->dir), 30);
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        SPOOL_TEST(test_damaged_files_are_set_aside),
        SPOOL_TEST(test_strange_files),
        SPOOL_TEST(test_not_a_line),
        SPOOL_TEST(test_half_written_files),
        SPOOL_TEST(test_disk_full),
        SPOOL_TEST(test_not_ours_to_write),
        SPOOL_TEST(test_no_more_than_there_is_room_for),
        SPOOL_TEST(test_not_a_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
