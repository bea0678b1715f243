/*
 * registry - the providers there are, and what is the same for all of them.
 */
#include <string.h>

#include "base/str.h"
#include "provider/provider.h"
#include "provider/providers.h"

#define ID_MAX 255 /* bytes; no gateway's are longer, and an index takes no text of any length */

const struct provider *const provider_all[] = {
    &provider_meta,
    &provider_mtn,
    NULL,
};

const struct provider *
provider_find(const char *name)
{
    for (size_t i = 0; provider_all[i] != NULL; i++) {
        if (str_eq(provider_all[i]->name, name))
            return provider_all[i];
    }
    return NULL;
}

const struct provider *
provider_for(const struct config *c, enum channel channel)
{
    const struct provider *p =
        channel == CHANNEL_WHATSAPP ? &provider_meta : provider_find(c->sms_providers[0]);

    if (channel == CHANNEL_VOICE || p == NULL || !p->configured(c))
        return NULL;
    return p;
}

const char *
outcome_text(enum outcome o)
{
    switch (o) {
    case OUTCOME_ACCEPTED:
        return "accepted";
    case OUTCOME_RETRY:
        return "retry";
    case OUTCOME_PERMANENT:
        return "permanent";
    case OUTCOME_AMBIGUOUS:
        return "ambiguous";
    case OUTCOME_NOTSENT:
        return "notsent";
    case OUTCOME_HOLD:
        return "hold";
    }
    return "ambiguous";
}

enum outcome
provider_status_outcome(int status)
{
    if (status >= 200 && status < 300)
        return OUTCOME_ACCEPTED;
    if (status == 429 || status == 503)
        return OUTCOME_RETRY;
    if (status == 401 || status == 403 || (status >= 300 && status < 400))
        return OUTCOME_HOLD; /* our credentials or our address are wrong: every message's matter */
    if (status >= 500)       /* a gateway may answer so after its back end accepted */
        return OUTCOME_AMBIGUOUS;
    return OUTCOME_PERMANENT;
}

const char *
provider_status_code(struct arena *a, int status)
{
    return arena_printf(a, "http_%d", status);
}

/* What the provider reads in an answer, without an id that cannot be kept. */
static struct send_result
read_answer(const struct provider *p, struct arena *a, const struct http_response *r)
{
    struct send_result result = p->read_answer(a, r);

    if (strlen(result.external_id) > ID_MAX)
        result.external_id = "";
    return result;
}

struct send_result
provider_read(const struct provider *p, struct arena *a, const struct http_response *r)
{
    switch (r->reach) {
    case HTTP_NOT_SENT:
        return (struct send_result){ OUTCOME_NOTSENT, "", "not_sent", 0, NULL };
    case HTTP_CUT:
        /* An answer that began with 2xx was an acceptance whose end we did not see. */
        if (r->status >= 200 && r->status < 300)
            return (struct send_result){ OUTCOME_ACCEPTED, "", "", 0, NULL };
        return (struct send_result){ OUTCOME_AMBIGUOUS, "", "no_answer", 0, NULL };
    case HTTP_ANSWERED:
        break;
    }
    return read_answer(p, a, r);
}
