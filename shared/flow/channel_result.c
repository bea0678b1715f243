/*
 * channel_result - one row's state as JSON.
 */
#include "flow/channel_result.h"

#include "base/str.h"

struct json_object *
channel_result_add(struct json_object *array, const struct message_state *s)
{
    struct json_object *c = json_push_object(array);

    json_set_str(c, "channel", s->channel);
    json_set_str(c, "status", s->status);
    json_set_str(c, "message_id", s->id);
    if (!str_empty(s->external_id))
        json_set_str(c, "provider_message_id", s->external_id);
    json_set_int(c, "segments", s->segments);
    json_set_number(c, "cost_rwf", s->cost_rwf);
    return c;
}

const char *
channel_result_words(const char *status)
{
    static const struct {
        const char *status;
        const char *words;
    } rows[] = {
        { "failed", "the provider did not take it yet; it is tried again by itself" },
        { "pending", "the provider did not take it yet; it is tried again by itself" },
        { "sending", "the provider did not take it yet; it is tried again by itself" },
        { "unknown", "no answer came, so it may have been sent; do not send it again" },
        { "undelivered", "the provider took it, but it did not arrive" },
        { "suppressed", "it is not sent" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(rows[i].status, status))
            return rows[i].words;
    }
    return "the provider did not take it";
}

void
channel_result_error(struct json_object *result, const char *code, const char *words)
{
    struct json_object *error = json_add_object(result, "error");

    json_set_str(error, "code", code);
    json_set_str(error, "message", words);
}
