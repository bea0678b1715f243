/*
 * config_value - what the texts of settings mean. Each parser returns NULL, or why the text is
 * refused ("must be ...").
 */
#ifndef OMNI_CORE_CONFIG_VALUE_H
#define OMNI_CORE_CONFIG_VALUE_H

#include "core/config.h"

/* One line of text: no control characters. */
const char *config_value_line(const char *text);

/* A name that may stand in a URL's path: 1 to 128 of [A-Za-z0-9._-]. */
const char *config_value_id(const char *text);

/* An https:// address without a user, or an http:// one where that is allowed. */
const char *config_value_url(const char *text, bool allow_http);

/* "15", "0.5", "12.345": a number in thousandths, within [min, max]. */
const char *config_value_decimal(struct arena *a, const char *text, int64_t min, int64_t max,
                                 int64_t *out);

/* Names of SMS gateways in order, each once; unused places of 'out' are "". */
const char *config_value_providers(struct arena *a, const char *text,
                                   const char *out[CONFIG_MAX_SMS_PROVIDERS]);

/* "+250,+256": country codes, perhaps with more digits; *out without blanks. */
const char *config_value_prefixes(struct arena *a, const char *text, const char **out);

#endif
