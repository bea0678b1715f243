/*
 * Every embedded statement is prepared against the migrated schema, as the role of the programs: a
 * name that is not there or a type that does not fit is found here and not in production.
 */
#include "io/db_fixture.h"
#include "sql/statements.h"

static void
test_every_statement_can_be_prepared(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; sql_all[i] != NULL; i++) {
        struct err e = { 0 };
        if (!db_prepare(f->db, sql_all[i], &e))
            fail_msg("%s: %s", sql_all[i]->name, e.text);
    }
}

/* Else the test above has looked at nothing. */
static void
test_there_are_statements(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt broken = { "broken", "SELECT nothing FROM nowhere" };
    struct err e = { 0 };

    assert_non_null(sql_all[0]);
    assert_false(db_prepare(f->db, &broken, &e));
    assert_string_equal(e.code, "42P01");
    assert_int_equal(e.kind, ERR_BUG);
}

static void
test_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; sql_all[i] != NULL; i++) {
        for (size_t k = 0; k < i; k++)
            expect_true(sql_all[i]->name, !str_eq(sql_all[i]->name, sql_all[k]->name));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        DB_TEST(test_every_statement_can_be_prepared),
        DB_TEST(test_there_are_statements),
        DB_TEST(test_names_are_unique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
