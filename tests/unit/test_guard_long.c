/*
 * test_guard_long - a long text takes as much time as it is long: nothing is read again and again.
 * No clock is looked at; what takes its square of time does not end before the test's limit.
 */
#include "flow/guard.h"
#include "flow/guard_scan.h"
#include "unit/unit.h"

#define LETTERS 200000

static const char *const pieces[] = {
    "ab.",     "a@",       "ab@c.",     "a+",        "a-",        "a_b.",      "ab . ",
    "ab dot ", "a.b@c.d ", "a:",        "a://.",     "a://x)",    "((",        "0 ",
    "07 ",     "1.",       "1.2.",      "1*",        "+1 ",       "O7",        "7/12 ",
    "_a_",     "a1-b2=",   "ab.ab.com", "123 ",      "com.",      "\xD0\xBF.", "one ",
    "mia ",    "double ",  "mirongo  ", "quatre-",   "n'",        "cent na ",  "1B",
    "OI2 ",    "ab. ",     "ab,ly",     "ab. com/ ", "a period ", "0o0l1i",
};

static void
test_long_texts_end(void **state)
{
    const struct guard_rules rules = { .own_number = "+250788111222" };

    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        size_t len = strlen(pieces[i]);
        char *text = arena_alloc(*state, LETTERS + 1);
        struct guard_scan s;

        for (size_t at = 0; at < LETTERS; at++)
            text[at] = pieces[i][at % len];
        text[LETTERS - LETTERS % len] = '\0';
        s = guard_scan_make(*state, text);
        guard_link_mark(&s, &rules);
        guard_leak_find(&s, "You are an assistant.");
        guard_number_mark(&s, &rules);
        assert_non_null(guard_scan_text(&s));
    }
}

/* A name that is too long for a host is none, and hides none that follows. */
static void
test_a_host_behind_a_long_name_is_found(void **state)
{
    const struct guard_rules rules = { 0 };

    for (size_t n = 70; n < 140; n++) {
        const char *text = "See ";

        for (size_t i = 0; i < n; i++)
            text = arena_printf(*state, "%sab.", text);
        text = arena_printf(*state, "%sevil.com for the offer", text);
        expect_true(text, strstr(guard_text(*state, text, &rules).text, "evil") == NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_long_texts_end),
        ARENA_TEST(test_a_host_behind_a_long_name_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
