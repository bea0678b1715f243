/*
 * io/http: when a server asks us to come back.
 */
#include "unit/http_fixture.h"

#define RETRY_AFTER_SCRIPT(name, header)                                                           \
    static void name(int listener, int report)                                                     \
    {                                                                                              \
        int fd = server_accept(listener);                                                          \
                                                                                                   \
        server_must_read(fd, report);                                                              \
        server_answer(fd, 429, header, "");                                                        \
        server_wait_end(fd);                                                                       \
    }
RETRY_AFTER_SCRIPT(script_retry_plain, "Retry-After: 7\r\n")
RETRY_AFTER_SCRIPT(script_retry_case, "RETRY-AFTER:30\r\n")
RETRY_AFTER_SCRIPT(script_retry_blanks, "retry-after:  \t 12 \t\r\n")
RETRY_AFTER_SCRIPT(script_retry_date, "Retry-After: Thu, 15 Jan 2026 10:00:30 GMT\r\n")
RETRY_AFTER_SCRIPT(script_retry_asctime, "Retry-After: Thu Jan 15 10:02:00 2026\r\n")
RETRY_AFTER_SCRIPT(script_retry_past, "Retry-After: Thu, 15 Jan 2026 09:59:59 GMT\r\n")
RETRY_AFTER_SCRIPT(script_retry_far, "Retry-After: Sun, 22 Nov 2026 18:05:03 GMT\r\n")
RETRY_AFTER_SCRIPT(script_retry_words, "Retry-After: soon\r\n")
RETRY_AFTER_SCRIPT(script_retry_half, "Retry-After: 7.5\r\n")
RETRY_AFTER_SCRIPT(script_retry_negative, "Retry-After: -5\r\n")
RETRY_AFTER_SCRIPT(script_retry_huge, "Retry-After: 99999999999999999999\r\n")
RETRY_AFTER_SCRIPT(script_retry_days, "Retry-After: 86401\r\n")
RETRY_AFTER_SCRIPT(script_retry_empty, "Retry-After:\r\n")
RETRY_AFTER_SCRIPT(script_retry_none, "Retry-Afterwards: 7\r\nX-Retry-After: 8\r\n")

static void
test_retry_after(void **state)
{
    static const struct {
        const char *name;
        server_script *script;
        int want;
    } rows[] = {
        { "seconds", script_retry_plain, 7 },
        { "capitals", script_retry_case, 30 },
        { "blanks", script_retry_blanks, 12 },
        { "a date", script_retry_date, 30 },
        { "the date of old", script_retry_asctime, 120 },
        { "a date that is past", script_retry_past, 0 },
        { "a date far away", script_retry_far, 86400 },
        { "words", script_retry_words, 0 },
        { "a fraction", script_retry_half, 0 },
        { "negative", script_retry_negative, 0 },
        { "huge", script_retry_huge, 86400 },
        { "over a day", script_retry_days, 86400 },
        { "empty", script_retry_empty, 0 },
        { "other headers", script_retry_none, 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->server = server_start(rows[i].script);
        fake_clk_set(FAKE_CLK_START); /* Thu, 15 Jan 2026 10:00:00 GMT */
        struct http_request req = post(f, "{}");
        struct http_response r = exchange(f, &req);
        expect_int(rows[i].name, r.reach, HTTP_ANSWERED);
        expect_int(rows[i].name, r.status, 429);
        expect_int(rows[i].name, r.retry_after_s, rows[i].want);
        expect_int(rows[i].name, server_stop(&f->server), 1);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        HTTP_TEST(test_retry_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
