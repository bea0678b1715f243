/*
 * sms_mtn - the JSON gateway: one request per text however long, HMAC-SHA256 of the
 * raw body on what it sends us.
 */
#include "base/clk.h"
#include "base/hmac.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/json.h"
#include "provider/providers.h"

#define PARTS_MAX       20 /* of one text; phones and operators stop well below */
#define COST_MAX_DIGITS 6  /* before the point, and behind it */

static bool
configured(const struct config *c)
{
    return !str_empty(c->mtn_sms_api_key.now) && !str_empty(c->mtn_sms_api_url);
}

static bool
build(struct arena *a, const struct config *c, const struct outbound *m, struct http_request *out,
      struct err *e)
{
    struct json_object *body = json_new_object(a);
    const char **headers = arena_array(a, 5, sizeof(*headers));

    if (str_empty(m->to) || m->to_is_bsuid || str_empty(m->text))
        return err_set(e, ERR_PERM, "mtn: a message without number or text");
    json_set_str(body, "sender", c->mtn_sms_sender_id);
    json_set_str(body, "recipient", m->to);
    json_set_str(body, "message", m->text);
    json_set_str(body, "reference", m->id);
    headers[0] = "Content-Type: application/json";
    headers[1] = arena_printf(a, "Authorization: Bearer %s", c->mtn_sms_api_key.now);
    headers[2] = arena_printf(a, "X-API-Secret: %s", c->mtn_sms_api_secret.now);
    headers[3] = arena_printf(a, "X-Correlation-Id: %s", m->correlation_id);
    *out = (struct http_request){ .method = "POST", .url = c->mtn_sms_api_url, .headers = headers };
    out->body = json_print(a, body);
    out->body_len = strlen(out->body);
    return true;
}

/* Francs, as a number or a text of one; NULL when there is none, or nonsense. */
static const char *
read_cost(struct arena *a, struct json_object *answer)
{
    const char *cost = str_trim(a, json_opt_scalar(a, answer, "cost", ""));
    size_t whole = strspn(cost, "0123456789");
    size_t rest = cost[whole] == '.' ? 1 + strspn(cost + whole + 1, "0123456789") : 0;

    if (whole == 0 || whole > COST_MAX_DIGITS || rest > COST_MAX_DIGITS || rest == 1 ||
        cost[whole + rest] != '\0')
        return NULL;
    return cost;
}

static struct send_result
read_answer(struct arena *a, const struct http_response *r)
{
    struct send_result result = { provider_status_outcome(r->status), "", "", r->retry_after_s,
                                  NULL };
    struct json_object *answer = NULL;
    struct err ignored = { 0 };

    if (result.outcome != OUTCOME_ACCEPTED) {
        result.error_code = provider_status_code(a, r->status);
        return result;
    }
    /* 2xx is taken, whatever the words say; without an id no report can be matched but by our
     * reference. */
    if (json_parse(a, r->body, r->body_len, &answer, &ignored)) {
        result.external_id = json_opt_scalar(a, answer, "message_id", "");
        if (str_empty(result.external_id))
            result.external_id = json_opt_scalar(a, answer, "id", "");
        result.cost_rwf = read_cost(a, answer);
    }
    return result;
}

static bool
verify(struct arena *a, const struct config *c, const struct incoming_http *in, struct err *e)
{
    const char *given = incoming_header(in, "X-MTN-Signature");

    (void)a;
    if (str_empty(c->mtn_webhook_secret.now))
        return err_set(e, ERR_UNAVAILABLE, "MTN_WEBHOOK_SECRET: not set");
    if (str_starts(given, "sha256="))
        given += strlen("sha256=");
    if (!secret_signed_hex(&c->mtn_webhook_secret, in->body, in->body_len, given))
        return err_set(e, ERR_AUTH, "X-MTN-Signature: missing or wrong");
    return true;
}

static const char *
id_from_content(struct arena *a, struct json_object *body, const char *time)
{
    unsigned char digest[HMAC_SIZE];
    const char *content = arena_printf(a, "%s|%s|%s|%s", json_opt_scalar(a, body, "from", ""),
                                       json_opt_scalar(a, body, "to", ""), time,
                                       json_opt_str(a, body, "message", ""));

    hmac_digest(content, strlen(content), digest);
    return arena_printf(a, "sha256:%s", str_hex(a, digest, sizeof(digest)));
}

/* A gateway that gives no id: the same content at the same gateway time is the same message. If it
 * gives no time either, only the database knows whether the same words are a repeat: it depends on
 * when they came last, and on what was said in between. */
static void
make_id(struct arena *a, struct json_object *body, int64_t received_at_ms, struct inbound *m)
{
    const char *time = json_opt_scalar(a, body, "timestamp", "");

    if (!str_empty(time)) {
        m->external_id = id_from_content(a, body, time);
        return;
    }
    /* The parts of a long text may have the same words. */
    m->words_id = id_from_content(a, body,
                                  arena_printf(a, "%s %s", json_opt_scalar(a, body, "ref", ""),
                                               json_opt_scalar(a, body, "part", "")));
    m->external_id = arena_printf(a, "%s@%lld", m->words_id, (long long)received_at_ms);
}

/* A long text may come as parts that share a ref, and perhaps their id too. */
static void
read_part(struct arena *a, struct json_object *body, struct inbound *m)
{
    int64_t part = json_opt_int(body, "part", 1);
    int64_t parts = json_opt_int(body, "parts", 1);
    const char *ref = json_opt_scalar(a, body, "ref", "");

    m->part = m->parts = 1;
    m->ref = "";
    if (parts < 2 || part < 1 || part > parts)
        return;
    m->external_id = arena_printf(a, "%s:%lld", m->external_id, (long long)part);
    if (parts > PARTS_MAX || str_empty(ref))
        return; /* nobody can put them together; each is a message, and none a double */
    m->part = (int)part;
    m->parts = (int)parts;
    m->ref = ref;
}

static void
unreadable(struct webhook_items *out, struct arena *a, const char *why)
{
    out->unreadable = arena_array(a, 1, sizeof(*out->unreadable));
    out->unreadable[0] = why;
    out->n_unreadable = 1;
}

/* Who is never answered, in a word; "" for everybody else. What our own number seems to send to
 * itself would never end. */
static const char *
unanswered_word(struct json_object *body, struct arena *a)
{
    const char *from = json_opt_scalar(a, body, "from", "");
    struct err ignored = { 0 };
    struct phone sender;
    struct phone to;

    if (phone_is_service_sender(from))
        return "service_sender";
    if (phone_parse(from, "from", &sender, &ignored) &&
        phone_parse(json_opt_scalar(a, body, "to", ""), "to", &to, &ignored) &&
        str_eq(sender.e164, to.e164))
        return "own_number";
    return "";
}

static void
unanswered(struct webhook_items *out, struct arena *a, const char *word)
{
    out->unanswered = arena_array(a, 1, sizeof(*out->unanswered));
    out->unanswered[0] = word;
    out->n_unanswered = 1;
}

static bool
read_webhook(struct arena *a, const struct config *c, const struct incoming_http *in,
             struct webhook_items *out, struct err *e)
{
    struct inbound *m = arena_alloc(a, sizeof(*m));
    struct json_object *body;
    struct err why = { 0 };
    const char *from;

    (void)c;
    *out = (struct webhook_items){ 0 };
    if (!json_parse(a, in->body, in->body_len, &body, e))
        return false;
    from = json_opt_scalar(a, body, "from", "");
    m->external_id = json_opt_scalar(a, body, "messageId", "");
    if (str_empty(m->external_id))
        m->external_id = json_opt_scalar(a, body, "message_id", "");
    if (str_empty(m->external_id))
        make_id(a, body, in->received_at_ms, m);
    m->text = json_opt_str(a, body, "message", "");
    m->kind = "text";
    read_part(a, body, m);
    m->wa_id = m->bsuid = m->name = "";
    m->answerable = true;
    if (!clk_parse(json_opt_scalar(a, body, "timestamp", ""), &m->at_ms))
        m->at_ms = 0;
    if (*unanswered_word(body, a) != '\0') {
        unanswered(out, a, unanswered_word(body, a));
        return true;
    }
    if (!phone_parse(from, "from", &m->from, &why)) {
        unreadable(out, a, arena_strdup(a, why.text));
        return true;
    }
    if (!json_is_string(json_at(body, "message"))) {
        unreadable(out, a, "message: missing or not a text");
        return true;
    }
    if (json_has_nul(body, "messageId") || json_has_nul(body, "message_id") ||
        json_has_nul(body, "ref")) {
        unreadable(out, a, "messageId: holds a NUL");
        return true;
    }
    out->inbound = m;
    out->n_inbound = 1;
    return true;
}

/* The gateway's words in ours; one we do not know is kept as it came and changes nothing. */
static const char *
status_word(const char *word)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } words[] = {
        { "ACCEPTED", "sent" },       { "DELIVERED", "delivered" },
        { "DELIVRD", "delivered" },   { "UNDELIVERED", "undelivered" },
        { "EXPIRED", "undelivered" }, { "REJECTED", "undelivered" },
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq_nocase(words[i].theirs, word))
            return words[i].ours;
    }
    return word;
}

static bool
read_receipt(struct arena *a, struct json_object *o, struct receipt *out, struct err *e)
{
    struct uuid ref;
    const char *word;

    *out = (struct receipt){ .our_ref = "", .error_code = "" };
    if (!json_need_str(a, o, "status", &word, e))
        return false;
    if (json_has_nul(o, "messageId") || json_has_nul(o, "message_id") ||
        json_has_nul(o, "reference"))
        return err_set(e, ERR_INVALID, "messageId: holds a NUL");
    out->status = status_word(word);
    if (str_eq(out->status, "undelivered"))
        out->error_code = word;
    out->external_id = json_opt_scalar(a, o, "messageId", "");
    if (str_empty(out->external_id))
        out->external_id = json_opt_scalar(a, o, "message_id", "");
    if (uuid_parse(json_opt_str(a, o, "reference", ""), &ref))
        out->our_ref = arena_strdup(a, ref.text);
    if (!clk_parse(json_opt_scalar(a, o, "timestamp", ""), &out->at_ms))
        out->at_ms = 0;
    if (str_empty(out->external_id) && str_empty(out->our_ref))
        return err_set(e, ERR_INVALID, "messageId: missing, and no reference of ours");
    return true;
}

/* One report, or an array of them. */
static bool
read_report(struct arena *a, const struct config *c, const struct incoming_http *in,
            struct webhook_items *out, struct err *e)
{
    struct json_object *body;
    size_t n;

    (void)c;
    *out = (struct webhook_items){ 0 };
    if (!json_parse(a, in->body, in->body_len, &body, e))
        return false;
    n = json_is_array(body) ? json_count(body) : 1;
    out->receipts = arena_array(a, n + 1, sizeof(*out->receipts));
    out->unreadable = arena_array(a, n + 1, sizeof(*out->unreadable));
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_is_array(body) ? json_item(body, i) : body;
        struct err why = { 0 };

        if (read_receipt(a, o, &out->receipts[out->n_receipts], &why))
            out->n_receipts++;
        else
            out->unreadable[out->n_unreadable++] = arena_printf(a, "report: %s", why.text);
    }
    return true;
}

const struct provider provider_mtn = {
    .name = "mtn",
    .channel = CHANNEL_SMS,
    .configured = configured,
    .build = build,
    .read_answer = read_answer,
    .verify = verify,
    .read_webhook = read_webhook,
    .read_report = read_report,
};
