/* Which handler serves which path. */
#ifndef OMNI_LAB_ROUTES_H
#define OMNI_LAB_ROUTES_H

#include "request.h"

/* Calls the handler, or answers 404 or 405. */
void routes_dispatch(struct request *r);

#endif
