/*
 * db - deadlines, connections that break, and a database that is not there.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/db_fixture.h"

static int
make_schema(void **state)
{
    struct fixture *f;

    assert_int_equal(setup(state), 0);
    f = *state;
    (void)run(f, "CREATE SEQUENCE runs");
    (void)run(f, "CREATE TABLE grows (a int)");
    return teardown(state);
}

static const struct db_stmt backend = { "backend", "SELECT pg_backend_pid() AS v" };

static int64_t
backend_of(struct fixture *f, struct db *db)
{
    return db_int(run_on(f, db, &backend), 0, "v");
}

static int64_t
runs_so_far(struct fixture *f)
{
    return number(f, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS v FROM runs");
}

static void
start_counting(struct fixture *f)
{
    (void)run(f, "SELECT setval('runs', 1, false)");
}

/* It must not be waited for twice: the server still works on the first one. */
static void
test_deadline(void **state)
{
    static const struct timespec pause = { .tv_sec = 1, .tv_nsec = 50000000 };
    static const struct db_stmt slow = { "slow", "SELECT nextval('runs'), pg_sleep(30)" };
    struct fixture *f = *state;
    struct db *hasty = db_new(test_url(), "hasty", 3000);
    struct db_rows *rows = NULL;
    struct err e = { 0 };
    struct err again = { 0 };

    start_counting(f);
    int64_t before = backend_of(f, hasty);
    int64_t began = real_ms();
    assert_false(db_run(hasty, f->arena, &slow, DB_NONE, &rows, &e));
    int64_t took = real_ms() - began;
    /* For a second nobody asks it again, and then on a connection of its own. The second runs: this
     * comes first. */
    assert_false(db_run(hasty, f->arena, &backend, DB_NONE, &rows, &again));
    int64_t refused = real_ms() - began - took;
    assert_int_equal(e.kind, ERR_TEMP);
    assert_string_equal(e.code, "");
    assert_string_equal(e.text, "database: connection lost in slow");
    assert_true(took >= 2990);
    assert_true(took < 20000);
    assert_string_equal(again.text, "database: away, not tried again yet");
    assert_true(refused < 1000);
    assert_int_equal(runs_so_far(f), 1);
    assert_int_equal(nanosleep(&pause, NULL), 0);
    assert_true(backend_of(f, hasty) != before);
    db_close(&hasty);
}

static void
test_server_cancels(void **state)
{
    struct fixture *f = *state;

    start_counting(f);
    (void)run(f, "SELECT set_config('statement_timeout', '1500ms', false)");
    int64_t before = backend_of(f, f->db);
    struct err e = failure(f, stmt(f, "SELECT nextval('runs'), pg_sleep(5)"));
    assert_int_equal(e.kind, ERR_TEMP);
    assert_string_equal(e.code, "57014");
    assert_int_equal(backend_of(f, f->db), before);
    assert_int_equal(runs_so_far(f), 1);
}

static void
terminate(struct fixture *f, int64_t pid)
{
    struct db *other = db_new(test_url(), "other", TIMEOUT_MS);
    const char *text =
        arena_printf(f->arena, "SELECT pg_terminate_backend(%lld, 5000) AS gone", (long long)pid);

    assert_true(db_bool(run_on(f, other, stmt(f, text)), 0, "gone"));
    db_close(&other);
}

static void
test_idle_connection_that_was_ended(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++) {
        int64_t before = backend_of(f, f->db);
        terminate(f, before);
        assert_true(backend_of(f, f->db) != before);
    }
}

static void
test_connection_that_ends_under_a_statement(void **state)
{
    struct fixture *f = *state;

    start_counting(f);
    (void)backend_of(f, f->db);
    struct err e = failure(
        f, stmt(f, "SELECT nextval('runs'), pg_terminate_backend(pg_backend_pid()), pg_sleep(5)"));
    assert_int_equal(e.kind, ERR_TEMP);
    /* Repeated, since every statement of ours may be; but not for ever. */
    int64_t runs = runs_so_far(f);
    assert_true(runs >= 2);
    assert_true(runs <= 3);
}

static void
test_first_statement_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    struct db *fresh = db_new(test_url(), "fresh", TIMEOUT_MS);
    struct db_rows *rows = NULL;
    struct err e = { 0 };

    start_counting(f);
    assert_false(db_run(fresh, f->arena,
                        stmt(f, "SELECT nextval('runs'), pg_terminate_backend(pg_backend_pid()), "
                                "pg_sleep(5)"),
                        DB_NONE, &rows, &e));
    assert_int_equal(e.kind, ERR_TEMP);
    assert_int_equal(runs_so_far(f), 1);
    db_close(&fresh);
}

static void
test_server_forgot_the_statement(void **state)
{
    struct fixture *f = *state;
    const struct db_stmt *s = stmt(f, "SELECT 7 AS v");

    assert_int_equal(db_int(run_on(f, f->db, s), 0, "v"), 7);
    (void)run(f, "DEALLOCATE ALL");
    assert_int_equal(db_int(run_on(f, f->db, s), 0, "v"), 7);
}

static void
test_table_changed_its_shape(void **state)
{
    struct fixture *f = *state;
    const struct db_stmt *s =
        stmt(f, "SELECT g.*, 7 AS v FROM (SELECT 1) AS one LEFT JOIN grows g ON true");

    assert_int_equal(db_int(run_on(f, f->db, s), 0, "v"), 7);
    (void)run(f, "ALTER TABLE grows ADD COLUMN b int");
    assert_int_equal(db_int(run_on(f, f->db, s), 0, "v"), 7);
}

/* After a failover the old server may live on, read-only: a new connection finds the new one. */
static void
test_server_became_read_only(void **state)
{
    struct fixture *f = *state;

    (void)run(f, "SELECT set_config('default_transaction_read_only', 'on', false)");
    (void)run(f, "INSERT INTO grows (a) VALUES (1)");
    assert_int_equal(number(f, "SELECT count(*) AS v FROM grows"), 1);
}

/* A folder for a socket of the server, with nothing in it. */
static const char *
empty_folder(struct fixture *f)
{
    char *folder = arena_strdup(f->arena, "/tmp/omni-io.XXXXXX");

    assert_non_null(mkdtemp(folder));
    return folder;
}

static const char *
socket_in(struct fixture *f, const char *folder)
{
    return arena_printf(f->arena, "%s/.s.PGSQL.5432", folder);
}

static struct db *
db_in(struct fixture *f, const char *folder, int timeout_ms)
{
    return db_new(arena_printf(f->arena, "host=%s dbname=io user=omni_app", folder), "io-test",
                  timeout_ms);
}

static struct err
away(struct fixture *f, struct db *db)
{
    struct db_rows *rows = NULL;
    struct err e = { 0 };

    assert_false(db_run(db, f->arena, &backend, DB_NONE, &rows, &e));
    assert_int_equal(e.kind, ERR_TEMP);
    assert_string_equal(e.code, "");
    return e;
}

static void
test_away_and_back(void **state)
{
    static const struct timespec pause = { .tv_sec = 1, .tv_nsec = 50000000 };
    struct fixture *f = *state;
    const char *folder = empty_folder(f);
    struct db *db = db_in(f, folder, TIMEOUT_MS);

    assert_string_equal(away(f, db).text, "database: cannot connect");
    /* It is back, but for a second nobody looks. */
    assert_int_equal(symlink(socket_in(f, getenv("TEST_DATABASE_SOCKETS")), socket_in(f, folder)),
                     0);
    assert_string_equal(away(f, db).text, "database: away, not tried again yet");
    assert_int_equal(nanosleep(&pause, NULL), 0);
    assert_true(backend_of(f, db) > 0);
    db_close(&db);
    assert_int_equal(unlink(socket_in(f, folder)), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* Takes connections and says nothing. */
static int
black_hole(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0 && strlen(path) < sizeof(at.sun_path));
    memcpy(at.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static void
test_server_that_says_nothing(void **state)
{
    struct fixture *f = *state;
    const char *folder = empty_folder(f);
    int fd = black_hole(socket_in(f, folder));
    struct db *db = db_in(f, folder, 300);

    int64_t began = real_ms();
    assert_string_equal(away(f, db).text, "database: cannot connect");
    int64_t took = real_ms() - began;
    assert_true(took >= 290);
    assert_true(took < 1900);
    assert_string_equal(away(f, db).text, "database: away, not tried again yet");
    db_close(&db);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(socket_in(f, folder)), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* A handler must not hang on a dead server as long as its statements may take. */
static void
test_connecting_has_its_own_deadline(void **state)
{
    struct fixture *f = *state;
    const char *folder = empty_folder(f);
    int fd = black_hole(socket_in(f, folder));
    struct db *db = db_in(f, folder, 60000);

    int64_t began = real_ms();
    (void)away(f, db);
    assert_true(real_ms() - began < 10000);
    db_close(&db);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(socket_in(f, folder)), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void
test_settings_that_cannot_work(void **state)
{
    static const char *const rows[] = {
        "host=/nowhere dbname=io",
        "host=127.0.0.1 port=1 dbname=io connect_timeout=1",
        "no=such option",
        "postgresql://127.0.0.1:99999/io",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct db *db = db_new(rows[i], "io-test", TIMEOUT_MS);
        struct err e = away(f, db);
        expect_text(rows[i], e.text, "database: cannot connect");
        db_close(&db);
    }
}

static void
test_close_without_use(void **state)
{
    struct db *none = NULL;
    struct db *db = db_new("host=/nowhere", "io-test", TIMEOUT_MS);

    (void)state;
    db_close(&db);
    assert_null(db);
    db_close(&none);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        DB_TEST(test_deadline),
        DB_TEST(test_server_cancels),
        DB_TEST(test_idle_connection_that_was_ended),
        DB_TEST(test_connection_that_ends_under_a_statement),
        DB_TEST(test_first_statement_is_not_repeated),
        DB_TEST(test_server_forgot_the_statement),
        DB_TEST(test_table_changed_its_shape),
        DB_TEST(test_server_became_read_only),
        DB_TEST(test_away_and_back),
        DB_TEST(test_server_that_says_nothing),
        DB_TEST(test_connecting_has_its_own_deadline),
        DB_TEST(test_settings_that_cannot_work),
        DB_TEST(test_close_without_use),
    };

    return cmocka_run_group_tests(tests, make_schema, NULL);
}
