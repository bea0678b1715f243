/*
 * json - depth, number of values, width and length: bombs, and large bodies that are none.
 */
#include "base/buf.h"
#include "core/json.h"
#include "unit/unit.h"

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

/* "[item,item,...]", n times. */
static struct buf
repeated(struct arena *a, const char *item, size_t n)
{
    struct buf b = buf_init(a, SIZE_MAX);

    buf_addc(&b, '[');
    for (size_t i = 0; i < n; i++) {
        buf_adds(&b, i > 0 ? "," : "");
        buf_adds(&b, item);
    }
    buf_addc(&b, ']');
    return b;
}

static void
test_json_parse_depth(void **state)
{
    static const struct {
        const char *name;
        size_t open;
        char bracket;
        bool ok;
    } rows[] = {
        { "16 arrays", 16, '[', true },           { "17 arrays", 17, '[', false },
        { "16 objects", 16, '{', true },          { "17 objects", 17, '{', false },
        { "100,000 arrays", 100000, '[', false }, { "100,000 objects", 100000, '{', false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b = buf_init(*state, SIZE_MAX);
        for (size_t k = 0; k < rows[i].open; k++)
            buf_adds(&b, rows[i].bracket == '[' ? "[" : "{\"k\":");
        buf_adds(&b, "1");
        for (size_t k = 0; k < rows[i].open; k++)
            buf_adds(&b, rows[i].bracket == '[' ? "]" : "}");
        expect_int(rows[i].name, strcmp(again(*state, b.data, b.len), "refused") != 0, rows[i].ok);
    }
    /* Sixteen levels beside each other are not more levels. */
    assert_string_equal(again(*state, "[[[]],[[]],{\"a\":{}},[]]", 23),
                        "[[[]],[[]],{\"a\":{}},[]]");
}

static void
test_json_parse_unclosed_bomb(void **state)
{
    char *bomb = arena_alloc(*state, 100000);

    memset(bomb, '[', 100000);
    assert_string_equal(again(*state, bomb, 100000), "refused");
}

static void
test_json_parse_number_of_values(void **state)
{
    static const struct {
        const char *name;
        const char *item;
        size_t n;
        bool ok;
    } rows[] = {
        { "as many numbers as allowed", "1", JSON_MAX_VALUES - 4, true },
        { "one more", "1", JSON_MAX_VALUES - 3, false },
        { "as many objects as allowed", "{}", JSON_MAX_VALUES / 4 - 1, true },
        { "one more object", "{}", JSON_MAX_VALUES / 4, false },
        { "3 MiB of objects", "{\"a\":1}", 393216, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b = repeated(*state, rows[i].item, rows[i].n);
        struct json_object *o = NULL;
        struct err e = { 0 };
        expect_int(rows[i].name, json_parse(*state, b.data, b.len, &o, &e), rows[i].ok);
        expect_int(rows[i].name, (int64_t)json_count(o), rows[i].ok ? (int64_t)rows[i].n : 0);
        arena_reset(*state);
    }
}

static void
test_json_parse_wide_object(void **state)
{
    struct buf b = buf_init(*state, SIZE_MAX);
    struct json_object *o = NULL;
    struct err e = { 0 };

    buf_addc(&b, '{');
    for (int i = 0; i < JSON_MAX_MEMBERS - 1; i++)
        buf_printf(&b, "%s\"key%d\":%d", i > 0 ? "," : "", i, i);
    size_t len = b.len;
    buf_adds(&b, ",\"last\":{\"key0\":0}}");
    assert_true(json_parse(*state, b.data, b.len, &o, &e));
    assert_int_equal(json_opt_int(o, "key9998", -1), 9998);
    assert_int_equal(json_opt_int(o, "last.key0", -1), 0);

    buf_cut(&b, len);
    buf_adds(&b, ",\"key7\":7}");
    assert_false(json_parse(*state, b.data, b.len, &o, &e));
    assert_string_equal(e.text, "not JSON: a key stands twice in one object");

    buf_cut(&b, len);
    buf_adds(&b, ",\"last\":0,\"one more\":0}");
    assert_false(json_parse(*state, b.data, b.len, &o, &e));
    assert_memory_equal(e.text, "not JSON: too many keys in one object", 37);
}

/* {"m":"..."} of 3 MiB, filled with one byte. */
static struct buf
long_message(struct arena *a, int filling)
{
    size_t n = 3 * 1024 * 1024;
    char *text = memset(arena_alloc(a, n), filling, n);
    struct buf b = buf_init(a, SIZE_MAX);

    buf_adds(&b, "{\"m\":\"");
    buf_add(&b, text, n);
    buf_adds(&b, "\"}");
    return b;
}

static void
test_json_parse_long_string(void **state)
{
    struct buf b = long_message(*state, 'x');
    const char *out = NULL;
    struct json_object *o = NULL;
    struct err e = { 0 };

    assert_true(json_parse(*state, b.data, b.len, &o, &e));
    assert_true(json_need_str(*state, o, "m", &out, &e));
    assert_int_equal(strlen(out), JSON_MAX_TEXT);

    b = long_message(*state, 0xFF); /* every byte becomes three */
    assert_true(json_parse(*state, b.data, b.len, &o, &e));
    assert_int_equal(strlen(json_opt_str(*state, o, "m", "")), 3 * JSON_MAX_TEXT);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_json_parse_depth),
        ARENA_TEST(test_json_parse_unclosed_bomb),
        ARENA_TEST(test_json_parse_number_of_values),
        ARENA_TEST(test_json_parse_wide_object),
        ARENA_TEST(test_json_parse_long_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
