/*
 * str - comparisons, numbers, splitting, hex and URL coding.
 */
#include "base/str.h"
#include "unit/unit.h"

static void
test_str_comparisons(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool eq, nocase, starts, starts_nocase, ends;
    } rows[] = {
        { "", "", true, true, true, true, true },
        { "a", "", false, false, true, true, true },
        { "", "a", false, false, false, false, false },
        { "abc", "abc", true, true, true, true, true },
        { "abc", "ABC", false, true, false, true, false },
        { "abc", "ab", false, false, true, true, false },
        { "abc", "AB", false, false, false, true, false },
        { "abc", "bc", false, false, false, false, true },
        { "ab", "abc", false, false, false, false, false },
        { "a[", "a{", false, false, false, false, false },
        { "@", "`", false, false, false, false, false },
        { "\xC3\x89", "\xC3\xA9", false, false, false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *a = rows[i].a;
        const char *b = rows[i].b;
        expect_int(a, str_eq(a, b), rows[i].eq);
        expect_int(a, str_eq_nocase(a, b), rows[i].nocase);
        expect_int(a, str_starts(a, b), rows[i].starts);
        expect_int(a, str_starts_nocase(a, b), rows[i].starts_nocase);
        expect_int(a, str_ends(a, b), rows[i].ends);
    }
}

static void
test_str_empty(void **state)
{
    (void)state;
    assert_true(str_empty(NULL));
    assert_true(str_empty(""));
    assert_false(str_empty(" "));
}

static void
test_str_parse_int(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        bool ok;
        int64_t want;
    } rows[] = {
        { "0", INT64_MIN, INT64_MAX, true, 0 },
        { "-0", INT64_MIN, INT64_MAX, true, 0 },
        { "007", 0, 10, true, 7 },
        { "42", 0, 42, true, 42 },
        { "43", 0, 42, false, 0 },
        { "-1", 0, 42, false, 0 },
        { "-5", -5, 5, true, -5 },
        { "-6", -5, 5, false, 0 },
        { "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
        { "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
        { "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
        { "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0 },
        { "99999999999999999999999999", INT64_MIN, INT64_MAX, false, 0 },
        { "00000000000000000000000001", INT64_MIN, INT64_MAX, true, 1 },
        { "", INT64_MIN, INT64_MAX, false, 0 },
        { "-", INT64_MIN, INT64_MAX, false, 0 },
        { "--1", INT64_MIN, INT64_MAX, false, 0 },
        { "+1", INT64_MIN, INT64_MAX, false, 0 },
        { " 1", INT64_MIN, INT64_MAX, false, 0 },
        { "1 ", INT64_MIN, INT64_MAX, false, 0 },
        { "1\n", INT64_MIN, INT64_MAX, false, 0 },
        { "1.0", INT64_MIN, INT64_MAX, false, 0 },
        { "1e3", INT64_MIN, INT64_MAX, false, 0 },
        { "0x10", INT64_MIN, INT64_MAX, false, 0 },
        { "12a", INT64_MIN, INT64_MAX, false, 0 },
        { "\xD9\xA1", INT64_MIN, INT64_MAX, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t n = 777;
        expect_int(rows[i].text, str_parse_int(rows[i].text, rows[i].min, rows[i].max, &n),
                   rows[i].ok);
        expect_int(rows[i].text, n, rows[i].ok ? rows[i].want : 777);
    }
}

static void
test_str_from_int(void **state)
{
    assert_string_equal(str_from_int(*state, 0), "0");
    assert_string_equal(str_from_int(*state, -12), "-12");
    assert_string_equal(str_from_int(*state, INT64_MIN), "-9223372036854775808");
}

static void
test_str_trim(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "", "" },
        { "   ", "" },
        { "\r\n\t\v\f ", "" },
        { "a", "a" },
        { " a ", "a" },
        { "\r\na b\r\n", "a b" },
        { "a\nb", "a\nb" },
        { "a  ", "a" },
        { "  a", "a" },
        { "\xC2\xA0x", "\xC2\xA0x" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].text, str_trim(*state, rows[i].text), rows[i].want);
}

static void
test_str_replace(void **state)
{
    static const struct {
        const char *text, *from, *to, *want;
    } rows[] = {
        { "", "a", "b", "" },
        { "banana", "an", "AN", "bANANa" },
        { "banana", "a", "", "bnn" },
        { "banana", "x", "y", "banana" },
        { "aaa", "aa", "b", "ba" },
        { "aaa", "a", "aa", "aaaaaa" },
        { "x", "x", "x", "x" },
        { "{name}, {name}", "{name}", "Keza", "Keza, Keza" },
        { "short", "much longer than it", "y", "short" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].text, str_replace(*state, rows[i].text, rows[i].from, rows[i].to),
                    rows[i].want);
}

static void
test_str_split(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *items[4];
    } rows[] = {
        { "", 0, { NULL } },
        { " , ,,", 0, { NULL } },
        { "a", 1, { "a" } },
        { "a,b,c", 3, { "a", "b", "c" } },
        { " a , b c ,", 2, { "a", "b c" } },
        { ",,a", 1, { "a" } },
        { "a\r\n,\tb", 2, { "a", "b" } },
        { "+250,+256", 2, { "+250", "+256" } },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t n = 99;
        char **items = str_split(*state, rows[i].text, ',', &n);
        expect_int(rows[i].text, (int64_t)n, (int64_t)rows[i].n);
        for (size_t k = 0; k < n; k++)
            expect_text(rows[i].text, items[k], rows[i].items[k]);
        expect_true(rows[i].text, items[n] == NULL);
    }
}

static void
test_str_hex(void **state)
{
    static const unsigned char bytes[] = { 0x00, 0x0f, 0xf0, 0xab, 0xff };

    assert_string_equal(str_hex(*state, bytes, sizeof(bytes)), "000ff0abff");
    assert_string_equal(str_hex(*state, bytes, 0), "");
}

static void
test_str_unhex(void **state)
{
    static const struct {
        const char *hex;
        bool ok;
    } rows[] = {
        { "00aBfF", true },    { "00abf", false },  { "00abff0", false },
        { "00abff00", false }, { "", false },       { "00abfg", false },
        { "00 abf", false },   { "0x00ab", false }, { "00ab\xC3\xA9", false },
        { "+0abff", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned char out[3] = { 1, 1, 1 };
        expect_int(rows[i].hex, str_unhex(rows[i].hex, out, 3), rows[i].ok);
        if (rows[i].ok)
            assert_memory_equal(out, "\x00\xab\xff", 3);
    }
    unsigned char none;
    assert_true(str_unhex("", &none, 0));
}

static void
test_str_url_decode(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } rows[] = {
        { "", "" },
        { "abc", "abc" },
        { "a+b", "a b" },
        { "a%2Bb", "a+b" },
        { "%2b250788", "+250788" },
        { "%C3%A9", "\xC3\xA9" },
        { "100%25", "100%" },
        { "%", NULL },
        { "%1", NULL },
        { "a%zz", NULL },
        { "a%2", NULL },
        { "%%41", NULL },
        { "%00", NULL },
        { "a%00b", NULL },
        { "%0", NULL },
        { "%0d%0a", "\r\n" },
        { "%FF%FE", "\xFF\xFE" },
        { "%+1", NULL },
        { "% 1", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *out = NULL;
        bool ok = str_url_decode(*state, rows[i].text, strlen(rows[i].text), &out);
        expect_int(rows[i].text, ok, rows[i].want != NULL);
        if (ok)
            expect_text(rows[i].text, out, rows[i].want);
    }
}

static void
test_str_url_decode_obeys_the_length(void **state)
{
    char *out = NULL;

    assert_true(str_url_decode(*state, "abcdef", 3, &out));
    assert_string_equal(out, "abc");
    assert_false(str_url_decode(*state, "ab%41", 4, &out)); /* the escape ends beyond the length */
    assert_false(str_url_decode(*state, "a\0b", 3, &out));
}

static void
test_str_url_encode(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "", "" },           { "AZaz09-._~", "AZaz09-._~" }, { "a b", "a%20b" },
        { "+250", "%2B250" }, { "a&b=c", "a%26b%3Dc" },       { "\xC3\xA9", "%C3%A9" },
        { "100%", "100%25" }, { "\r\n", "%0D%0A" },           { "[@`{/", "%5B%40%60%7B%2F" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *back = NULL;
        char *coded = str_url_encode(*state, rows[i].text);
        expect_text(rows[i].text, coded, rows[i].want);
        expect_true(rows[i].text, str_url_decode(*state, coded, strlen(coded), &back));
        expect_text(rows[i].text, back, rows[i].text);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_str_comparisons), ARENA_TEST(test_str_empty),
        ARENA_TEST(test_str_parse_int),   ARENA_TEST(test_str_from_int),
        ARENA_TEST(test_str_trim),        ARENA_TEST(test_str_replace),
        ARENA_TEST(test_str_split),       ARENA_TEST(test_str_hex),
        ARENA_TEST(test_str_unhex),       ARENA_TEST(test_str_url_decode),
        ARENA_TEST(test_str_url_encode),  ARENA_TEST(test_str_url_decode_obeys_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
