/* Reading json-c objects without asking first: absent, null and wrong types give the fallback. */
#ifndef OMNI_LAB_JSON_H
#define OMNI_LAB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/* NULL when the text is not one JSON value; else matched by json_object_put. */
struct json_object *json_parse(const char *text, size_t len);
/* The text lives as long as the object. */
const char *json_str(struct json_object *o, const char *key, const char *fallback);
int64_t json_int(struct json_object *o, const char *key, int64_t fallback);
bool json_flag(struct json_object *o, const char *key, bool fallback);
bool json_has(struct json_object *o, const char *key);
/* Borrowed member; NULL when absent or when o is no object. */
struct json_object *json_get(struct json_object *o, const char *key);

void json_add_str(struct json_object *o, const char *key, const char *value);
void json_add_int(struct json_object *o, const char *key, int64_t value);
void json_add_bool(struct json_object *o, const char *key, bool value);
/* Takes the value over. */
void json_add(struct json_object *o, const char *key, struct json_object *value);
/* Compact text in memory the caller frees. */
char *json_text(struct json_object *o);

#endif
