/*
 * utf8 - strictness as RFC 3629 has it, and what cleaning leaves.
 */
#include "base/utf8.h"
#include "unit/unit.h"

#define R "\xEF\xBF\xBD" /* U+FFFD */

static void
test_utf8_valid(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        bool valid;
    } rows[] = {
        { "empty", "", true },
        { "ASCII", "abc", true },
        { "first of two bytes", "\xC2\x80", true },
        { "last of two bytes", "\xDF\xBF", true },
        { "first of three bytes", "\xE0\xA0\x80", true },
        { "last before the surrogates", "\xED\x9F\xBF", true },
        { "first after the surrogates", "\xEE\x80\x80", true },
        { "last of three bytes", "\xEF\xBF\xBF", true },
        { "first of four bytes", "\xF0\x90\x80\x80", true },
        { "last of all", "\xF4\x8F\xBF\xBF", true },
        { "byte order marks", "\xFF\xFE", false },
        { "overlong slash", "\xC0\xAF", false },
        { "overlong NUL", "\xC0\x80", false },
        { "overlong in two bytes", "\xC1\xBF", false },
        { "overlong in three bytes", "\xE0\x80\xAF", false },
        { "largest overlong in three", "\xE0\x9F\xBF", false },
        { "overlong in four bytes", "\xF0\x80\x80\xAF", false },
        { "largest overlong in four", "\xF0\x8F\xBF\xBF", false },
        { "high surrogate", "\xED\xA0\x80", false },
        { "low surrogate", "\xED\xBF\xBF", false },
        { "pair as CESU-8", "\xED\xA0\xBD\xED\xB8\x80", false },
        { "one above the last", "\xF4\x90\x80\x80", false },
        { "far above", "\xF5\x80\x80\x80", false },
        { "five bytes", "\xF8\x88\x80\x80\x80", false },
        { "six bytes", "\xFC\x84\x80\x80\x80\x80", false },
        { "lone continuation", "\x80", false },
        { "continuations", "a\xBF\xBF", false },
        { "cut after one of two", "\xC3", false },
        { "cut after two of three", "\xE2\x82", false },
        { "cut after three of four", "\xF0\x9F\x98", false },
        { "letter inside a sequence", "\xE2\x41\x82", false },
        { "Latin-1", "caf\xE9 ", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(rows[i].name, utf8_valid(rows[i].bytes, strlen(rows[i].bytes)), rows[i].valid);
    assert_true(utf8_valid("a\0b", 3)); /* NUL is a code point like any other here */
}

static void
test_utf8_next_moves_by_the_broken_part(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        uint32_t code;
        size_t moved;
    } rows[] = {
        { "letter", "A", 'A', 1 },
        { "two bytes", "\xC3\xA9z", 0xE9, 2 },
        { "three bytes", "\xE2\x82\xACz", 0x20AC, 3 },
        { "four bytes", "\xF0\x9F\x98\x80z", 0x1F600, 4 },
        { "last of all", "\xF4\x8F\xBF\xBF", 0x10FFFF, 4 },
        { "a real U+FFFD", R, 0xFFFD, 3 },
        { "lone continuation", "\x80\x80", 0xFFFD, 1 },
        { "FF", "\xFF\xFE", 0xFFFD, 1 },
        { "overlong: the lead alone", "\xC0\xAF", 0xFFFD, 1 },
        { "surrogate: the lead alone", "\xED\xA0\x80", 0xFFFD, 1 },
        { "above: the lead alone", "\xF4\x90\x80\x80", 0xFFFD, 1 },
        { "cut: what there is", "\xE2\x82", 0xFFFD, 2 },
        { "cut of four", "\xF0\x9F\x98", 0xFFFD, 3 },
        { "a letter breaks in",
          "\xF0\x9F"
          "A",
          0xFFFD, 2 },
        { "a lead breaks in", "\xE2\xC3\xA9", 0xFFFD, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *p = rows[i].bytes;
        expect_int(rows[i].name, utf8_next(&p, p + strlen(p)), rows[i].code);
        expect_int(rows[i].name, p - rows[i].bytes, (int64_t)rows[i].moved);
    }
}

static void
test_utf8_put_and_next_agree_on_every_code_point(void **state)
{
    char out[4];

    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code += code == 0xD7FF ? 0x801 : 1) {
        const char *p = out;
        size_t n = utf8_put(code, out);
        assert_int_equal(utf8_next(&p, out + n), code);
        assert_int_equal(p - out, n);
    }
}

static void
test_utf8_put_of_the_unencodable(void **state)
{
    static const uint32_t codes[] = { 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x110000, UINT32_MAX };
    char out[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_int_equal(utf8_put(codes[i], out), 3);
        assert_memory_equal(out, R, 3);
    }
}

static void
test_utf8_count(void **state)
{
    (void)state;
    assert_int_equal(utf8_count(""), 0);
    assert_int_equal(utf8_count("abc"), 3);
    assert_int_equal(utf8_count("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), 3);
}

static void
test_utf8_clean(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t n; /* 0: up to the NUL */
        size_t max;
        const char *want;
    } rows[] = {
        { "empty", "", 0, 10, "" },
        { "plain", "Muraho", 0, 10, "Muraho" },
        { "exactly the limit", "abc", 0, 3, "abc" },
        { "cut", "abcd", 0, 3, "abc" },
        { "limit of none", "abcd", 0, 0, "" },
        { "cut counts letters, not bytes", "\xC3\xA9\xC3\xA9\xC3\xA9", 0, 2, "\xC3\xA9\xC3\xA9" },
        { "what is left out does not count",
          "\x01\x01"
          "abc",
          0, 3, "abc" },
        { "FF FE", "\xFF\xFE", 0, 10, R R },
        { "C0 AF", "a\xC0\xAFz", 0, 10, "a" R R "z" },
        { "ED A0 80", "\xED\xA0\x80", 0, 10, R R R },
        { "F5 80 80 80", "\xF5\x80\x80\x80", 0, 10, R R R R },
        { "cut sequence", "a\xE2\x82", 0, 10, "a" R },
        { "NUL", "a\0b", 3, 10, "ab" },
        { "only NULs", "\0\0", 2, 10, "" },
        { "line feed and tab stay", "a\n\tb", 0, 10, "a\n\tb" },
        { "CR LF", "a\r\nb", 0, 10, "a\nb" },
        { "CR alone", "a\rb", 0, 10, "a\nb" },
        { "CR CR LF", "a\r\r\nb", 0, 10, "a\n\nb" },
        { "CR at the end", "a\r", 0, 10, "a\n" },
        { "escape sequence", "\x1B[2Jx", 0, 10, "[2Jx" },
        { "bell, backspace, DEL", "\a\b\x7Fx", 0, 10, "x" },
        { "C1: first and last", "\xC2\x80x\xC2\x9F", 0, 10, "x" },
        { "after C1: no-break space", "\xC2\xA0", 0, 10, "\xC2\xA0" },
        { "before bidi: U+2029", "\xE2\x80\xA9", 0, 10, "\xE2\x80\xA9" },
        { "bidi U+202A", "\xE2\x80\xAAx", 0, 10, "x" },
        { "bidi U+202E", "a\xE2\x80\xAEx", 0, 10, "ax" },
        { "after: U+202F", "\xE2\x80\xAF", 0, 10, "\xE2\x80\xAF" },
        { "before: U+2065", "\xE2\x81\xA5", 0, 10, "\xE2\x81\xA5" },
        { "bidi U+2066", "\xE2\x81\xA6x", 0, 10, "x" },
        { "bidi U+2069", "\xE2\x81\xA9x", 0, 10, "x" },
        { "zero width joiner stays",
          "a\xE2\x80\x8D"
          "b",
          0, 10,
          "a\xE2\x80\x8D"
          "b" },
        { "emoji", "\xF0\x9F\x98\x80", 0, 10, "\xF0\x9F\x98\x80" },
        { "quotes and braces", "\"}\\", 0, 10, "\"}\\" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t n = rows[i].n != 0 ? rows[i].n : strlen(rows[i].bytes);
        char *clean = utf8_clean(*state, rows[i].bytes, n, rows[i].max);
        expect_text(rows[i].name, clean, rows[i].want);
        expect_true(rows[i].name, utf8_valid(clean, strlen(clean)));
        expect_text(rows[i].name, utf8_clean(*state, clean, strlen(clean), rows[i].max), clean);
    }
}

static void
test_utf8_clean_of_something_huge(void **state)
{
    char *bytes = arena_alloc(*state, 3000000);

    memset(bytes, 0xFF, 3000000);
    char *clean = utf8_clean(*state, bytes, 3000000, 65536);
    assert_int_equal(strlen(clean), 3 * 65536);
}

static void
test_utf8_prefix(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        size_t want;
    } rows[] = {
        { "", 5, 0 },
        { "abc", 0, 0 },
        { "abc", 2, 2 },
        { "abc", 3, 3 },
        { "abc", 4, 3 },
        { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 1, 2 },
        { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 2, 5 },
        { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 3, 9 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(rows[i].text, (int64_t)utf8_prefix(rows[i].text, rows[i].max),
                   (int64_t)rows[i].want);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_utf8_valid),
        ARENA_TEST(test_utf8_next_moves_by_the_broken_part),
        ARENA_TEST(test_utf8_put_and_next_agree_on_every_code_point),
        ARENA_TEST(test_utf8_put_of_the_unencodable),
        ARENA_TEST(test_utf8_count),
        ARENA_TEST(test_utf8_clean),
        ARENA_TEST(test_utf8_clean_of_something_huge),
        ARENA_TEST(test_utf8_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
