/*
 * json - what is JSON, what is not, and what is mended.
 */
#include "core/json.h"
#include "unit/unit.h"

#define R "\xEF\xBF\xBD" /* U+FFFD */

/* The text parsed and printed again, or "refused". */
static const char *
again(struct arena *a, const char *bytes, size_t n)
{
    struct json_object *o = NULL;
    struct err e = { 0 };

    if (json_parse(a, bytes, n, &o, &e))
        return json_print(a, o);
    assert_int_equal(e.kind, ERR_INVALID);
    assert_memory_equal(e.text, "not JSON: ", 10);
    return "refused";
}

static void
test_json_parse_accepts(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "{}", "{}" },
        { "[]", "[]" },
        { " \t\r\n{ \"a\" : [ 1 , 2 ] } \n", "{\"a\":[1,2]}" },
        { "null", "null" },
        { "true", "true" },
        { "false", "false" },
        { "0", "0" },
        { "-0", "0" },
        { "42", "42" },
        { "-42 ", "-42" },
        { "1.50", "1.50" },
        { "1e5", "1e5" },
        { "1E+5", "1E+5" },
        { "1e400", "1e400" },
        { "-0.0", "-0.0" },
        { "\"\"", "\"\"" },
        { "\"a/b\"", "\"a/b\"" },
        { "\"a\\/b\"", "\"a/b\"" },
        { "\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
        { "\"\\u0022\\u005C\\u005c\"", "\"\\\"\\\\\\\\\"" },
        { "\"\\u001b\\u000a\"", "\"\\u001b\\n\"" },
        { "\"Caf\\u00e9 \\u20AC \\ud83d\\uDE00\"",
          "\"Caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"" },
        { "\"Caf\xC3\xA9 \xF0\x9F\x98\x80\"", "\"Caf\xC3\xA9 \xF0\x9F\x98\x80\"" },
        { "{\"\":1}", "{\"\":1}" },
        { "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
          "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}" },
        { "[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]" },
        { "[null,true,\"x\",1.5,{},[]]", "[null,true,\"x\",1.5,{},[]]" },
        { "{\"a\":null}", "{\"a\":null}" },
        { "123456789012345678", "123456789012345678" },
        { "-123456789012345678", "-123456789012345678" },
        { "1234567890123456789", "\"1234567890123456789\"" },
        { "[-99999999999999999999]", "[\"-99999999999999999999\"]" },
        { "{\"id\":18446744073709551616}", "{\"id\":\"18446744073709551616\"}" },
        { "12345678901234567890.5", "12345678901234567890.5" },
        { "\"\x7F\"", "\"\x7F\"" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].text, again(*state, rows[i].text, strlen(rows[i].text)), rows[i].want);
}

static const char *const refused_texts[] = {
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "{]",
    "[}",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1,,2]",
    "[1}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{\"a\" 1}",
    "{\"a\":}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1]",
    "{a:1}",
    "{1:1}",
    "{null:1}",
    "{'m':1}",
    "{\"m\":'x'}",
    "'x'",
    "{'m':NaN}",
    "{\"m\":NaN}",
    "NaN",
    "nan",
    "Infinity",
    "-Infinity",
    "[-Infinity]",
    "inf",
    "True",
    "TRUE",
    "nul",
    "nulll",
    "truefalse",
    "undefined",
    "// comment\n{}",
    "{}// comment",
    "/* comment */ {}",
    "{/* comment */}",
    "[1,/* comment */2]",
    "# comment\n1",
    "{}{}",
    "{} x",
    "{}]",
    "1 2",
    "\"a\" \"b\"",
    "null null",
    "01",
    "-01",
    "00",
    "-",
    "--1",
    "+1",
    ".5",
    "1.",
    "1.e5",
    "1e",
    "1e+",
    "1e5.5",
    "0x10",
    "1_000",
    "1a",
    "\"",
    "\"abc",
    "\"abc\\\"",
    "\"\\",
    "\"\\x41\"",
    "\"\\'\"",
    "\"\\u\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud83d\\u\"",
    "\"\\ud83d\\uzzzz\"",
    "\"\\U0041\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "\"a\x1F\"",
    "\xEF\xBB\xBF{}",
    "\xFF\xFE{\0}\0",
    "\xC2\xA0{}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"a\":1}",
    "{\"from\":\"+250788000001\",\"x\":{},\"from\":\"+250788000002\"}",
    "{\"a\":1,\"\\u0061\":2}",
    "{\"a\":1,\"a\\u0000\":2}",
    "{\"\\ud800\":1,\"\\ud801\":2}",
    "{\"\":1,\"\":2}",
    "{\"a\":{\"b\":1,\"b\":2}}",
    "[{\"b\":1},{\"b\":1,\"b\":2}]",
    "{\"a\":{\"x\":1,\"y\":2},\"a\":{\"x\":1,\"y\":2}}",
    "{\"a\":null,\"a\":null}",
    "[[[{\"k\":[{\"z\":0,\"z\":0}]}]]]",
};

static void
test_json_parse_refuses(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refused_texts); i++)
        expect_text(refused_texts[i], again(*state, refused_texts[i], strlen(refused_texts[i])),
                    "refused");
}

static void
test_json_parse_names_the_fault(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "", "not JSON: a value is expected (byte 1)" },
        { "{\"a\":1,\"a\":2}", "not JSON: a key stands twice in one object" },
        { "{} {}", "not JSON: more text behind the value (byte 4)" },
        { "{a", "not JSON: a string in double quotes is expected (byte 2)" },
        { "{\"a\" 1}", "not JSON: a colon is expected (byte 6)" },
        { "[1 2]", "not JSON: a comma or the closing bracket is expected (byte 4)" },
        { "[\"\n\"]", "not JSON: a control character in a string (byte 3)" },
        { "\"a", "not JSON: a string does not end (byte 3)" },
        { "\"\\q\"", "not JSON: unknown escape in a string (byte 3)" },
        { "\"\\u1\"", "not JSON: a \\u escape needs four hex digits (byte 5)" },
        { "1.x", "not JSON: a digit is expected (byte 3)" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *o = NULL;
        struct err e = { 0 };
        expect_true(rows[i].text, !json_parse(*state, rows[i].text, strlen(rows[i].text), &o, &e));
        expect_text(rows[i].text, e.text, rows[i].want);
        expect_int(rows[i].text, e.kind, ERR_INVALID);
        expect_true(rows[i].text, o == NULL);
    }
}

static void
test_json_parse_mends_strings(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        const char *want;
    } rows[] = {
        { "FF FE", "\"\xFF\xFE\"", "\"" R R "\"" },
        { "C0 AF", "\"\xC0\xAF\"", "\"" R R "\"" },
        { "ED A0 80", "\"\xED\xA0\x80\"", "\"" R R R "\"" },
        { "F5 80 80 80", "\"\xF5\x80\x80\x80\"", "\"" R R R R "\"" },
        { "cut before the quote", "\"a\xE2\x82\"", "\"a" R "\"" },
        { "overlong quote is no quote", "\"a\xC0\xA2\"", "\"a" R R "\"" },
        { "in a key", "{\"\xFF\":1}", "{\"" R "\":1}" },
        { "sound letters beside", "\"\xC3\xA9\xFF\"", "\"\xC3\xA9" R "\"" },
        { "NUL escape", "\"ab\\u0000cd\"", "\"abcd\"" },
        { "many NUL escapes", "[\"\\u0000a\\u0000\\u0000bc\\u0000\",\"\\u0000\"]",
          "[\"abc\",\"\"]" },
        { "only a NUL escape", "\"\\u0000\"", "\"\"" },
        { "NUL escape in a key", "{\"a\\u0000b\":1}", "{\"ab\":1}" },
        { "lone high surrogate", "\"\\ud800x\"", "\"" R "x\"" },
        { "lone low surrogate", "\"\\udc00\"", "\"" R "\"" },
        { "high at the end", "\"\\uDBFF\"", "\"" R "\"" },
        { "high before an escape", "\"\\ud83d\\n\"", "\"" R "\\n\"" },
        { "high before a letter's escape", "\"\\ud83d\\u0041\"", "\"" R "A\"" },
        { "high before a pair", "\"\\ud83d\\ud83d\\ude00\"", "\"" R "\xF0\x9F\x98\x80\"" },
        { "pair the wrong way round", "\"\\ude00\\ud83d\"", "\"" R R "\"" },
        { "first and last pair", "\"\\ud800\\udc00\\udbff\\udfff\"",
          "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].name, again(*state, rows[i].bytes, strlen(rows[i].bytes)),
                    rows[i].want);
}

static void
test_json_parse_obeys_the_length(void **state)
{
    assert_string_equal(again(*state, "[1]garbage", 3), "[1]");
    assert_string_equal(again(*state, "12345", 2), "12");
    assert_string_equal(again(*state, "\"ab\"", 3), "refused");
    assert_string_equal(again(*state, "{}\0", 3), "refused");
    assert_string_equal(again(*state, "\"a\0b\"", 5), "refused");
    assert_string_equal(again(*state, "\0", 1), "refused");
    assert_string_equal(again(*state, "tru\0", 4), "refused");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_json_parse_accepts),          ARENA_TEST(test_json_parse_refuses),
        ARENA_TEST(test_json_parse_names_the_fault),  ARENA_TEST(test_json_parse_mends_strings),
        ARENA_TEST(test_json_parse_obeys_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
