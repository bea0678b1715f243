/*
 * tool_send - a message that an agent or an operator asks for: on the channels that were named and
 * on no other, with a reason for each that it does not go out on.
 */
#ifndef OMNI_FLOW_TOOL_SEND_H
#define OMNI_FLOW_TOOL_SEND_H

#include "flow/plan.h"
#include "flow/tool.h"

/* The arguments of the three messaging tools. */
extern const struct param tool_send_params[];
extern const size_t tool_send_params_n;

enum {
    TOOL_BY_WHATSAPP = 1 << CHANNEL_WHATSAPP,
    TOOL_BY_SMS = 1 << CHANNEL_SMS,
};

/* Sends the message of the arguments on these channels, and fills in {status, channels[]}. */
bool tool_send(struct flow *f, struct tool_call *call, unsigned channels, struct err *e) MUST_CHECK;

/* The same for an operator, on the channel that the person of the conversation used last. */
bool tool_send_by_operator(struct flow *f, struct tool_call *call, struct err *e) MUST_CHECK;

/* The plan for a message on these channels: pure. Steps of other channels do not send, and have no
 * reason. */
struct plan tool_send_plan(const struct config *c, const struct person *person, unsigned channels,
                           enum message_type type);

/* sent | pending | partial | failed | unknown, from the states of its rows and the channels that
 * have none. */
struct message_state;
const char *tool_send_status(const struct message_state *states, size_t n, size_t n_skipped);

#endif
