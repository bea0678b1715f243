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

/* What a provider's error code means for the message, in words: by the row's status, since who
 * reads it must know whether to send again. */
const char *channel_result_words(const char *status);

/* Adds error {code, message} to it. */
void channel_result_error(struct json_object *result, const char *code, const char *words);

#endif
