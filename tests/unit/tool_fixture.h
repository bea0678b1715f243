/*
 * tool_fixture - a database for tools in which everything is as the test says, and which remembers
 * what it was told. Its functions stand in for those of model/tool_log.c.
 */
#ifndef OMNI_UNIT_TOOL_FIXTURE_H
#define OMNI_UNIT_TOOL_FIXTURE_H

#include "base/str.h"
#include "model/tool_log.h"
#include "unit/log_fixture.h"

#define ID_PERSON  "01990000-0000-7000-8000-00000000000a"
#define ID_OTHER   "01990000-0000-7000-8000-00000000000b"
#define ID_SESSION "01990000-0000-7000-8000-00000000005a"
#define ID_NEWER   "01990000-0000-7000-8000-00000000005b"
#define ID_STRANGE "01990000-0000-7000-8000-00000000005c"
#define ID_TURN    "01990000-0000-7000-8000-000000000070"
#define CALL       "rtc_7"
#define NUMBER     "+250788100001"

static struct tool_bond fake_bond;   /* what every question is answered with */
static struct tool_begun fake_begun; /* .id NULL: the entry's own */
static bool fake_away;               /* the database fails at the beginning of a call */
static struct {
    struct tool_named named;
    struct tool_entry begun;
    struct tool_entry refused;
    const char *refused_as;
    struct tool_ended ended;
    int n_begun;
    int n_refused;
    int n_ended;
} told;

static inline void
fake_tool_log_reset(void)
{
    memset(&told, 0, sizeof(told));
    fake_bond = (struct tool_bond){ .person = ID_PERSON,
                                    .phone = NUMBER,
                                    .session_person = ID_PERSON,
                                    .call_person = "",
                                    .call_session = "",
                                    .open_session = ID_SESSION,
                                    .phone_person = "",
                                    .turn_runs = true };
    fake_begun = (struct tool_begun){ .verdict = TOOL_RUN, .limit = "", .reply = "" };
    fake_away = false;
}

bool
tool_log_bond(struct db *db, struct arena *a, const struct tool_named *named, struct tool_bond *out,
              struct err *e)
{
    (void)db;
    (void)a;
    (void)e;
    told.named = *named;
    *out = fake_bond;
    return true;
}

bool
tool_log_begin(struct db *db, struct arena *a, const struct tool_entry *entry,
               struct tool_begun *out, struct err *e)
{
    (void)db;
    (void)a;
    if (fake_away)
        return err_set(e, ERR_TEMP, "database: away");
    told.begun = *entry;
    told.n_begun++;
    *out = fake_begun;
    if (out->id == NULL)
        out->id = entry->id;
    return true;
}

bool
tool_log_refuse(struct db *db, struct arena *a, const struct tool_entry *entry, const char *outcome,
                const char *error, struct err *e)
{
    (void)db;
    (void)a;
    (void)error;
    (void)e;
    told.refused = *entry;
    told.refused_as = outcome;
    told.n_refused++;
    return true;
}

bool
tool_log_end(struct db *db, struct arena *a, const struct tool_ended *ended, struct err *e)
{
    (void)db;
    (void)a;
    (void)e;
    told.ended = *ended;
    told.n_ended++;
    return true;
}

bool
tool_log_person(struct db *db, struct arena *a, const char *profile_id, struct tool_person *out,
                struct err *e)
{
    (void)db;
    (void)a;
    (void)profile_id;
    *out = (struct tool_person){ .last_channel = "", .call_id = "" };
    return err_set(e, ERR_BUG, "not in these tests");
}

bool
tool_log_send(struct db *db, struct arena *a, const struct tool_messages *m, struct tool_sent *out,
              struct err *e)
{
    (void)db;
    (void)a;
    (void)m;
    *out = (struct tool_sent){ .skips = "[]" };
    return err_set(e, ERR_BUG, "not in these tests");
}

#endif
