/*
 * app - starting and ending a process.
 */
#include "frame/app.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crash.h"
#include "base/str.h"

volatile sig_atomic_t app_stopping;
volatile sig_atomic_t app_hangup;

static void
on_stop(int number)
{
    (void)number;
    app_stopping = 1;
}

static void
on_hangup(int number)
{
    (void)number;
    app_hangup = 1;
}

void
app_signals(void)
{
    struct sigaction stop = { .sa_handler = on_stop };
    struct sigaction hangup = { .sa_handler = on_hangup };

    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGHUP, &hangup, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of write() */
}

static bool
open_all(struct app *app, const char *program, int db_timeout_ms, struct err *e)
{
    struct flow *f = &app->flow;

    if (!log_open(program, app->config.log_to, app->config.log_level, &f->log, e))
        return false;
    log_set_phone_key(f->log, app->config.service_role_key.now);
    if ((app->config.groups & (CFG_SEND | CFG_AGENT)) != 0 &&
        !http_open(app->config.allow_http, &f->http, e))
        return false;
    f->spool = spool_new(app->arena, app->config.spool_dir, app->config.spool_max_files,
                         app->config.spool_max_mb);
    f->db = db_new(app->config.database_url, program, db_timeout_ms);
    f->config = &app->config;
    f->worker = arena_printf(app->arena, "%s:%ld", program, (long)getpid());
    return true;
}

/* A webhook without its spool works, but for the time the database is away: said while there is
 * still time. */
static void
check_spool(struct app *app)
{
    struct err e = { 0 };

    if ((app->config.groups & (CFG_SMS_HOOK | CFG_WA_HOOK | CFG_VOICE)) != 0 &&
        spool_check(app->flow.spool, &e) != SPOOL_OK)
        log_event(app->flow.log, SPOOL_FAILED, LF_ERR(&e));
}

bool
app_start(struct app *app, const char *program, unsigned groups, int db_timeout_ms)
{
    struct err e = { 0 };

    *app = (struct app){ .arena = arena_new() };
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core file ever holds a secret or a text */
    if (config_load(app->arena, groups, &app->config, &e) &&
        open_all(app, program, db_timeout_ms, &e)) {
        CRASH_ARM(program, app->config.crash_at);
        log_event(app->flow.log, PROGRAM_START, LF_ID("version", OMNI_VERSION));
        check_spool(app);
        return true;
    }
    (void)fprintf(stderr, "%s: %s\n", program, e.text);
    log_event(app->flow.log, PROGRAM_FAILED, LF_ERR(&e));
    app_stop(app);
    return false;
}

void
app_stop(struct app *app)
{
    if (app->flow.db != NULL)
        log_event(app->flow.log, PROGRAM_STOP, LF_INT("pid", getpid()));
    db_close(&app->flow.db);
    http_close(&app->flow.http);
    log_close(&app->flow.log);
    arena_free(&app->arena);
}

static int
check_config(const char *program, unsigned groups)
{
    struct arena *a = arena_new();
    struct buf out = buf_init(a, 64 * 1024);
    struct config c;
    struct err e = { 0 };
    bool ok = config_load(a, groups, &c, &e);

    if (ok) {
        config_print(&c, &out);
        (void)fputs(out.data, stdout);
    } else {
        (void)fprintf(stderr, "%s: %s\n", program, e.text);
    }
    arena_free(&a);
    return ok ? 0 : 1;
}

bool
app_options(const char *program, unsigned groups, int argc, char **argv, int *code)
{
    *code = 0;
    if (argc > 1 && str_eq(argv[1], "--version")) {
        (void)printf("%s %s\n", program, OMNI_VERSION);
        return true;
    }
    if (argc > 1 && str_eq(argv[1], "--check-config")) {
        *code = check_config(program, groups);
        return true;
    }
    return false;
}
