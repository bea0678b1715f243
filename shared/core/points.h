/*
 * points - lists of short lines: the points of a summary, the next steps; from what tools store and
 * models write to lines that can stand in any message.
 */
#ifndef OMNI_CORE_POINTS_H
#define OMNI_CORE_POINTS_H

#include "core/json.h"

struct points {
    const char **lines; /* none of them empty */
    size_t n;
};

/* The text as one line: white space of every kind is one blank, none at the edges, and a list's
 * mark before it ("- ", "* ", "\u2022", "1. ", "2)") is left out. "" when nothing of it can be
 * seen. */
const char *points_line(struct arena *a, const char *text);

/* As points_line, but marks stay: for prose. */
const char *points_flat(struct arena *a, const char *text);

/* Of a JSON array of texts, or of {text: ...}; none of anything else. */
struct points points_of_array(struct arena *a, struct json_object *array);

/* The same from JSON text, as stored; "" gives none. */
struct points points_of_json(struct arena *a, const char *json);

#endif
