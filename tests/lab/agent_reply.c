/*
 * The agent's own replies, a pure function of the prompt. It proves that the prompt holds what it
 * should: it repeats what the user wrote, and quotes the call's summary if it was told of a call.
 */
#include "agent_reply.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"
#include "util.h"

#define ECHO_CHARS    200
#define SUMMARY_CHARS 60
#define SUMMARY_MARK  "Call summary:"

/* content is a string or an array of parts with text. */
static void
add_content(struct buf *b, struct json_object *content)
{
    if (json_object_is_type(content, json_type_string)) {
        buf_str(b, json_object_get_string(content));
    } else if (json_object_is_type(content, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(content); i++) {
            buf_str(b, json_str(json_object_array_get_idx(content, i), "text", ""));
        }
    }
}

/* All messages of a role, or the last one only. */
static char *
text_of_role(struct json_object *prompt, const char *role, bool last_only)
{
    struct buf b = { 0 };
    buf_add(&b, "", 0);
    struct json_object *messages = json_get(prompt, "messages");
    bool is_list = json_object_is_type(messages, json_type_array);
    size_t n = is_list ? json_object_array_length(messages) : 0;
    for (size_t i = 0; i < n; i++) {
        struct json_object *message = json_object_array_get_idx(messages, i);
        if (strcmp(json_str(message, "role", ""), role) == 0) {
            b.len = last_only ? 0 : b.len;
            add_content(&b, json_get(message, "content"));
            buf_char(&b, '\n');
        }
    }
    b.data[b.len > 0 ? b.len - 1 : 0] = '\0';
    return b.data;
}

char *
agent_last_user(struct json_object *prompt)
{
    return text_of_role(prompt, "user", true);
}

/* The text behind the mark at the beginning of a line, NULL if no line has it. */
static const char *
find_summary(const char *system)
{
    for (const char *line = system; line != NULL;) {
        line += strspn(line, " \t#*-");
        if (strncasecmp(line, SUMMARY_MARK, strlen(SUMMARY_MARK)) == 0) {
            line += strlen(SUMMARY_MARK);
            return line + strspn(line, " \t\r\n*");
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return NULL;
}

/* "budget … 250k": the number and its k. */
static bool
find_budget(const char *said, char out[32])
{
    regex_t pattern;
    regmatch_t match[2];
    if (regcomp(&pattern, "budget[^0-9]*([0-9]+k?)", REG_EXTENDED | REG_ICASE) != 0) {
        return false;
    }
    bool is_found = regexec(&pattern, said, 2, match, 0) == 0;
    regfree(&pattern);
    size_t len = is_found ? (size_t)(match[1].rm_eo - match[1].rm_so) : 0;
    if (len == 0 || len >= 32) {
        return false;
    }
    memcpy(out, said + match[1].rm_so, len);
    out[len] = '\0';
    return true;
}

char *
agent_own_reply(struct json_object *prompt)
{
    char *said = agent_last_user(prompt);
    char *system = text_of_role(prompt, "system", false);
    char budget[32];
    struct buf b = { 0 };
    if (find_budget(said, budget)) {
        buf_str(&b, "Noted: your budget is now ");
        buf_str(&b, budget);
        buf_str(&b, ".");
    } else {
        buf_str(&b, "OK: ");
        buf_add(&b, said, utf8_clip(said, ECHO_CHARS));
    }
    const char *summary = find_summary(system);
    if (summary != NULL) {
        size_t line = strcspn(summary, "\r\n");
        size_t clip = utf8_clip(summary, SUMMARY_CHARS);
        buf_str(&b, " That is about your call: ");
        buf_add(&b, summary, line < clip ? line : clip);
    }
    free(said);
    free(system);
    return b.data;
}
