/*
 * buf - growth, the ceiling, and what stands in the buffer afterwards.
 */
#include "base/buf.h"
#include "unit/unit.h"

static void
test_buf_begins_empty(void **state)
{
    struct buf b = buf_init(*state, 100);

    assert_string_equal(b.data, "");
    assert_int_equal(b.len, 0);
    assert_false(buf_overflowed(&b));
}

static void
test_buf_adds_all_kinds(void **state)
{
    struct buf b = buf_init(*state, 100);

    buf_adds(&b, "one ");
    buf_add(&b, "two!!!", 3);
    buf_addc(&b, ' ');
    buf_printf(&b, "%d %s", 3, "four");
    assert_string_equal(b.data, "one two 3 four");
    assert_int_equal(b.len, 14);
}

static void
test_buf_holds_nul_bytes(void **state)
{
    struct buf b = buf_init(*state, 100);

    buf_add(&b, "a\0b", 3);
    buf_addc(&b, '\0');
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.data, "a\0b\0", 5);
}

static void
test_buf_grows_keeping_its_bytes(void **state)
{
    struct buf b = buf_init(*state, 1000000);

    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "%06d|", i);
    assert_int_equal(b.len, 700000);
    assert_false(buf_overflowed(&b));
    assert_memory_equal(b.data, "000000|000001|", 14);
    assert_string_equal(b.data + 700000 - 7, "099999|");
}

static void
test_buf_ceiling(void **state)
{
    static const struct {
        const char *name;
        size_t max;
        const char *first;
        const char *second;
        const char *want;
        bool overflowed;
    } rows[] = {
        { "exactly full", 4, "ab", "cd", "abcd", false },
        { "one over", 4, "ab", "cde", "ab", true },
        { "first too long", 4, "abcde", "x", "", true },
        { "nothing more once over", 4, "ab", "cdef", "ab", true },
        { "no room at all", 0, "", "", "", false },
        { "no room, one byte", 0, "a", "", "", true },
        { "empty pieces", 1, "", "", "", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b = buf_init(*state, rows[i].max);
        struct buf printed = buf_init(*state, rows[i].max);
        buf_adds(&b, rows[i].first);
        buf_adds(&b, rows[i].second);
        buf_printf(&printed, "%s", rows[i].first);
        buf_printf(&printed, "%s", rows[i].second);
        expect_text(rows[i].name, b.data, rows[i].want);
        expect_int(rows[i].name, buf_overflowed(&b), rows[i].overflowed);
        expect_text(rows[i].name, printed.data, rows[i].want);
        expect_int(rows[i].name, buf_overflowed(&printed), rows[i].overflowed);
    }
}

static void
test_buf_stays_overflowed(void **state)
{
    struct buf b = buf_init(*state, 4);

    buf_adds(&b, "abc");
    buf_adds(&b, "def");
    buf_addc(&b, 'x'); /* would fit, but there is a hole before it */
    assert_string_equal(b.data, "abc");
    buf_cut(&b, 0);
    buf_addc(&b, 'x');
    assert_string_equal(b.data, "");
    assert_true(buf_overflowed(&b));
}

static void
test_buf_cut(void **state)
{
    static const struct {
        const char *name;
        size_t n;
        const char *want;
    } rows[] = {
        { "to nothing", 0, "" },          { "to three", 3, "abc" },
        { "to its length", 6, "abcdef" }, { "beyond", 100, "abcdef" },
        { "just beyond", 7, "abcdef" },   { "one less", 5, "abcde" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b = buf_init(*state, 100);
        buf_adds(&b, "abcdef");
        buf_cut(&b, rows[i].n);
        expect_text(rows[i].name, b.data, rows[i].want);
        expect_int(rows[i].name, (int64_t)b.len, (int64_t)strlen(rows[i].want));
        buf_adds(&b, "+");
        expect_int(rows[i].name, b.data[b.len - 1], '+');
    }
}

static void
test_buf_without_ceiling(void **state)
{
    struct buf b = buf_init(*state, SIZE_MAX);

    for (int i = 0; i < 1000; i++)
        buf_adds(&b, "0123456789");
    assert_int_equal(b.len, 10000);
    assert_false(buf_overflowed(&b));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_buf_begins_empty),
        ARENA_TEST(test_buf_adds_all_kinds),
        ARENA_TEST(test_buf_holds_nul_bytes),
        ARENA_TEST(test_buf_grows_keeping_its_bytes),
        ARENA_TEST(test_buf_ceiling),
        ARENA_TEST(test_buf_stays_overflowed),
        ARENA_TEST(test_buf_cut),
        ARENA_TEST(test_buf_without_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
