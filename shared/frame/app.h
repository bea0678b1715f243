/*
 * app - a process's life: settings, log, database, network; the options every program has.
 */
#ifndef OMNI_FRAME_APP_H
#define OMNI_FRAME_APP_H

#include <signal.h>

#include "flow/flow.h"

struct app {
    struct arena *arena;
    struct config config;
    struct flow flow; /* what the flows get of all this */
};

/* Reads the settings of the groups, opens the log, prepares database and (with CFG_SEND or
 * CFG_AGENT) network. A fault is printed to standard error and, if there is a log already, there.
 * Must be matched by app_stop() if and only if it returns true. */
bool app_start(struct app *app, const char *program, unsigned groups, int db_timeout_ms) MUST_CHECK;
void app_stop(struct app *app);

/* Handles --version and --check-config. True when one of them was given; *code is then the exit
 * code. */
bool app_options(const char *program, unsigned groups, int argc, char **argv, int *code) MUST_CHECK;

/* Set by SIGTERM/SIGINT and SIGHUP once app_signals() was called. */
extern volatile sig_atomic_t app_stopping;
extern volatile sig_atomic_t app_hangup;

void app_signals(void);

#endif
