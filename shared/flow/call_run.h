/*
 * call_run - one action from its lease to its outcome, step by step.
 */
#ifndef OMNI_FLOW_CALL_RUN_H
#define OMNI_FLOW_CALL_RUN_H

#include "flow/call_step.h"

enum run_state {
    RUN_ADDED,    /* not read yet */
    RUN_ON_WIRE,  /* a request is */
    RUN_ANSWERED, /* its answer is here */
    RUN_ENDED,    /* its outcome is to be written */
    RUN_OVER,
};

/* One action; lives in its own arena. */
struct call_run {
    struct call_job job;
    const char *id;
    enum run_state state;
    enum call_step step;
    enum call_step last; /* what is done after the outcome, whatever comes of it */
    bool tried;          /* this step once already */
    bool maybe;          /* the call may have been accepted, although nobody said so */
    bool is_last;        /* the outcome is written */
    int64_t began_ms;
    struct http_response answer; /* a copy */
    struct call_action_end end;
    struct call_run *next;
};

/* An action that this process holds; lives in an arena of its own, job.arena. */
struct call_run *call_run_new(struct flow *f, const char *id);

/* What can be done without waiting: reads the action, starts a request, reads an answer, writes the
 * outcome. False while the database is away. */
bool call_run_advance(struct flow *f, struct call_run *r) MUST_CHECK;

#endif
