/*
 * chat - the language model: any server that speaks OpenAI's chat completions, without streaming,
 * and its calls of tools (OpenAI API reference, chat completions).
 */
#ifndef OMNI_PROVIDER_CHAT_H
#define OMNI_PROVIDER_CHAT_H

#include "base/err.h"
#include "core/config.h"
#include "core/http_msg.h"
#include "core/json.h"

struct chat_message {
    const char *role;    /* "system", "user", "assistant"; NULL: see chat_said(), chat_told() */
    const char *content; /* words; without a role the whole message as JSON */
};

struct chat_ask {
    const char *model;    /* "" = OPENAI_MODEL */
    const char *base_url; /* "" = OPENAI_BASE_URL */
    const struct chat_message *messages;
    size_t n_messages;
    struct json_object *tools; /* an array of function definitions; NULL or empty = none */
    bool no_more_tools;        /* those it may know of, but it must answer in words now */
    int max_tokens;
    bool new_limit_name; /* the server knows the limit as max_completion_tokens only */
    const char *correlation_id;
};

/* One call of a tool that the model asks for. */
struct chat_call {
    const char *id;    /* never empty, no two of one answer are the same */
    const char *given; /* the id as the model gave it; "" if it gave none */
    const char *name;
    struct json_object *args; /* NULL: what it wrote is no JSON object */
};

struct chat_answer {
    const char *text; /* without what it thought aloud; may be empty when there are calls */
    bool is_cut;      /* max_tokens ended it, perhaps in the middle of a sentence */
    struct chat_call *calls;
    size_t n_calls;
    const char *message;   /* that of the calls, as JSON; "" without calls */
    int64_t prompt_tokens; /* 0 where the server does not count */
    int64_t completion_tokens;
};

/* What goes back to the model after calls: its own message, and one for each call with the result.
 */
struct chat_message chat_said(const struct chat_answer *answer);
struct chat_message chat_told(struct arena *a, const struct chat_call *call, const char *result);

/* The request; strings live in 'a'. The time-outs are the caller's to set. The key goes to the
 * server of OPENAI_BASE_URL only: scheme, host and port must be the same. */
void chat_build(struct arena *a, const struct config *c, const struct chat_ask *ask,
                struct http_request *out);

/*
 * Reads the answer. Fails for everything that is neither words nor calls, with e->code set:
 * "not_sent", "no_answer", "http_503", "quota" (waiting does not help), "nonsense" (no JSON, no
 * choices, empty words), "refused" (content filter or refusal), "cut" (ran into max_tokens without
 * words), "too_long" (it cannot read so much), "limit_name" (see new_limit_name).
 */
bool chat_read(struct arena *a, const struct http_response *r, struct chat_answer *out,
               struct err *e) MUST_CHECK;

/* What an answer says about its server, in agent_result()'s words: "ok" it answered, "fail" it is
 * in trouble, "hard" it refuses our key or our money is spent, "pause" it asks for peace, ""
 * nothing. 'code' is that of chat_read()'s error, "" for none. */
const char *chat_says(const char *code);

#endif
