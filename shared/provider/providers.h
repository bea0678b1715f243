/*
 * providers - the names registry.c knows. One line per provider.
 */
#ifndef OMNI_PROVIDER_PROVIDERS_H
#define OMNI_PROVIDER_PROVIDERS_H

#include "provider/provider.h"

extern const struct provider provider_meta; /* wa_cloud.c, wa_webhook.c */
extern const struct provider provider_mtn;  /* sms_mtn.c */

#endif
