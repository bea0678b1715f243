/*
 * call_args - two tables over one set of fields.
 */
#include "flow/call_args.h"

#include "base/clk.h"
#include "base/str.h"
#include "core/phone.h"

#define WORD_CHANNEL                                                                               \
    {                                                                                              \
        "channel", PARAM_WORD, false, 0, "sip|whatsapp", "How the call came."                      \
    }
#define STARTED                                                                                    \
    {                                                                                              \
        "started_at", PARAM_TIME, false, 0, NULL, "When the call began."                           \
    }
#define ENDED_AT                                                                                   \
    {                                                                                              \
        "ended_at", PARAM_TIME, false, 0, NULL, "When it ended."                                   \
    }
#define ANSWERED                                                                                   \
    {                                                                                              \
        "answered", PARAM_BOOL, false, 0, NULL, "Whether it was answered."                         \
    }
#define WAIT                                                                                       \
    {                                                                                              \
        "wait", PARAM_BOOL, false, 0, NULL, "False: answer at once, the rest happens by itself."   \
    }

const struct param call_args_full[] = {
    { "call_id", PARAM_ID, true, 0, NULL, "The call's id." },
    { "phone_number", PARAM_PHONE, false, 0, NULL,
      "The caller's number, with country code. Required for a call that is not known yet." },
    WORD_CHANNEL,
    { "summary", PARAM_TEXT, false, 100000, NULL, "What was said and agreed, in their language." },
    { "bullets", PARAM_TEXTS, false, 4000, NULL, "The same as three to five points; preferred." },
    { "transcript", PARAM_TEXT, false, 1048576, NULL, "The words of the call, without a summary." },
    { "next_actions", PARAM_TEXTS, false, 4000, NULL, "What happens next, a short line each." },
    { "main_intent", PARAM_TEXT, false, 2000, NULL, "What the caller wanted, in a few words." },
    { "language", PARAM_TEXT, false, 100, NULL, "The caller's language: rw, en, fr or sw." },
    STARTED,
    ENDED_AT,
    ANSWERED,
    { "ended", PARAM_BOOL, false, 0, NULL, "True when the call is over: the summary goes out." },
    WAIT,
};
const size_t call_args_full_n = COUNT_OF(call_args_full);

const struct param call_args_end[] = {
    { "call_id", PARAM_ID, false, 0, NULL, "The provider's id of the call." },
    { "sip_call_id", PARAM_CALLID, false, 0, NULL, "Its SIP Call-ID." },
    /* phone_number is read for an unknown call only: nobody minds what it is for another. */
    WORD_CHANNEL,
    STARTED,
    ENDED_AT,
    ANSWERED,
    WAIT,
};
const size_t call_args_end_n = COUNT_OF(call_args_end);

static const char *
array_text(struct arena *a, struct json_object *args, const char *name)
{
    return json_has(args, name) ? json_print(a, json_at(args, name)) : "";
}

static int64_t
time_of(struct arena *a, struct json_object *args, const char *name)
{
    int64_t ms = 0;

    return clk_parse(json_opt_scalar(a, args, name, ""), &ms) ? ms : 0;
}

static const char *
flag_of(struct json_object *args, const char *name)
{
    if (!json_has(args, name))
        return "";
    return json_opt_bool(args, name, false) ? "t" : "f";
}

/* What is wrong with the number; "" if it can be read, or is none. */
static const char *
read_phone(struct arena *a, struct json_object *args, struct phone *out)
{
    const char *number = json_opt_scalar(a, args, "phone_number", "");
    struct err why = { 0 };

    *out = (struct phone){ "" };
    if (!json_has(args, "phone_number") || phone_parse(number, "phone_number", out, &why))
        return "";
    *out = (struct phone){ "" };
    return arena_strdup(a, why.text);
}

bool
call_args_read(struct arena *a, struct json_object *args, struct call_facts *out, struct err *e)
{
    struct phone *phone = arena_alloc(a, sizeof(*phone));
    const char *no_phone = read_phone(a, args, phone);
    enum language l;

    *out = (struct call_facts){
        .call_id = json_opt_str(a, args, "call_id", ""),
        .sip_call_id = json_opt_str(a, args, "sip_call_id", ""),
        .phone = phone->e164,
        .no_phone = no_phone,
        .channel = json_opt_str(a, args, "channel", ""),
        .summary = json_opt_str(a, args, "summary", ""),
        .bullets = array_text(a, args, "bullets"),
        .next_actions = array_text(a, args, "next_actions"),
        .transcript = json_opt_str(a, args, "transcript", ""),
        .intent = json_opt_str(a, args, "main_intent", ""),
        .language =
            language_find(json_opt_str(a, args, "language", ""), &l) ? language_text(l) : "",
        .started_ms = time_of(a, args, "started_at"),
        .ended_ms = time_of(a, args, "ended_at"),
        .answered = flag_of(args, "answered"),
        .is_over = json_opt_bool(args, "ended", false),
    };
    if (str_empty(out->call_id) && str_empty(out->sip_call_id))
        return err_set(e, ERR_INVALID, "call_id: missing");
    return true;
}
