/*
 * meta_hook - one body, read for messages, for calls, or for both.
 */
#include "flow/meta_hook.h"

#include "base/str.h"
#include "flow/inbound.h"
#include "flow/voice.h"
#include "provider/provider.h"

static bool
accept_messages(struct flow *f, struct arena *a, const struct meta_hook *hook, bool *spooled,
                struct err *e)
{
    const struct inbound_request req = { hook->program, provider_find("meta"), hook->http, false,
                                         0 };
    struct inbound_result result;

    if (!inbound_accept(f, a, &req, &result, e))
        return false;
    *spooled = *spooled || result.spooled;
    return true;
}

static bool
accept_calls(struct flow *f, struct arena *a, const struct meta_hook *hook, bool *spooled,
             struct err *e)
{
    const struct voice_request req = { hook->program, VOICE_WHATSAPP, hook->http, 0 };
    struct voice_result result;

    if (!voice_accept(f, a, &req, &result, e))
        return false;
    *spooled = *spooled || result.spooled;
    return true;
}

bool
meta_hook_accept(struct flow *f, struct arena *a, const struct meta_hook *hook, bool *spooled,
                 struct err *e)
{
    /* As Meta spells the field's name; within a text its quotation marks would be escaped. */
    bool messages = strstr(hook->http->body, "\"messages\"") != NULL;
    bool calls = strstr(hook->http->body, "\"calls\"") != NULL;

    *spooled = false;
    if (!messages && !calls) { /* nothing for us, or nothing that can be read */
        messages = !hook->is_for_calls;
        calls = hook->is_for_calls;
    }
    /* A caller waits, a writer does not. */
    return voice_verify(f, a, VOICE_WHATSAPP, hook->http, e) &&
           (!calls || accept_calls(f, a, hook, spooled, e)) &&
           (!messages || accept_messages(f, a, hook, spooled, e));
}
