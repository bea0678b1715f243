/*
 * spool - what is kept comes back as it was, in order, within its limits.
 */
#include "unit/spool_fixture.h"

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
        SPOOL_TEST(test_one_takes_out),
        SPOOL_TEST(test_queue),
        cmocka_unit_test(test_state_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
