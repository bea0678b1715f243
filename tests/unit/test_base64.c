/*
 * base64 - RFC 4648's vectors, both alphabets, and what is refused.
 */
#include "base/base64.h"
#include "unit/unit.h"

static void
test_base64_vectors(void **state)
{
    static const struct {
        const char *bytes;
        const char *standard;
        const char *url;
    } rows[] = {
        { "", "", "" },
        { "f", "Zg==", "Zg" },
        { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xFB\xFF\xFE", "+//+", "-__-" },
        { "\xFF\xFF", "//8=", "__8" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t len = strlen(rows[i].bytes);
        unsigned char *back = NULL;
        size_t n = 99;
        expect_text(rows[i].standard, base64_encode(*state, rows[i].bytes, len), rows[i].standard);
        expect_text(rows[i].url, base64_encode_url(*state, rows[i].bytes, len), rows[i].url);
        expect_true(rows[i].standard, base64_decode(*state, rows[i].standard, &back, &n));
        expect_int(rows[i].standard, (int64_t)n, (int64_t)len);
        expect_text(rows[i].standard, (const char *)back, rows[i].bytes);
        expect_true(rows[i].url, base64_decode(*state, rows[i].url, &back, &n));
        expect_int(rows[i].url, (int64_t)n, (int64_t)len);
        expect_text(rows[i].url, (const char *)back, rows[i].bytes);
    }
}

static void
test_base64_every_length_and_byte(void **state)
{
    unsigned char bytes[256];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 167 + 13);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        unsigned char *back = NULL;
        size_t n = 999;
        assert_true(base64_decode(*state, base64_encode(*state, bytes, len), &back, &n));
        assert_int_equal(n, len);
        assert_memory_equal(back, bytes, len);
        assert_true(base64_decode(*state, base64_encode_url(*state, bytes, len), &back, &n));
        assert_int_equal(n, len);
        assert_memory_equal(back, bytes, len);
        assert_int_equal(back[n], 0);
    }
}

static void
test_base64_decode_refuses(void **state)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        { "one letter", "Z" },
        { "one letter of zeros", "A" },
        { "five letters of zeros", "AAAAA" },
        { "five letters", "Zm9vY" },
        { "one pad of two", "Zg=" },
        { "two pads of one", "Zm8==" },
        { "pads of none", "Zm9v=" },
        { "four pads", "Zm9v====" },
        { "only pads", "==" },
        { "only four pads", "====" },
        { "pad inside", "Zg==Zg==" },
        { "pad before the end", "Zg=a" },
        { "blank", "Zm9 " },
        { "line feed", "Zm9v\n" },
        { "line feed inside", "Zm\n9v" },
        { "dot", "Zm9." },
        { "comma", "Zm9," },
        { "high byte", "Zm9\xC3" },
        { "NUL escape", "Zm9%" },
        { "loose bits in two letters", "Zh==" },
        { "loose bits in three letters", "Zm9=" },
        { "loose bits without padding", "Zh" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned char *out = NULL;
        size_t n = 7;
        expect_true(rows[i].name, !base64_decode(*state, rows[i].text, &out, &n));
        expect_true(rows[i].name, out == NULL && n == 7);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_base64_vectors),
        ARENA_TEST(test_base64_every_length_and_byte),
        ARENA_TEST(test_base64_decode_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
