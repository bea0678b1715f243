/*
 * points - one line out of whatever stands in a list.
 */
#include "core/points.h"
#include "unit/unit.h"

static void
test_points_line(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "Two rooms", "Two rooms" },
        { "  Two\n\trooms \r\n", "Two rooms" },
        { "Two     rooms", "Two rooms" },
        { "Two\xC2\xA0\xE2\x80\xA8rooms", "Two rooms" },
        { "- Two rooms", "Two rooms" },
        { "* Two rooms", "Two rooms" },
        { "\xE2\x80\xA2 Two rooms", "Two rooms" },
        { "\xE2\x80\xA2Two rooms", "Two rooms" },
        { "1. Two rooms", "Two rooms" },
        { "12) Two rooms", "Two rooms" },
        { "250 rooms", "250 rooms" },
        { "2.5 rooms", "2.5 rooms" },
        { "*bold* rooms", "*bold* rooms" },
        { "-5 degrees", "-5 degrees" },
        { "", "" },
        { " \n\t", "" },
        { "- ", "" },
        { "-", "" },
        { "\xE2\x80\x8B\xE2\x80\x8D", "" },
        { "\xC2\xA0", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].text, points_line(*state, rows[i].text), rows[i].want);
}

static void
test_points_of_json(void **state)
{
    static const struct {
        const char *json;
        size_t n;
        const char *last;
    } rows[] = {
        { "[\"a\",\"b\"]", 2, "b" },
        { "[{\"text\":\"a\"},7,null,\" \",[\"x\"],\"- b\"]", 2, "b" },
        { "[]", 0, "" },
        { "", 0, "" },
        { "{\"a\":1}", 0, "" },
        { "no JSON", 0, "" },
        { "\"a\"", 0, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct points p = points_of_json(*state, rows[i].json);

        expect_int(rows[i].json, (int64_t)p.n, (int64_t)rows[i].n);
        if (p.n > 0)
            expect_text(rows[i].json, p.lines[p.n - 1], rows[i].last);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_points_line),
        ARENA_TEST(test_points_of_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
