/*
 * json - the only user of json-c: parse with limits, read with names, write without printf.
 *
 * Readers never return NULL. A wrong type is an error that names the field. Trees live in an arena.
 */
#ifndef OMNI_CORE_JSON_H
#define OMNI_CORE_JSON_H

#include "base/arena.h"
#include "base/err.h"

struct json_object; /* json-c's own type travels; only json.c looks inside */

#define JSON_MAX_DEPTH 16

/* How many values one text may hold, an object or array counting as four, and how many keys one
 * object: json-c takes 800 MiB for 3 MiB of "{},", and half a second for an object of 500,000 keys.
 * Real bodies of 3 MiB stay below. */
#define JSON_MAX_VALUES  400000
#define JSON_MAX_MEMBERS 10000

/* Parses exactly one JSON text of n bytes (any value; trailing white space allowed). Refuses
 * (ERR_INVALID): more than the limits above, a key twice in one object, comments, single quotes,
 * NaN, raw control characters in strings, trailing bytes. Broken UTF-8, \u0000 and lone surrogates
 * inside strings are not an error: they are mended. Whole numbers of more than 18 digits arrive as
 * strings, with every digit. */
bool json_parse(struct arena *a, const char *bytes, size_t n, struct json_object **out,
                struct err *e) MUST_CHECK;

/* Down a path of keys and indexes, "entry.0.changes.0.value". NULL when any step is missing. */
struct json_object *json_at(struct json_object *o, const char *path);

bool json_is_object(struct json_object *o);
bool json_is_array(struct json_object *o);
bool json_is_string(struct json_object *o);
bool json_is_bool(struct json_object *o);
bool json_has(struct json_object *o, const char *key); /* present and not null */

/* A text with \u0000 in it: what is a blemish in a message is another name in an id. */
bool json_has_nul(struct json_object *o, const char *key);

/* Array length (0 when it is none) and item. */
size_t json_count(struct json_object *array);
struct json_object *json_item(struct json_object *array, size_t i);

/* The text of a field, cleaned (utf8_clean) and copied to the arena. need: must be a non-empty
 * string, else ERR_INVALID "KEY: missing" / "KEY: must be text". opt: 'fallback' when absent, null
 * or not a string. Strings longer than JSON_MAX_TEXT code points are cut. 'key' may be a path as in
 * json_at. */
#define JSON_MAX_TEXT 1048576
bool json_need_str(struct arena *a, struct json_object *o, const char *key, const char **out,
                   struct err *e) MUST_CHECK;
const char *json_opt_str(struct arena *a, struct json_object *o, const char *key,
                         const char *fallback);

/* As json_opt_str, but a number is accepted too and comes as its text: ids and times that gateways
 * write both ways. */
const char *json_opt_scalar(struct arena *a, struct json_object *o, const char *key,
                            const char *fallback);

/* Numbers: 'fallback' when absent or not a whole number (a string of digits counts as one). */
int64_t json_opt_int(struct json_object *o, const char *key, int64_t fallback);
bool json_opt_bool(struct json_object *o, const char *key, bool fallback);

/* The text of a value that is a string (an array's item), cleaned; "" otherwise. */
const char *json_text(struct arena *a, struct json_object *o);

/* Building. New trees belong to the arena until they are set into another tree. The json_set
 * functions take over the child; a NULL child or text writes null. Texts must be valid UTF-8. */
struct json_object *json_new_object(struct arena *a);
struct json_object *json_new_array(struct arena *a);
void json_set_str(struct json_object *o, const char *key, const char *text);
void json_set_int(struct json_object *o, const char *key, int64_t n);
void json_set_bool(struct json_object *o, const char *key, bool b);
void json_set_number(struct json_object *o, const char *key,
                     const char *decimal); /* "15.000", written as is */
void json_set(struct json_object *o, const char *key, struct json_object *child);
struct json_object *json_add_object(struct json_object *o,
                                    const char *key); /* o.key = {} and returns it */
struct json_object *json_add_array(struct json_object *o, const char *key);
struct json_object *json_push_object(struct json_object *array); /* appends {} and returns it */
void json_push_str(struct json_object *array, const char *text);
void json_push(struct json_object *array, struct json_object *child);

/* Compact JSON text, in the arena. */
const char *json_print(struct arena *a, struct json_object *o);

#endif
