/* Controls of the lab as a whole. */
#ifndef OMNI_LAB_CONTROL_H
#define OMNI_LAB_CONTROL_H

#include "request.h"

/* GET /lab/stats[?idle_wait_ms=]: with it, answers once no receipt is pending. */
void control_serve_stats(struct request *r);
/* POST /lab/reset */
void control_serve_reset(struct request *r);
/* The voice bridge: POST /api/sessions and /bridge/stop */
void bridge_serve_session(struct request *r);
void bridge_serve_stop(struct request *r);

#endif
