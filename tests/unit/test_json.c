/*
 * json - the readers' answers to right and wrong types, and building.
 */
#include "core/json.h"
#include "unit/unit.h"

static struct json_object *
parsed(struct arena *a, const char *text)
{
    struct json_object *o = NULL;
    struct err e = { 0 };

    if (!json_parse(a, text, strlen(text), &o, &e))
        fail_msg("%s: %s", text, e.text);
    return o;
}

#define FIELDS                                                                                     \
    "{\"text\":\"hi\",\"empty\":\"\",\"blank\":\" \",\"null\":null,\"int\":42,\"neg\":-7,"         \
    "\"float\":1.50,\"whole\":5.0,\"exp\":1e3,\"huge\":1e400,\"max\":9223372036854775807,"         \
    "\"over\":9223372036854775808,\"digits\":\"0123\",\"negdigits\":\"-5\",\"words\":\"12a\","     \
    "\"true\":true,\"false\":false,\"object\":{\"k\":\"v\"},\"array\":[\"x\",2],"                  \
    "\"dirty\":\"a\\r\\nb\\u0007\\u202ec\",\"bell\":\"\\u0007\"}"

static void
test_json_at(void **state)
{
    static const struct {
        const char *path;
        const char *want; /* NULL: nothing there */
    } rows[] = {
        { "a", "{\"b\":[{\"c\":1},[2,3]],\"n\":null}" },
        { "a.b", "[{\"c\":1},[2,3]]" },
        { "a.b.0", "{\"c\":1}" },
        { "a.b.0.c", "1" },
        { "a.b.1.1", "3" },
        { "7", "\"seven\"" },
        { "a.n", NULL },
        { "a.n.x", NULL },
        { "x", NULL },
        { "a.x.y", NULL },
        { "a.b.2", NULL },
        { "a.b.-1", NULL },
        { "a.b.c", NULL },
        { "a.b.0x0", NULL },
        { "a.b.99999999999999999999", NULL },
        { "a.b.0.c.d", NULL },
        { "", "\"empty\"" },
        { "a.", NULL },
        { ".", NULL },
        { "a..b", NULL },
    };
    struct json_object *o = parsed(
        *state, "{\"a\":{\"b\":[{\"c\":1},[2,3]],\"n\":null},\"7\":\"seven\",\"\":\"empty\"}");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *found = json_at(o, rows[i].path);
        expect_int(rows[i].path, found != NULL, rows[i].want != NULL);
        expect_int(rows[i].path, json_has(o, rows[i].path), rows[i].want != NULL);
        expect_text(rows[i].path, json_print(*state, found),
                    rows[i].want != NULL ? rows[i].want : "null");
    }
    assert_null(json_at(NULL, "a"));
    char long_key[300] = { 0 };
    memset(long_key, 'k', sizeof(long_key) - 1);
    assert_null(json_at(o, long_key));
}

static void
test_json_types(void **state)
{
    static const struct {
        const char *text;
        bool object, array, string;
        size_t count;
    } rows[] = {
        { "{\"a\":1}", true, false, false, 0 }, { "[1,2]", false, true, false, 2 },
        { "[]", false, true, false, 0 },        { "\"x\"", false, false, true, 0 },
        { "1", false, false, false, 0 },        { "1.5", false, false, false, 0 },
        { "true", false, false, false, 0 },     { "null", false, false, false, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *o = parsed(*state, rows[i].text);
        expect_int(rows[i].text, json_is_object(o), rows[i].object);
        expect_int(rows[i].text, json_is_array(o), rows[i].array);
        expect_int(rows[i].text, json_is_string(o), rows[i].string);
        expect_int(rows[i].text, (int64_t)json_count(o), (int64_t)rows[i].count);
        expect_true(rows[i].text, json_item(o, rows[i].count) == NULL);
        expect_int(rows[i].text, json_item(o, 0) != NULL, rows[i].count > 0);
    }
}

static void
test_json_need_str(void **state)
{
    static const struct {
        const char *key;
        const char *want; /* NULL: refused */
        const char *fault;
    } rows[] = {
        { "text", "hi", "" },
        { "blank", " ", "" },
        { "object.k", "v", "" },
        { "array.0", "x", "" },
        { "dirty", "a\nbc", "" },
        { "empty", NULL, "empty: missing" },
        { "bell", NULL, "bell: missing" },
        { "null", NULL, "null: missing" },
        { "absent", NULL, "absent: missing" },
        { "object.x", NULL, "object.x: missing" },
        { "int", NULL, "int: must be text" },
        { "float", NULL, "float: must be text" },
        { "true", NULL, "true: must be text" },
        { "object", NULL, "object: must be text" },
        { "array", NULL, "array: must be text" },
        { "array.1", NULL, "array.1: must be text" },
    };
    struct json_object *o = parsed(*state, FIELDS);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e = { 0 };
        const char *out = "untouched";
        expect_int(rows[i].key, json_need_str(*state, o, rows[i].key, &out, &e),
                   rows[i].want != NULL);
        expect_text(rows[i].key, out, rows[i].want != NULL ? rows[i].want : "untouched");
        expect_text(rows[i].key, e.text, rows[i].fault);
        expect_int(rows[i].key, e.kind, rows[i].want != NULL ? ERR_NONE : ERR_INVALID);
    }
}

static void
test_json_opt_readers(void **state)
{
    static const struct {
        const char *key;
        const char *text;
        const char *scalar;
        int64_t n;
        bool b; /* with the fallback true */
    } rows[] = {
        { "text", "hi", "hi", -99, true },
        { "empty", "", "", -99, true },
        { "null", "-", "-", -99, true },
        { "absent", "-", "-", -99, true },
        { "int", "-", "42", 42, true },
        { "neg", "-", "-7", -7, true },
        { "float", "-", "1.50", -99, true },
        { "whole", "-", "5.0", 5, true },
        { "exp", "-", "1e3", 1000, true },
        { "huge", "-", "1e400", -99, true },
        { "max", "9223372036854775807", "9223372036854775807", INT64_MAX, true },
        { "over", "9223372036854775808", "9223372036854775808", -99, true },
        { "digits", "0123", "0123", 123, true },
        { "negdigits", "-5", "-5", -5, true },
        { "words", "12a", "12a", -99, true },
        { "true", "-", "-", -99, true },
        { "false", "-", "-", -99, false },
        { "object", "-", "-", -99, true },
        { "array", "-", "-", -99, true },
        { "dirty", "a\nbc", "a\nbc", -99, true },
        { "object.k", "v", "v", -99, true },
        { "array.1", "-", "2", 2, true },
    };
    struct json_object *o = parsed(*state, FIELDS);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *key = rows[i].key;
        expect_text(key, json_opt_str(*state, o, key, "-"), rows[i].text);
        expect_text(key, json_opt_scalar(*state, o, key, "-"), rows[i].scalar);
        expect_int(key, json_opt_int(o, key, -99), rows[i].n);
        expect_int(key, json_opt_bool(o, key, true), rows[i].b);
    }
    assert_true(json_opt_bool(o, "true", false));
    assert_false(json_opt_bool(o, "text", false));
    assert_string_equal(json_opt_str(*state, NULL, "a", "-"), "-");
    assert_int_equal(json_opt_int(NULL, "a", 3), 3);
}

static void
test_json_text(void **state)
{
    struct json_object *o = parsed(*state, "[\"a\\u0001b\",1,null]");

    assert_string_equal(json_text(*state, json_item(o, 0)), "ab");
    assert_string_equal(json_text(*state, json_item(o, 1)), "");
    assert_string_equal(json_text(*state, json_item(o, 2)), "");
    assert_string_equal(json_text(*state, NULL), "");
}

static void
test_json_building(void **state)
{
    struct arena *a = *state;
    struct json_object *o = json_new_object(a);

    json_set_str(o, "s", "a\"b\\c\n\x1B</\xC3\xA9");
    json_set_str(o, "null", NULL);
    json_set_int(o, "i", INT64_MIN);
    json_set_bool(o, "b", true);
    json_set_number(o, "n", "15.000");
    json_set(o, "nothing", NULL);
    json_set_int(json_add_object(o, "o"), "x", 1);
    struct json_object *array = json_add_array(o, "a");
    json_push_str(array, "one");
    json_push_str(array, NULL);
    json_set_bool(json_push_object(array), "f", false);
    json_push(array, NULL);
    json_set_int(o, "i", 7); /* again: replaced, in its place */
    assert_string_equal(json_print(a, o),
                        "{\"s\":\"a\\\"b\\\\c\\n\\u001b</\xC3\xA9\",\"null\":null,\"i\":7,"
                        "\"b\":true,\"n\":15.000,\"nothing\":null,\"o\":{\"x\":1},"
                        "\"a\":[\"one\",null,{\"f\":false},null]}");
    assert_string_equal(json_print(a, NULL), "null");
    assert_string_equal(json_print(a, json_new_array(a)), "[]");
}

/* The leak checker and the address checker look at this one. */
static void
test_json_trees_in_trees(void **state)
{
    struct arena *a = *state;
    struct arena *other = arena_new();
    struct json_object *root = json_new_object(a);
    struct json_object *child = json_new_object(other);
    struct json_object *list = json_new_array(a);
    struct json_object *borrowed = parsed(other, "{\"deep\":{\"x\":[1]}}");

    json_set_int(child, "n", 1);
    json_set(root, "first", child);
    json_set(root, "second", child);
    json_set(root, "list", list);
    json_push(list, child);
    json_push(list, json_at(borrowed, "deep"));
    json_set_int(child, "n", 2);
    arena_free(&other); /* the tree keeps what was set into it */
    assert_string_equal(json_print(a, root), "{\"first\":{\"n\":2},\"second\":{\"n\":2},"
                                             "\"list\":[{\"n\":2},{\"x\":[1]}]}");
    json_set(root, "first", NULL);
    assert_string_equal(json_print(a, json_at(root, "second")), "{\"n\":2}");
}

static void
test_json_round_trip_of_clean_text(void **state)
{
    static const char *const rows[] = {
        "'; DROP TABLE profiles; --",
        "%s%n%x",
        "</script>",
        "a\nb\tc",
        "\"}{\"",
        "\\u0041",
        "${x}",
        "\xF0\x9F\x98\x80\xCC\x81",
        "\xE2\x80\xA8",
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_object *o = json_new_object(*state);
        json_set_str(o, "t", rows[i]);
        struct json_object *back = parsed(*state, json_print(*state, o));
        expect_text(rows[i], json_opt_str(*state, back, "t", "-"), rows[i]);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_json_at),
        ARENA_TEST(test_json_types),
        ARENA_TEST(test_json_need_str),
        ARENA_TEST(test_json_opt_readers),
        ARENA_TEST(test_json_text),
        ARENA_TEST(test_json_building),
        ARENA_TEST(test_json_trees_in_trees),
        ARENA_TEST(test_json_round_trip_of_clean_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
