/*
 * checkup - is this system fit to take work? What /healthz answers.
 */
#ifndef OMNI_FLOW_CHECKUP_H
#define OMNI_FLOW_CHECKUP_H

#include "core/json.h"
#include "flow/flow.h"

/* Fills in {status: ok|degraded|down, checks, backlog, version}. False when it is down: neither
 * the database nor the spool can take anything. */
bool checkup_report(struct flow *f, struct arena *a, struct json_object *reply);

#endif
