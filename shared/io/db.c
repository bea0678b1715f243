/*
 * db - PostgreSQL through libpq's asynchronous calls, so that no call waits longer than its
 * deadline.
 */
#include "io/db.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/str.h"

#define CONNECT_TIMEOUT_MS 2000
#define AWAY_PAUSE_MS      1000
#define MAX_TRIES          3

/* What the role omni_app has too, for a login role that is only a member of it: a role's settings
 * are not its members'. */
#define SESSION_SETTINGS                                                                           \
    "SET search_path = public, pg_temp; SET lock_timeout = '2s'; SET statement_timeout = '10s'; "  \
    "SET idle_in_transaction_session_timeout = '15s'"

/* SQLSTATEs */
#define READ_ONLY           "25006" /* after a failover: this server is no longer the one */
#define INDEX_ROW_TOO_LARGE "54000" /* an id that no index takes */

struct db_rows {
    PGresult *res;
};

struct db {
    struct arena *arena;
    const char *conninfo;
    const char *program;
    int timeout_ms;
    PGconn *conn;
    const struct db_stmt *prepared[DB_MAX_PREPARED];
    size_t n_prepared;
    int64_t away_until; /* clk_mono_ms(); until then nobody tries to connect */
};

struct db *
db_new(const char *conninfo, const char *program, int timeout_ms)
{
    struct arena *a = arena_new();
    struct db *db = arena_alloc(a, sizeof(*db));

    db->arena = a;
    db->conninfo = conninfo;
    db->program = arena_strdup(a, program);
    db->timeout_ms = timeout_ms;
    return db;
}

static void
disconnect(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
    db->n_prepared = 0;
}

void
db_close(struct db **db)
{
    struct arena *a;

    if (*db == NULL)
        return;
    disconnect(*db);
    a = (*db)->arena;
    *db = NULL;
    arena_free(&a);
}

/* Waits until the connection's socket is ready or the deadline has come. */
static bool
wait_socket(PGconn *conn, short events, int64_t deadline)
{
    struct pollfd p = { .fd = PQsocket(conn), .events = events };

    for (;;) {
        int64_t left = deadline - clk_mono_ms();
        int n;

        if (left <= 0 || p.fd < 0)
            return false;
        n = poll(&p, 1, (int)left);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

/* Notices would go to standard error, which is a log, and may quote data. */
static void
drop_notice(void *ctx, const PGresult *res)
{
    (void)ctx;
    (void)res;
}

static bool
connect_until(struct db *db, int64_t deadline)
{
    static const char *const names[] = { "dbname", "application_name", "client_encoding", NULL };
    const char *const values[] = { db->conninfo, db->program, "UTF8", NULL };
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;

    db->conn = PQconnectStartParams(names, values, 1);
    if (db->conn == NULL || PQstatus(db->conn) == CONNECTION_BAD)
        return false;
    (void)PQsetNoticeReceiver(db->conn, drop_notice, NULL);
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED ||
            !wait_socket(db->conn, step == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
            return false;
        step = PQconnectPoll(db->conn);
    }
    return PQsetnonblocking(db->conn, 1) == 0;
}

/* Sends what is queued and collects the last result; NULL when the deadline came or the connection
 * broke. */
static PGresult *
collect(PGconn *conn, int64_t deadline)
{
    PGresult *last = NULL;
    PGresult *next;
    int unsent;

    while ((unsent = PQflush(conn)) == 1) {
        if (!wait_socket(conn, POLLIN | POLLOUT, deadline) || PQconsumeInput(conn) == 0)
            return NULL;
    }
    if (unsent < 0)
        return NULL;
    for (;;) {
        while (PQisBusy(conn)) {
            if (!wait_socket(conn, POLLIN, deadline) || PQconsumeInput(conn) == 0) {
                PQclear(last);
                return NULL;
            }
        }
        next = PQgetResult(conn);
        if (next == NULL)
            return last;
        PQclear(last);
        last = next;
    }
}

static enum err_kind
kind_of(const char *state)
{
    if (str_eq(state, "23505"))
        return ERR_DUPLICATE;
    if (str_starts(state, "08") || str_starts(state, "53") || str_starts(state, "57") ||
        str_starts(state, "58") || str_starts(state, "40") || str_eq(state, "55P03") ||
        str_eq(state, READ_ONLY))
        return ERR_TEMP;
    if (str_starts(state, "22") || str_starts(state, "23") || str_eq(state, INDEX_ROW_TOO_LARGE))
        return ERR_INVALID;
    return ERR_BUG;
}

/* Turns a result into success or an error; 'what' names the statement. */
static bool
judge(const PGresult *res, const char *what, struct err *e)
{
    ExecStatusType status = PQresultStatus(res);
    const char *state;
    const char *constraint;

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return true;
    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
    if (state == NULL) /* the connection broke */
        return err_set(e, ERR_TEMP, "database: connection lost in %s", what);
    (void)err_set(e, kind_of(state), "database: %s: SQLSTATE %s%s%s", what, state,
                  constraint != NULL ? " " : "", constraint != NULL ? constraint : "");
    return err_code(e, state);
}

static bool
simple(struct db *db, const char *text, int64_t deadline)
{
    PGresult *res;
    bool ok;

    if (PQsendQuery(db->conn, text) == 0)
        return false;
    res = collect(db->conn, deadline);
    ok = res != NULL && PQresultStatus(res) == PGRES_COMMAND_OK;
    PQclear(res);
    return ok;
}

static bool
ensure_connected(struct db *db, int64_t deadline, struct err *e)
{
    int64_t now = clk_mono_ms();
    int64_t until = now + CONNECT_TIMEOUT_MS < deadline ? now + CONNECT_TIMEOUT_MS : deadline;

    if (db->conn != NULL && PQstatus(db->conn) == CONNECTION_OK)
        return true;
    disconnect(db);
    if (now < db->away_until)
        return err_set(e, ERR_TEMP, "database: away, not tried again yet");
    if (!connect_until(db, until) || !simple(db, SESSION_SETTINGS, until)) {
        disconnect(db);
        db->away_until = clk_mono_ms() + AWAY_PAUSE_MS;
        return err_set(e, ERR_TEMP, "database: cannot connect");
    }
    return true;
}

static bool
ensure_prepared(struct db *db, const struct db_stmt *s, int64_t deadline, struct err *e)
{
    PGresult *res = NULL;
    bool ok;

    for (size_t i = 0; i < db->n_prepared; i++) {
        if (db->prepared[i] == s)
            return true;
    }
    if (PQsendPrepare(db->conn, s->name, s->text, 0, NULL) != 0)
        res = collect(db->conn, deadline);
    ok = judge(res, s->name, e);
    PQclear(res);
    if (ok) {
        assert(db->n_prepared < DB_MAX_PREPARED);
        db->prepared[db->n_prepared++] = s;
    }
    return ok;
}

static void
release_result(void *res)
{
    PQclear(res);
}

static bool
run_once(struct db *db, const struct db_stmt *s, struct db_params params, PGresult **res,
         struct err *e)
{
    int64_t deadline = clk_mono_ms() + db->timeout_ms;

    *res = NULL;
    if (!ensure_connected(db, deadline, e) || !ensure_prepared(db, s, deadline, e))
        return false;
    if (PQsendQueryPrepared(db->conn, s->name, params.n, params.values, NULL, NULL, 0) != 0)
        *res = collect(db->conn, deadline);
    if (judge(*res, s->name, e))
        return true;
    PQclear(*res);
    *res = NULL;
    return false;
}

/* The server lost our statement or its plan, or is no longer the one that writes (a migration, a
 * failover): a new connection heals it. */
static bool
is_stale(const struct err *e)
{
    return str_eq(e->code, "26000") || str_eq(e->code, "0A000") || str_eq(e->code, READ_ONLY);
}

/* Two transactions stood in each other's way; the one that was sent home just comes again. */
static bool
is_collision(const struct err *e)
{
    return str_eq(e->code, "40P01") || str_eq(e->code, "40001") || str_eq(e->code, "55P03");
}

/* Runs it; *again says that the same statement may do better now, on a new connection where the old
 * one was no good. */
static bool
run_and_check(struct db *db, const struct db_stmt *s, struct db_params params, PGresult **res,
              bool *again, struct err *e)
{
    bool broken;

    *e = (struct err){ 0 };
    if (run_once(db, s, params, res, e))
        return true;
    broken = db->conn != NULL && (PQstatus(db->conn) != CONNECTION_OK || is_stale(e));
    *again = broken || is_collision(e);
    if (db->conn != NULL && !broken && e->code[0] == '\0') { /* no code: no answer came in time */
        db->away_until = clk_mono_ms() + AWAY_PAUSE_MS;
        broken = true;
    }
    if (broken)
        disconnect(db);
    return false;
}

bool
db_run(struct db *db, struct arena *a, const struct db_stmt *s, struct db_params params,
       struct db_rows **rows, struct err *e)
{
    bool was_open = db->conn != NULL;
    PGresult *res = NULL;
    bool again = false;
    bool ok = run_and_check(db, s, params, &res, &again, e);

    for (int tries = 1; !ok && again && tries < MAX_TRIES && (was_open || is_collision(e)); tries++)
        ok = run_and_check(db, s, params, &res, &again, e);
    if (!ok)
        return false;
    *rows = arena_alloc(a, sizeof(**rows));
    (*rows)->res = res;
    arena_own(a, res, release_result);
    return true;
}

bool
db_prepare(struct db *db, const struct db_stmt *s, struct err *e)
{
    int64_t deadline = clk_mono_ms() + db->timeout_ms;
    bool ok = ensure_connected(db, deadline, e) && ensure_prepared(db, s, deadline, e);

    disconnect(db);
    return ok;
}

int
db_count(const struct db_rows *rows)
{
    return PQntuples(rows->res);
}

static int
column_of(const struct db_rows *rows, const char *column)
{
    int n = PQfnumber(rows->res, column);

    assert(n >= 0);
    return n;
}

const char *
db_text(const struct db_rows *rows, int row, const char *column)
{
    return PQgetvalue(rows->res, row, column_of(rows, column));
}

bool
db_is_null(const struct db_rows *rows, int row, const char *column)
{
    return PQgetisnull(rows->res, row, column_of(rows, column)) == 1;
}

int64_t
db_int(const struct db_rows *rows, int row, const char *column)
{
    int64_t n = 0;

    if (!str_parse_int(db_text(rows, row, column), INT64_MIN, INT64_MAX, &n))
        return 0;
    return n;
}

bool
db_bool(const struct db_rows *rows, int row, const char *column)
{
    return str_eq(db_text(rows, row, column), "t");
}

const char *
db_array(struct arena *a, const char *const *items, size_t n)
{
    struct buf b = buf_init(a, 1024 * 1024);

    buf_addc(&b, '{');
    for (size_t i = 0; i < n; i++) {
        buf_adds(&b, i == 0 ? "\"" : ",\"");
        for (const char *c = items[i]; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                buf_addc(&b, '\\');
            buf_addc(&b, *c);
        }
        buf_addc(&b, '"');
    }
    buf_addc(&b, '}');
    assert(!buf_overflowed(&b));
    return b.data;
}
