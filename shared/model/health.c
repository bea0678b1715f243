/*
 * health - heartbeats and the backlog.
 */
#include "model/health.h"

#include "sql/statements.h"

bool
health_beat(struct db *db, struct arena *a, const char *job, struct err *e)
{
    struct db_rows *rows;

    return db_run(db, a, &SQL_heartbeat, DB_PARAMS(job), &rows, e);
}

bool
health_read(struct db *db, struct arena *a, struct health *out, struct err *e)
{
    struct db_rows *rows;

    if (!db_run(db, a, &SQL_health, DB_NONE, &rows, e))
        return false;
    *out = (struct health){
        .worker_age_s = db_int(rows, 0, "worker_age_s"),
        .cron_age_s = db_int(rows, 0, "cron_age_s"),
        .due = db_int(rows, 0, "due"),
        .oldest_s = db_int(rows, 0, "oldest_s"),
        .needs_human = db_int(rows, 0, "needs_human"),
        .paused = db_text(rows, 0, "paused"),
    };
    return true;
}
