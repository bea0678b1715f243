/*
 * err - kinds, words, context, and words that are too long.
 */
#include "base/err.h"
#include "base/utf8.h"
#include "unit/unit.h"

static void
test_err_set_fills_everything(void **state)
{
    struct err e = { .kind = ERR_TEMP, .code = "23505", .text = "before" };

    (void)state;
    assert_false(err_set(&e, ERR_INVALID, "%s: not a phone number", "from"));
    assert_int_equal(e.kind, ERR_INVALID);
    assert_string_equal(e.text, "from: not a phone number");
    assert_string_equal(e.code, "");
}

static void
test_err_set_takes_its_own_words(void **state)
{
    struct err e = { 0 };

    (void)state;
    (void)err_set(&e, ERR_TEMP, "HTTP 500");
    (void)err_set(&e, ERR_PERM, "given up: %s", e.text);
    assert_string_equal(e.text, "given up: HTTP 500");
}

static void
test_err_wrap_keeps_kind_and_code(void **state)
{
    struct err e = { .kind = ERR_PERM, .code = "131047", .text = "HTTP 400" };

    (void)state;
    assert_false(err_wrap(&e, "whatsapp"));
    assert_string_equal(e.text, "whatsapp: HTTP 400");
    assert_string_equal(e.code, "131047");
    assert_int_equal(e.kind, ERR_PERM);
}

static void
test_err_text_is_cut_at_a_letter(void **state)
{
    static const struct {
        const char *name;
        size_t before;      /* ASCII letters before the last one */
        const char *letter; /* repeated to the end */
        size_t want;
    } rows[] = {
        { "ASCII fills it", 0, "x", 239 },
        { "two bytes, odd rest", 0, "\xC3\xA9", 238 },
        { "two bytes, even rest", 1, "\xC3\xA9", 239 },
        { "three bytes, rest 2", 0, "\xE2\x82\xAC", 237 },
        { "three bytes, rest 1", 1, "\xE2\x82\xAC", 238 },
        { "three bytes, fits", 2, "\xE2\x82\xAC", 239 },
        { "four bytes, rest 3", 0, "\xF0\x9F\x98\x80", 236 },
        { "four bytes, fits", 3, "\xF0\x9F\x98\x80", 239 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char words[1024] = { 0 };
        struct err e = { 0 };
        memset(words, 'a', rows[i].before);
        for (size_t at = rows[i].before; at < 300; at += strlen(rows[i].letter))
            memcpy(words + at, rows[i].letter, strlen(rows[i].letter));
        (void)err_set(&e, ERR_BUG, "%s", words);
        expect_int(rows[i].name, (int64_t)strlen(e.text), (int64_t)rows[i].want);
        expect_true(rows[i].name, utf8_valid(e.text, strlen(e.text)));
        (void)err_wrap(&e, "here");
        expect_true(rows[i].name, strlen(e.text) > 230 && strlen(e.text) < 240);
        expect_true(rows[i].name, utf8_valid(e.text, strlen(e.text)));
    }
}

static void
test_err_retry_is_one_error_s(void **state)
{
    struct err e = { 0 };

    (void)state;
    (void)err_set(&e, ERR_LIMIT, "messages_per_hour: enough");
    assert_false(err_retry(&e, 60));
    (void)err_wrap(&e, "tool");
    assert_int_equal(e.retry_after_s, 60);
    (void)err_set(&e, ERR_INVALID, "from: missing");
    assert_int_equal(e.retry_after_s, 0);
}

static void
test_err_kind_text(void **state)
{
    static const struct {
        enum err_kind kind;
        const char *want;
    } rows[] = {
        { ERR_NONE, "none" },
        { ERR_INVALID, "invalid" },
        { ERR_AUTH, "auth" },
        { ERR_FORBIDDEN, "forbidden" },
        { ERR_NOT_FOUND, "not_found" },
        { ERR_TOO_LARGE, "too_large" },
        { ERR_MEDIA_TYPE, "media_type" },
        { ERR_DUPLICATE, "duplicate" },
        { ERR_CONFLICT, "conflict" },
        { ERR_LIMIT, "limit" },
        { ERR_UNAVAILABLE, "unavailable" },
        { ERR_TEMP, "temp" },
        { ERR_PERM, "perm" },
        { ERR_BUG, "bug" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].want, err_kind_text(rows[i].kind), rows[i].want);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_set_fills_everything),
        cmocka_unit_test(test_err_set_takes_its_own_words),
        cmocka_unit_test(test_err_wrap_keeps_kind_and_code),
        cmocka_unit_test(test_err_text_is_cut_at_a_letter),
        cmocka_unit_test(test_err_retry_is_one_error_s),
        cmocka_unit_test(test_err_kind_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
