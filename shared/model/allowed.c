/*
 * allowed - one statement.
 */
#include "model/allowed.h"

#include "base/str.h"
#include "sql/statements.h"

static const char *
given(const char *id)
{
    return str_empty(id) ? NULL : id;
}

bool
allowed_of_session(struct db *db, struct arena *a, const struct allowed_for *whose,
                   struct allowed *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(
            db, a, &SQL_allowed_of_session,
            DB_PARAMS(given(whose->session_id), given(whose->profile_id), given(whose->call_id)),
            &rows, e))
        return false;
    *out = (struct allowed){ "", "[]", "[]", "" };
    if (db_count(rows) > 0)
        *out = (struct allowed){
            .instructions = db_text(rows, 0, "instructions"),
            .links = db_text(rows, 0, "links"),
            .numbers = db_text(rows, 0, "numbers"),
            .phone = db_text(rows, 0, "phone_number"),
        };
    return true;
}
