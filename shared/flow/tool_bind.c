/*
 * tool_bind - the binding of a call to one person, and what the operator's arguments belong to.
 */
#include "flow/tool_bind.h"

#include "base/str.h"

/* What a token says, an argument need not. */
static bool
is_bound_field(const char *name)
{
    static const char *const fields[] = { "profile_id", "phone_number", "session_id", "call_id" };

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (str_eq(fields[i], name))
            return true;
    }
    return false;
}

static bool
is_of_operator(struct arena *a, const struct tool *t, const char *name)
{
    size_t n;
    char **names = str_split(a, t->of_operator != NULL ? t->of_operator : "", '|', &n);

    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], name))
            return true;
    }
    return false;
}

/* What only the operator gives is passed over, like any argument that the tool does not have. */
static void
drop_operators(const struct tool *t, struct tool_call *call)
{
    for (size_t i = 0; i < *t->n_params; i++) {
        if (is_of_operator(call->arena, t, t->params[i].name) &&
            json_has(call->args, t->params[i].name))
            json_set(call->args, t->params[i].name, NULL);
    }
}

const struct param *
tool_bind_params(struct arena *a, const struct tool *t, size_t *n)
{
    struct param *kept = arena_array(a, *t->n_params + 1, sizeof(*kept));

    *n = 0;
    for (size_t i = 0; i < *t->n_params; i++) {
        if (!is_bound_field(t->params[i].name) && !is_of_operator(a, t, t->params[i].name))
            kept[(*n)++] = t->params[i];
    }
    return kept;
}

static bool
has_field(const struct tool *t, const char *name)
{
    for (size_t i = 0; i < *t->n_params; i++) {
        if (str_eq(t->params[i].name, name))
            return true;
    }
    return false;
}

bool
tool_allowed(const struct tool_caller *caller, const struct tool *t)
{
    const char *list = caller->tools != NULL ? caller->tools : "";
    size_t n = strlen(t->name);

    if (caller->is_operator)
        return true;
    if (t->operator_only)
        return false;
    for (const char *at = list; *at != '\0'; at += strcspn(at, ",")) {
        at += strspn(at, ", ");
        if (strncmp(at, t->name, n) == 0 && (at[n] == '\0' || at[n] == ',' || at[n] == ' '))
            return true;
    }
    return false;
}

static const char *
text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

struct tool_caller
tool_caller_of(const struct token *t)
{
    return (struct tool_caller){
        .profile_id = t->profile_id,
        .session_id = t->session_id,
        .call_id = t->call_id,
        .turn_id = t->turn_id,
        .turn_token = t->turn_token,
        .tools = t->tools,
    };
}

struct tool_entry
tool_bind_entry(const struct tool_call *call, const struct tool *t)
{
    const struct tool_caller *c = call->caller;
    struct tool_entry entry = {
        .tool = t->name,
        .caller = c->is_operator           ? "operator"
                  : !str_empty(c->turn_id) ? "turn"
                  : !str_empty(c->call_id) ? "call"
                                           : "bound",
        .profile_id = text_or_empty(c->profile_id),
        .session_id = text_or_empty(c->session_id),
        .call_id = text_or_empty(c->call_id),
        .turn_id = text_or_empty(c->turn_id),
        .key = "",
        .hash = "",
        .counts = t->sends && !t->operator_only,
    };

    return entry;
}

/* Ids are compared as they are written: ours are lower case, and a model copies them. */
static bool
is_given_other(const struct tool_call *call, const char *name, const char *bound)
{
    const char *given = json_opt_scalar(call->arena, call->args, name, "");

    return !str_empty(given) && (str_empty(bound) || !str_eq_nocase(given, bound));
}

/* The number in E.164; "" when there is none or it cannot be read (the check of the arguments says
 * so). */
static const char *
given_phone(const struct tool_call *call)
{
    const char *text = json_opt_scalar(call->arena, call->args, "phone_number", "");
    struct phone phone;
    struct err ignored = { 0 };

    if (str_empty(text) || !phone_parse(text, "phone_number", &phone, &ignored))
        return "";
    return arena_strdup(call->arena, phone.e164);
}

/* Puts what is bound into the arguments that the tool knows. */
static void
fill_in(const struct tool *t, struct tool_call *call, const char *name, const char *value)
{
    if (has_field(t, name))
        json_set_str(call->args, name, str_empty(value) ? NULL : value);
}

/* The conversation of a bound call: the token's, else its call's, else the person's open one. */
static const char *
bound_session(const struct tool_caller *c, const struct tool_bond *bond)
{
    if (!str_empty(c->session_id))
        return c->session_id;
    return str_empty(bond->call_session) ? bond->open_session : bond->call_session;
}

/* A call's own conversation may have become another than the token's: both are its person's. */
static bool
is_given_other_session(const struct tool_call *call, const struct tool_bond *bond)
{
    const struct tool_caller *c = call->caller;

    return is_given_other(call, "session_id", c->session_id) &&
           (!str_empty(c->turn_id) || (is_given_other(call, "session_id", bond->call_session) &&
                                       is_given_other(call, "session_id", bond->open_session)));
}

static bool
check_bound(const struct tool_call *call, const struct tool_bond *bond, struct err *e)
{
    const struct tool_caller *c = call->caller;
    const char *phone = json_opt_scalar(call->arena, call->args, "phone_number", "");

    if (str_empty(bond->person) ||
        (!str_empty(bond->session_person) && !str_eq(bond->session_person, bond->person)) ||
        (!str_empty(bond->call_person) && !str_eq(bond->call_person, bond->person)))
        return err_set(e, ERR_FORBIDDEN, "Authorization: for nobody we know");
    if (!str_empty(c->turn_id) && !bond->turn_runs)
        return err_set(e, ERR_FORBIDDEN, "Authorization: of a turn that is over");
    if (is_given_other(call, "profile_id", c->profile_id) &&
        is_given_other(call, "profile_id", bond->person))
        return err_set(e, ERR_FORBIDDEN, "profile_id: not of this conversation");
    if (is_given_other(call, "call_id", c->call_id))
        return err_set(e, ERR_FORBIDDEN, "call_id: not of this conversation");
    if (is_given_other_session(call, bond))
        return err_set(e, ERR_FORBIDDEN, "session_id: not of this conversation");
    if (!str_empty(phone) && !str_eq(bond->phone_person, bond->person))
        return err_set(e, ERR_FORBIDDEN, "phone_number: not of this conversation");
    return true;
}

static bool
bind_to_caller(struct flow *f, const struct tool *t, struct tool_call *call,
               struct tool_entry *entry, struct err *e)
{
    const struct tool_caller *c = call->caller;
    const struct tool_named named = { c->profile_id, c->session_id, c->call_id,
                                      c->turn_id,    c->turn_token, given_phone(call) };
    struct tool_bond bond;

    if (!tool_log_bond(f->db, call->arena, &named, &bond, e) || !check_bound(call, &bond, e))
        return false;
    if (str_empty(json_opt_scalar(call->arena, call->args, "session_id", "")))
        entry->session_id = bound_session(c, &bond);
    else
        entry->session_id = json_opt_str(call->arena, call->args, "session_id", "");
    entry->profile_id = bond.person;
    drop_operators(t, call);
    fill_in(t, call, "profile_id", bond.person);
    fill_in(t, call, "session_id", entry->session_id);
    fill_in(t, call, "call_id", c->call_id);
    fill_in(t, call, "phone_number", bond.phone);
    return true;
}

/* The operator may name anybody; what is named together must belong together. */
static bool
check_operator(const struct tool_named *named, const struct tool_bond *bond, const char *person,
               struct err *e)
{
    if (!str_empty(named->session_id) && str_empty(bond->session_person))
        return err_set(e, ERR_NOT_FOUND, "session_id: no such conversation");
    if (!str_empty(named->profile_id) && str_empty(bond->person))
        return err_set(e, ERR_NOT_FOUND, "profile_id: no such person");
    if (str_empty(person))
        return true;
    if (!str_empty(bond->session_person) && !str_eq(bond->session_person, person))
        return err_set(e, ERR_INVALID, "session_id: a conversation of somebody else");
    if (!str_empty(named->profile_id) && !str_empty(named->phone) &&
        !str_eq(bond->phone_person, person))
        return err_set(e, ERR_INVALID, "phone_number: not this person's");
    return true;
}

static bool
bind_operator(struct flow *f, const struct tool *t, struct tool_call *call,
              struct tool_entry *entry, struct err *e)
{
    const struct tool_named named = {
        has_field(t, "profile_id") ? json_opt_str(call->arena, call->args, "profile_id", "") : "",
        has_field(t, "session_id") ? json_opt_str(call->arena, call->args, "session_id", "") : "",
        json_opt_scalar(call->arena, call->args, "call_id", ""),
        "",
        0,
        given_phone(call),
    };
    struct tool_bond bond;

    if (!param_check(t->params, *t->n_params, call->args, e) ||
        !tool_log_bond(f->db, call->arena, &named, &bond, e))
        return false;
    entry->session_id = named.session_id;
    entry->profile_id = bond.person;
    if (!str_empty(bond.person))
        fill_in(t, call, "profile_id", bond.person);
    else
        entry->profile_id =
            str_empty(bond.session_person) ? bond.phone_person : bond.session_person;
    return check_operator(&named, &bond, entry->profile_id, e);
}

bool
tool_bind(struct flow *f, const struct tool *t, struct tool_call *call, struct tool_entry *entry,
          struct err *e)
{
    if (!json_is_object(call->args))
        return err_set(e, ERR_INVALID, "body: must be a JSON object");
    if (!tool_allowed(call->caller, t))
        return err_set(e, ERR_FORBIDDEN, "Authorization: not for this tool");
    return call->caller->is_operator ? bind_operator(f, t, call, entry, e)
                                     : bind_to_caller(f, t, call, entry, e);
}
