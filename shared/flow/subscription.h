/*
 * subscription - Meta's check that a webhook's address is ours (Graph API, webhooks: verification
 * requests).
 */
#ifndef OMNI_FLOW_SUBSCRIPTION_H
#define OMNI_FLOW_SUBSCRIPTION_H

#include "core/config.h"
#include "core/http_msg.h"

/* *challenge is what to answer. ERR_FORBIDDEN for a wrong token, ERR_INVALID for a challenge that
 * is no plain word, ERR_UNAVAILABLE where WA_VERIFY_TOKEN is not set. */
bool subscription_check(struct arena *a, const struct config *c, const struct incoming_http *in,
                        const char **challenge, struct err *e) MUST_CHECK;

#endif
