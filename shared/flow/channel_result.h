/*
 * channel_result - what became of a message on one channel, as every endpoint answers it.
 */
#ifndef OMNI_FLOW_CHANNEL_RESULT_H
#define OMNI_FLOW_CHANNEL_RESULT_H

#include "core/json.h"
#include "model/message.h"

/* Adds {channel, status, message_id, provider_message_id?, segments, cost_rwf} to the array and
 * returns it. */
struct json_object *channel_result_add(struct json_object *array, const struct message_state *s);

/* Adds error {code, message} to it. */
void channel_result_error(struct json_object *result, const char *code, const char *words);

#endif
