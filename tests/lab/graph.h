/* Meta's Graph API: /graph/{version}/{phone_number_id}/messages and …/calls. */
#ifndef OMNI_LAB_GRAPH_H
#define OMNI_LAB_GRAPH_H

#include "request.h"

void graph_serve_messages(struct request *r);
void graph_serve_calls(struct request *r);

#endif
