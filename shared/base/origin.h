/*
 * origin - the origin of a web page (RFC 6454), as browsers put it into the header Origin.
 */
#ifndef OMNI_BASE_ORIGIN_H
#define OMNI_BASE_ORIGIN_H

#include "base/base.h"

/* Does this Origin name the scheme, host and port of the URL? False for "null", for an empty URL
 * and for anything that is neither http nor https. */
bool origin_is_of(const char *origin, const char *url);

#endif
