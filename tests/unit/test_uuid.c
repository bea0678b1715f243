/*
 * uuid - version, variant, time and difference of new ones; what counts as one.
 */
#include "base/str.h"
#include "base/uuid.h"
#include "fakes/fake_clk.h"
#include "unit/unit.h"

static void
test_uuid_new_is_version_7_of_now(void **state)
{
    static const struct {
        int64_t ms;
        const char *want;
    } rows[] = {
        { 0, "00000000-0000-7" },
        { 0x0123456789AB, "01234567-89ab-7" },
        { 1645557742000, "017f22e2-79b0-7" }, /* the example of RFC 9562 */
        { 0xFFFFFFFFFFFF, "ffffffff-ffff-7" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fake_clk_set(rows[i].ms);
        struct uuid u = uuid_new();
        struct uuid again = { 0 };
        expect_true(rows[i].want, str_starts(u.text, rows[i].want));
        expect_true(u.text, strchr("89ab", u.text[19]) != NULL);
        expect_true(u.text, uuid_parse(u.text, &again));
        expect_text(u.text, again.text, u.text);
    }
}

static int
compare_uuids(const void *a, const void *b)
{
    return strcmp(((const struct uuid *)a)->text, ((const struct uuid *)b)->text);
}

static void
test_uuid_new_never_repeats(void **state)
{
    static struct uuid made[20000];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(made); i++)
        made[i] = uuid_new();
    qsort(made, COUNT_OF(made), sizeof(made[0]), compare_uuids);
    for (size_t i = 1; i < COUNT_OF(made); i++)
        assert_string_not_equal(made[i - 1].text, made[i].text);
}

static void
test_uuid_new_is_ordered_by_time(void **state)
{
    struct uuid last = { 0 };

    (void)state;
    fake_clk_set(FAKE_CLK_START);
    for (int i = 0; i < 1000; i++) {
        struct uuid u = uuid_new();
        assert_true(compare_uuids(&last, &u) < 0);
        last = u;
        fake_clk_advance(1);
    }
}

static void
test_uuid_parse(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } rows[] = {
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" },
        { "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" },
        { "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000" },
        { "f47ac10b-58cc-4372-a567-0e02b2c3d479", "f47ac10b-58cc-4372-a567-0e02b2c3d479" },
        { "", NULL },
        { "017f22e2", NULL },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398", NULL },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff", NULL },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ", NULL },
        { " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL },
        { "017f22e2079b0-7cc3-98c4-dc0c0c07398f", NULL },
        { "017f22e279b07cc398c4dc0c0c07398f", NULL },
        { "{017f22e2-79b0-7cc3-98c4-dc0c0c07398}", NULL },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", NULL },
        { "017f22e2-79b0-7cc3-98c4-dc0c-c07398f", NULL },
        { "../../../../../../../../../etc/passw", NULL },
        { "017f22e2-79b0-7cc3-98c4-dc0c0c0739\xC3\xA9", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct uuid u = { "untouched" };
        expect_int(rows[i].text, uuid_parse(rows[i].text, &u), rows[i].want != NULL);
        expect_text(rows[i].text, u.text, rows[i].want != NULL ? rows[i].want : "untouched");
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid_new_is_version_7_of_now),
        cmocka_unit_test(test_uuid_new_never_repeats),
        cmocka_unit_test(test_uuid_new_is_ordered_by_time),
        cmocka_unit_test(test_uuid_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
