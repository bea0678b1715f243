/*
 * deadletter - messages that were given up, for the operator: listing them, and sending one again.
 */
#ifndef OMNI_FLOW_DEADLETTER_H
#define OMNI_FLOW_DEADLETTER_H

#include <stdio.h>

#include "flow/flow.h"

/* Prints the newest thousand, one a line, no number and no text among them. Returns the exit code.
 */
int deadletter_list(struct flow *f, FILE *out);

/* Makes the new row and pokes the worker; says on 'out' what was done. Exit code 0 also when it was
 * replayed before. */
int deadletter_replay(struct flow *f, const char *id, FILE *out);

#endif
