/*
 * flow - what every verb of the business may use: settings, the database, the network, the log.
 */
#ifndef OMNI_FLOW_FLOW_H
#define OMNI_FLOW_FLOW_H

#include "core/config.h"
#include "core/log.h"
#include "io/db.h"
#include "io/http.h"
#include "io/spool.h"
#include "io/wake.h"

struct unfinished;
struct call_actions;

struct flow {
    const struct config *config;
    struct db *db;
    struct http *http; /* NULL in programs that send nothing */
    struct log *log;
    struct spool *spool;           /* where signed events wait for the database */
    const char *worker;            /* "program:pid", the name in leases */
    struct unfinished *unfinished; /* sends still on the wire when their caller got its answer; see
                                   deliver_go_on() */
    struct call_actions *calls;    /* what is to be done about calls; NULL: nothing */
    int64_t settle_at; /* clk_mono_ms(); until then the database is not asked to take their outcomes
                        */
};

#endif
