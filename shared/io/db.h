/*
 * db - PostgreSQL: one connection, opened when first needed, prepared statements, deadlines. The
 * only user of libpq.
 *
 * Every call is one statement and one transaction of its own; there is no BEGIN here, so nothing
 * can hold a transaction open while it talks to somebody else. What must be atomic is a database
 * function.
 */
#ifndef OMNI_IO_DB_H
#define OMNI_IO_DB_H

#include "base/arena.h"
#include "base/err.h"

struct db;
struct db_rows;

/* How many statements one connection can hold prepared; the build fails when there are more. */
#define DB_MAX_PREPARED 256

struct db_stmt {
    const char *name;
    const char *text;
};

struct db_params {
    const char *const *values; /* NULL is SQL's NULL */
    int n;
};
#define DB_PARAMS(...)                                                                             \
    (struct db_params)                                                                             \
    {                                                                                              \
        (const char *const[]){ __VA_ARGS__ },                                                      \
            (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))             \
    }
#define DB_NONE                                                                                    \
    (struct db_params)                                                                             \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* Not connected yet. 'conninfo' is a libpq URI or conninfo and must outlive the handle;
 * 'timeout_ms' is how long any statement, connecting included, may take; the server itself ends a
 * wait for a lock after 2 s and a statement after 10 s. Must be matched by db_close(). */
struct db *db_new(const char *conninfo, const char *program, int timeout_ms);
void db_close(struct db **db);

/*
 * Runs one statement. The rows live in 'a'. Fails with
 *
 * - ERR_TEMP: the database is away, overloaded, or did not answer in time. For a second after a
 *   failed connection attempt or a missed deadline every call fails at once, so that a dead
 *   database does not tie up a handler.
 * - ERR_DUPLICATE: a unique constraint (23505).
 * - ERR_INVALID: data the database refuses (class 22, other 23); e->code has the SQLSTATE.
 * - ERR_BUG: anything else.
 *
 * A connection that broke while it was idle is replaced and the statement repeated; one that was
 * sent home because another transaction stood in its way (deadlock, lock timeout) is repeated too,
 * three tries at most: every statement of ours may be repeated. The error's words hold SQLSTATE and
 * constraint, never the server's message, which quotes data.
 */
bool db_run(struct db *db, struct arena *a, const struct db_stmt *s, struct db_params params,
            struct db_rows **rows, struct err *e) MUST_CHECK;

int db_count(const struct db_rows *rows);

/* Fields by column name. A name that is not there is our bug and ends the process. Text lives as
 * long as the rows; NULL is "". */
const char *db_text(const struct db_rows *rows, int row, const char *column);
bool db_is_null(const struct db_rows *rows, int row, const char *column);
int64_t db_int(const struct db_rows *rows, int row, const char *column); /* 0 for NULL */
bool db_bool(const struct db_rows *rows, int row, const char *column);   /* false for NULL */

/* A text[] or uuid[] value for a parameter. */
const char *db_array(struct arena *a, const char *const *items, size_t n);

/* Prepares the statement and forgets it: for the test that prepares every one. */
bool db_prepare(struct db *db, const struct db_stmt *s, struct err *e) MUST_CHECK;

#endif
