/*
 * db - values in both directions, and what each kind of refusal becomes.
 */
#include <fcntl.h>
#include <unistd.h>

#include "io/db_fixture.h"

/* Everything the tests of this file need in the empty database. */
static int
make_schema(void **state)
{
    static const char *const statements[] = {
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE item (id int PRIMARY KEY, parent int CONSTRAINT item_parent REFERENCES "
        "parent, name text NOT NULL DEFAULT 'a', CONSTRAINT item_name CHECK (name <> 'bad'))",
        "INSERT INTO item (id) VALUES (1)",
        "CREATE SEQUENCE runs",
        "CREATE FUNCTION fails(state text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE "
        "EXCEPTION 'canary +250788000001' USING ERRCODE = state, DETAIL = 'canary', HINT = "
        "'canary'; END $$",
        "CREATE FUNCTION warns() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'canary'; "
        "RETURN 7; END $$",
        /* Fails in the given way as often as it says, then succeeds; sequences are never undone. */
        "CREATE FUNCTION fails_at_first(state text, times int) RETURNS bigint LANGUAGE plpgsql "
        "AS $$ DECLARE n bigint := nextval('runs'); BEGIN IF n <= times THEN RAISE EXCEPTION "
        "'canary' USING ERRCODE = state; END IF; RETURN n; END $$",
    };
    struct fixture *f;

    assert_int_equal(setup(state), 0);
    f = *state;
    for (size_t i = 0; i < COUNT_OF(statements); i++)
        (void)run(f, statements[i]);
    return teardown(state);
}

static void
test_values(void **state)
{
    struct fixture *f = *state;
    struct db_rows *rows =
        run(f, "SELECT 'caf\xC3\xA9' AS t, '' AS empty, NULL::text AS none, -7 AS n, "
               "9223372036854775807 AS big, true AS yes, false AS no, NULL::boolean AS maybe, "
               "1.5 AS fraction UNION ALL SELECT 'b', '', '', 8, 9, false, true, true, 2");

    assert_int_equal(db_count(rows), 2);
    assert_string_equal(db_text(rows, 0, "t"), "caf\xC3\xA9");
    assert_string_equal(db_text(rows, 1, "t"), "b");
    assert_string_equal(db_text(rows, 0, "empty"), "");
    assert_string_equal(db_text(rows, 0, "none"), "");
    assert_false(db_is_null(rows, 0, "empty"));
    assert_true(db_is_null(rows, 0, "none"));
    assert_int_equal(db_int(rows, 0, "n"), -7);
    assert_true(db_int(rows, 0, "big") == INT64_MAX);
    assert_int_equal(db_int(rows, 0, "none"), 0);
    assert_int_equal(db_int(rows, 0, "fraction"), 0);
    assert_true(db_bool(rows, 0, "yes"));
    assert_false(db_bool(rows, 0, "no"));
    assert_false(db_bool(rows, 0, "maybe"));
}

static void
test_no_rows(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(db_count(run(f, "SELECT 1 AS v WHERE false")), 0);
    assert_int_equal(db_count(run(f, "UPDATE item SET name = 'a' WHERE id = 0")), 0);
}

static void
test_params(void **state)
{
    static const char *const rows[] = { "",          "a",        "O'Brien; DROP TABLE item --",
                                        "\\",        "$1",       "caf\xC3\xA9 \xF0\x9F\x98\x80",
                                        "line\nend", "{\"a\":1}" };
    static const struct db_stmt echo = { "echo", "SELECT $1::text AS v, $2::text AS none" };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct db_rows *got;
        struct err e = { 0 };
        expect_true(rows[i], db_run(f->db, f->arena, &echo, DB_PARAMS(rows[i], NULL), &got, &e));
        expect_text(rows[i], db_text(got, 0, "v"), rows[i]);
        expect_true(rows[i], db_is_null(got, 0, "none"));
    }
}

/* More than the sockets hold: sending and receiving take several steps. */
static void
test_large_values(void **state)
{
    static const struct db_stmt echo = { "echo", "SELECT $1::text || $1::text AS v" };
    struct fixture *f = *state;
    size_t n = (size_t)8 * 1024 * 1024;
    char *text = arena_alloc(f->arena, n + 1);
    struct db_rows *got;
    struct err e = { 0 };

    memset(text, 'x', n);
    assert_true(db_run(f->db, f->arena, &echo, DB_PARAMS(text), &got, &e));
    assert_int_equal(strlen(db_text(got, 0, "v")), 2 * n);
}

static void
test_array(void **state)
{
    static const char *const items[] = { "a",   "",    "with,comma", "with \"quotes\"",
                                         "\\",  "{}",  "NULL",       "caf\xC3\xA9",
                                         " b ", "a\nb" };
    static const struct db_stmt unnest = {
        "unnest", "SELECT v FROM unnest($1::text[]) WITH ORDINALITY AS u (v, n) ORDER BY n"
    };
    struct fixture *f = *state;
    struct db_rows *got;
    struct err e = { 0 };

    assert_true(db_run(f->db, f->arena, &unnest,
                       DB_PARAMS(db_array(f->arena, items, COUNT_OF(items))), &got, &e));
    assert_int_equal(db_count(got), COUNT_OF(items));
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        expect_text(items[i], db_text(got, (int)i, "v"), items[i]);
        expect_true(items[i], !db_is_null(got, (int)i, "v"));
    }
    assert_true(db_run(f->db, f->arena, &unnest, DB_PARAMS(db_array(f->arena, NULL, 0)), &got, &e));
    assert_int_equal(db_count(got), 0);
}

static void
test_states_of_real_refusals(void **state)
{
    static const struct {
        const char *text;
        enum err_kind kind;
        const char *code;
        const char *constraint;
    } rows[] = {
        { "INSERT INTO item (id) VALUES (1)", ERR_DUPLICATE, "23505", "item_pkey" },
        { "INSERT INTO item (id, name) VALUES (2, 'bad')", ERR_INVALID, "23514", "item_name" },
        { "INSERT INTO item (id, parent) VALUES (2, 7)", ERR_INVALID, "23503", "item_parent" },
        { "INSERT INTO item (id, name) VALUES (2, NULL)", ERR_INVALID, "23502", "" },
        { "SELECT ('x' || id)::uuid FROM item", ERR_INVALID, "22P02", "" },
        { "SELECT id / 0 FROM item", ERR_INVALID, "22012", "" },
        { "SELECT nothing", ERR_BUG, "42703", "" },
        { "SELECT 1 FROM nowhere", ERR_BUG, "42P01", "" },
        { "SELEKT 1", ERR_BUG, "42601", "" },
        { "SELECT 1 FROM pg_authid", ERR_BUG, "42501", "" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct db_stmt *s = stmt(f, rows[i].text);
        struct err e = failure(f, s);
        expect_int(rows[i].text, e.kind, rows[i].kind);
        expect_text(rows[i].text, e.code, rows[i].code);
        expect_text(rows[i].text, e.text,
                    arena_printf(f->arena, "database: %s: SQLSTATE %s%s%s", s->name, rows[i].code,
                                 rows[i].constraint[0] != '\0' ? " " : "", rows[i].constraint));
    }
    /* No refusal has cost the connection its use. */
    assert_int_equal(number(f, "SELECT 7 AS v"), 7);
}

static void
test_states_by_class(void **state)
{
    static const struct {
        const char *code;
        enum err_kind kind;
    } rows[] = {
        { "08006", ERR_TEMP },    { "22023", ERR_INVALID }, { "22021", ERR_INVALID },
        { "22P05", ERR_INVALID }, { "23000", ERR_INVALID }, { "23505", ERR_DUPLICATE },
        { "23514", ERR_INVALID }, { "25006", ERR_TEMP },    { "40001", ERR_TEMP },
        { "40P01", ERR_TEMP },    { "42501", ERR_BUG },     { "53100", ERR_TEMP },
        { "53200", ERR_TEMP },    { "53300", ERR_TEMP },    { "54000", ERR_INVALID },
        { "55P03", ERR_TEMP },    { "55000", ERR_BUG },     { "57014", ERR_TEMP },
        { "57P01", ERR_TEMP },    { "57P03", ERR_TEMP },    { "58030", ERR_TEMP },
        { "P0001", ERR_BUG },     { "OM001", ERR_BUG },     { "XX000", ERR_BUG },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e =
            failure(f, stmt(f, arena_printf(f->arena, "SELECT fails('%s')", rows[i].code)));
        expect_int(rows[i].code, e.kind, rows[i].kind);
        expect_text(rows[i].code, e.code, rows[i].code);
        expect_true(rows[i].code, strstr(e.text, rows[i].code) != NULL);
        expect_true(rows[i].code, strstr(e.text, "canary") == NULL);
        expect_true(rows[i].code, strstr(e.text, "250788") == NULL);
    }
}

/* A key that is too long for an index can be sent by a stranger: it is the data's fault. */
static void
test_index_row_too_large(void **state)
{
    struct fixture *f = *state;

    (void)run(f, "CREATE TEMP TABLE named (name text UNIQUE)");
    struct err e = failure(f, stmt(f, "INSERT INTO named SELECT string_agg(md5(n::text), '') FROM "
                                      "generate_series(1, 1000) AS n"));
    assert_string_equal(e.code, "54000");
    assert_int_equal(e.kind, ERR_INVALID);
}

/* What the server says on the side may quote data, so it goes nowhere. */
static void
test_warnings_are_not_printed(void **state)
{
    struct fixture *f = *state;
    char said[256] = { 0 };
    int ends[2];
    int kept = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_true(kept >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    int64_t v = number(f, "SELECT warns() AS v");
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    ssize_t n = read(ends[0], said, sizeof(said) - 1);
    assert_int_equal(close(ends[0]) + close(ends[1]) + close(kept), 0);
    assert_int_equal(v, 7);
    assert_string_equal(said, "");
    assert_true(n <= 0);
}

/* Two transactions stood in each other's way: the statement comes again, three times at most. */
static void
test_collisions_are_repeated(void **state)
{
    static const struct {
        const char *code;
        int times;
        bool ok;
        int64_t runs;
    } rows[] = {
        { "40P01", 1, true, 2 },  { "40001", 2, true, 3 },  { "55P03", 2, true, 3 },
        { "40P01", 3, false, 3 }, { "23505", 1, false, 1 }, { "57014", 1, false, 1 },
        { "53200", 1, false, 1 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct db_rows *got = NULL;
        struct err e = { 0 };
        (void)run(f, "SELECT setval('runs', 1, false)");
        const struct db_stmt *s =
            stmt(f, arena_printf(f->arena, "SELECT fails_at_first('%s', %d) AS v", rows[i].code,
                                 rows[i].times));
        expect_int(rows[i].code, db_run(f->db, f->arena, s, DB_NONE, &got, &e), rows[i].ok);
        expect_int(rows[i].code, number(f, "SELECT last_value AS v FROM runs"), rows[i].runs);
    }
}

static void
test_connection_is_ours(void **state)
{
    struct fixture *f = *state;
    struct db_rows *rows =
        run(f, "SELECT current_setting('search_path') AS path, current_setting("
               "'client_encoding') AS encoding, current_setting('application_name') AS name");

    assert_string_equal(db_text(rows, 0, "path"), "public, pg_temp");
    assert_string_equal(db_text(rows, 0, "encoding"), "UTF8");
    assert_string_equal(db_text(rows, 0, "name"), "io-test");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        DB_TEST(test_values),
        DB_TEST(test_no_rows),
        DB_TEST(test_params),
        DB_TEST(test_large_values),
        DB_TEST(test_array),
        DB_TEST(test_states_of_real_refusals),
        DB_TEST(test_states_by_class),
        DB_TEST(test_index_row_too_large),
        DB_TEST(test_warnings_are_not_printed),
        DB_TEST(test_collisions_are_repeated),
        DB_TEST(test_connection_is_ours),
    };

    return cmocka_run_group_tests(tests, make_schema, NULL);
}
