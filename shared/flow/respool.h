/*
 * respool - what waited in the spool goes into the database.
 */
#ifndef OMNI_FLOW_RESPOOL_H
#define OMNI_FLOW_RESPOOL_H

#include "flow/flow.h"

/*
 * Takes events out of the spool, oldest first, for about budget_ms; *more says that some are left.
 * Nothing happens while another process does it. An event is removed after its commit: dying in
 * between means a repeat, which changes nothing. One that cannot be taken at all is set aside.
 * False (ERR_TEMP): the database or the disk is away, the rest waits.
 */
bool respool_run(struct flow *f, int budget_ms, bool *more, struct err *e) MUST_CHECK;

#endif
