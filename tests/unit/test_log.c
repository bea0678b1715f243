/*
 * log - levels, the correlation id, the ways out, and one write per line.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/str.h"
#include "unit/log_fixture.h"

static void
test_log_levels(void **state)
{
    static const struct {
        enum log_level level;
        bool info, warn, error;
    } rows[] = {
        { LOG_DEBUG, true, true, true },
        { LOG_INFO, true, true, true },
        { LOG_WARN, false, true, true },
        { LOG_ERROR, false, false, true },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct log *l = NULL;
        struct err e;
        assert_true(log_open("levels", f->path, rows[i].level, &l, &e));
        log_event(l, REQUEST_DONE, LF_INT("ms", 1));
        assert_int_equal(strlen(written(f)) > 0, rows[i].info);
        log_event(l, REQUEST_REFUSED, LF_INT("ms", 1));
        assert_int_equal(strlen(written(f)) > 0, rows[i].warn);
        log_event(l, REQUEST_FAILED, LF_INT("ms", 1));
        assert_int_equal(strlen(written(f)) > 0, rows[i].error);
        log_close(&l);
    }
}

static void
test_log_level_parse(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        enum log_level want;
    } rows[] = {
        { "debug", true, LOG_DEBUG }, { "info", true, LOG_INFO },   { "WARN", true, LOG_WARN },
        { "Error", true, LOG_ERROR }, { "", false, LOG_INFO },      { "warning", false, LOG_INFO },
        { "err", false, LOG_INFO },   { "info ", false, LOG_INFO }, { "1", false, LOG_INFO },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum log_level level = LOG_INFO;
        expect_int(rows[i].text, log_level_parse(rows[i].text, &level), rows[i].ok);
        expect_int(rows[i].text, level, rows[i].want);
    }
}

static void
test_log_correlation(void **state)
{
    static const struct {
        const char *id;
        const char *want;
    } rows[] = {
        { "", "" },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" },
        { "A.b_c:d-9", "A.b_c:d-9" },
        { "a b\r\nX-Evil: 1", "abX-Evil:1" },
        { "\"}{\\", "" },
        { "../../etc", "....etc" },
        { "caf\xC3\xA9", "caf" },
        { "0123456789012345678901234567890123456789012345678901234567890123456789",
          "0123456789012345678901234567890123456789012345678901234567890123" },
        { "    0123456789012345678901234567890123456789012345678901234567890123x",
          "0123456789012345678901234567890123456789012345678901234567890123" },
    };
    struct fixture *f = *state;

    assert_string_equal(log_correlation(f->log), "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        log_set_correlation(f->log, rows[i].id);
        expect_text(rows[i].id, log_correlation(f->log), rows[i].want);
        log_event(f->log, REQUEST_DONE, LF_INT("ms", 1));
        expect_text(rows[i].id, json_opt_str(f->arena, line(f), "correlation_id", "-"),
                    rows[i].want);
    }
}

static void
test_log_without_a_log(void **state)
{
    (void)state;
    log_event(NULL, REQUEST_DONE, LF_INT("ms", 1));
    log_set_correlation(NULL, "x");
    assert_string_equal(log_correlation(NULL), "");
    struct log *none = NULL;
    log_close(&none);
}

static void
test_log_open_fails_on_a_bad_path(void **state)
{
    static const char *const rows[] = { "", "/", "/nowhere/at/all", "/dev/null/x", "Stderr/x" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct log *l = NULL;
        struct err e = { 0 };
        expect_true(rows[i], !log_open("x", rows[i], LOG_INFO, &l, &e));
        expect_true(rows[i], l == NULL);
        expect_int(rows[i], e.kind, ERR_INVALID);
        expect_true(rows[i], str_starts(e.text, "LOG_TO: "));
    }
}

static void
test_log_appends(void **state)
{
    struct fixture *f = *state;
    struct log *second = NULL;
    struct err e;

    log_event(f->log, PROGRAM_START, LF_INT("n", 1));
    assert_true(log_open("second", f->path, LOG_INFO, &second, &e));
    log_event(second, PROGRAM_START, LF_INT("n", 2));
    log_event(f->log, PROGRAM_STOP, LF_INT("n", 3));
    log_close(&second);
    size_t n = 0;
    const char *text = written(f);
    char **lines = str_split(f->arena, text, '\n', &n);
    assert_int_equal(n, 3);
    assert_non_null(strstr(lines[0], "\"n\":1"));
    assert_non_null(strstr(lines[1], "\"program\":\"second\""));
    assert_non_null(strstr(lines[2], "PROGRAM_STOP"));
}

/* A socket that keeps records apart stands in the place of standard error: one line must be one
 * record. */
static void
test_log_one_write_per_line(void **state)
{
    struct fixture *f = *state;
    struct log *l = NULL;
    struct err e;
    int ends[2];
    int saved = dup(STDERR_FILENO);
    char id[200] = { 0 };
    char record[8192];

    memset(id, '\n', sizeof(id) - 1); /* each of them is two characters in the line */
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_true(dup2(ends[0], STDERR_FILENO) >= 0);
    assert_true(log_open("records", "stderr", LOG_INFO, &l, &e));
    for (int i = 0; i < 3; i++)
        log_event(l, REQUEST_DONE, LF_ID("a", id), LF_ID("b", id), LF_ID("c", id), LF_ID("d", id));
    log_event(l, REQUEST_DONE, LF_INT("ms", 1));
    log_close(&l);
    assert_true(dup2(saved, STDERR_FILENO) >= 0); /* still open: log_close() leaves stderr alone */
    assert_int_equal(close(saved), 0);
    for (int i = 0; i < 4; i++) {
        ssize_t n = recv(ends[1], record, sizeof(record), MSG_DONTWAIT);
        struct json_object *o = NULL;
        assert_true(n > 0);
        assert_int_equal(record[n - 1], '\n');
        assert_true(json_parse(f->arena, record, (size_t)n, &o, &e));
    }
    assert_true(recv(ends[1], record, sizeof(record), MSG_DONTWAIT) < 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void
test_log_survives_what_cannot_be_written(void **state)
{
    static const char *const rows[] = { "/dev/full", "syslog" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct log *l = NULL;
        struct err e;
        expect_true(rows[i], log_open("unit-test", rows[i], LOG_ERROR, &l, &e));
        log_event(l, REQUEST_DONE, LF_INT("ms", 1)); /* below the level */
        errno = 4711;
        log_event(l, REQUEST_FAILED, LF_INT("ms", 1)); /* goes nowhere, and nobody minds */
        expect_int(rows[i], errno, 4711);
        log_close(&l);
        expect_true(rows[i], l == NULL);
    }
}

static void
test_log_event_names(void **state)
{
    (void)state;
    assert_string_equal(log_event_name(EV_PROGRAM_START), "PROGRAM_START");
    assert_string_equal(log_event_name(EV_SMS_SEND_SUCCESS), "SMS_SEND_SUCCESS");
    for (int i = 0; i < EV_COUNT; i++)
        assert_true(strlen(log_event_name((enum log_event)i)) > 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        LOG_TEST(test_log_levels),
        cmocka_unit_test(test_log_level_parse),
        LOG_TEST(test_log_correlation),
        cmocka_unit_test(test_log_without_a_log),
        cmocka_unit_test(test_log_open_fails_on_a_bad_path),
        LOG_TEST(test_log_appends),
        LOG_TEST(test_log_one_write_per_line),
        cmocka_unit_test(test_log_survives_what_cannot_be_written),
        cmocka_unit_test(test_log_event_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
