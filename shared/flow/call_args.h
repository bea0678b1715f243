/*
 * call_args - the facts of a call as the voice agent's tool and the end-of-call hook give them:
 * their tables of arguments, and the reading of what was checked against them.
 */
#ifndef OMNI_FLOW_CALL_ARGS_H
#define OMNI_FLOW_CALL_ARGS_H

#include "core/param.h"
#include "model/call_log.h"

/* Of call_log_summary: everything, call_id required; phone_number is, too, unless the call is known
 * (call_log_named()). */
extern const struct param call_args_full[];
extern const size_t call_args_full_n;

/* Of post-call-notify: what a hang-up knows. */
extern const struct param call_args_end[];
extern const size_t call_args_end_n;

/*
 * The facts in checked arguments; what a table does not have is simply absent. is_over is "ended".
 * ERR_INVALID when neither call_id nor sip_call_id is there. Strings live in 'a'.
 */
bool call_args_read(struct arena *a, struct json_object *args, struct call_facts *out,
                    struct err *e) MUST_CHECK;

#endif
