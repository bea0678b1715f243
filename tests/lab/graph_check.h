/* The rules of the Cloud API that a message can break. */
#ifndef OMNI_LAB_GRAPH_CHECK_H
#define OMNI_LAB_GRAPH_CHECK_H

#include "json.h"
#include "util.h"

/* What a valid message shows on the phone. */
struct graph_view {
    const char *kind; /* literal; NULL until the type is known */
    struct buf text;
    const char *template_name; /* lives as long as the message */
};

/* 0 and the view of a message in order; else the error code and its details, a literal. The view
 * must be matched by buf_free(&view->text) either way. */
long graph_check(struct json_object *message, struct graph_view *view, const char **details);
/* The same of an action on a call, 'o'. */
long graph_check_call(struct json_object *o, const char **details);

#endif
