/* Kannel's sendsms: everything in the query of a GET or the form of a POST, no message id back. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateways.h"
#include "phones.h"
#include "provider.h"
#include "receipts.h"
#include "text.h"

static char *
parameter(const struct request *r, const char *name)
{
    char *value = form_get(r->query, name);
    return value != NULL ? value : form_get(r->body.data, name);
}

/* Bytes of a UTF-16BE text hold NULs, which the form reader cannot return: decode them here. */
static char *
utf16_parameter(const char *form)
{
    const char *p = form;
    while (p != NULL && !str_has_prefix(p, "text=")) {
        p = strchr(p, '&');
        p = p == NULL ? NULL : p + 1;
    }
    if (p == NULL) {
        return NULL;
    }
    struct buf bytes = { 0 };
    buf_add(&bytes, "", 0);
    for (p += strlen("text="); *p != '\0' && *p != '&'; p++) {
        unsigned byte = *p == '+' ? ' ' : (unsigned char)*p;
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            char hex[3] = { p[1], p[2], '\0' };
            byte = (unsigned)strtoul(hex, NULL, 16);
            p += 2;
        }
        buf_char(&bytes, (char)byte);
    }
    char *text = text_from_utf16be(bytes.data, bytes.len);
    buf_free(&bytes);
    return text;
}

/* coding 2 is UTF-16BE unless a charset says otherwise. */
static char *
text_of(const struct request *r)
{
    char *coding = parameter(r, "coding");
    char *charset = parameter(r, "charset");
    bool is_utf16 = coding != NULL && strcmp(coding, "2") == 0 &&
                    (charset == NULL || str_has_prefix(charset, "UTF-16"));
    free(coding);
    free(charset);
    if (!is_utf16) {
        return parameter(r, "text");
    }
    char *text = utf16_parameter(r->query);
    return text != NULL ? text : utf16_parameter(r->body.data);
}

/* Our own name of the message travels in dlr-url only: the UUID in it, else the whole URL. */
static void
reference_of(const char *dlr_url, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", dlr_url);
    for (const char *p = dlr_url; *p != '\0'; p++) {
        size_t len = strspn(p, "0123456789abcdefABCDEF-");
        if (len == 36 && p[8] == '-' && p[13] == '-' && p[18] == '-' && p[23] == '-') {
            (void)snprintf(out, size, "%.36s", p);
            return;
        }
        p += len > 0 ? len - 1 : 0;
    }
}

static void
kannel_accept(const struct request *r, char *to, const struct fault *f)
{
    char *text = text_of(r);
    char *from = parameter(r, "from");
    char *dlr_url = parameter(r, "dlr-url");
    char *dlr_mask = parameter(r, "dlr-mask");
    char reference[256] = "";
    if (dlr_url != NULL) {
        reference_of(dlr_url, reference, sizeof reference);
    }
    char *rest = NULL;
    for (char *one = strtok_r(to, " ", &rest); one != NULL; one = strtok_r(NULL, " ", &rest)) {
        char id[40];
        char phone[32];
        (void)snprintf(id, sizeof id, "kannel-%llu", (unsigned long long)id_next());
        phone_plus(one, phone);
        struct message m = { .provider = PROVIDER_KANNEL, .kind = "text", .to = phone };
        m.text = text;
        m.from = from;
        m.reference = reference;
        m.provider_id = id;
        m.is_undelivered = f->kind == FAULT_ASYNC_FAILURE;
        phone_accept(&m);
        struct receipt_subject s = { .provider = PROVIDER_KANNEL, .message_id = id };
        s.reference = reference;
        s.phone = phone;
        s.dlr_url = dlr_url;
        s.dlr_mask = dlr_mask == NULL ? 0 : (int)strtol(dlr_mask, NULL, 10);
        receipts_plan(&s, f);
    }
    free(text);
    free(from);
    free(dlr_url);
    free(dlr_mask);
}

static void
kannel_take(struct request *r, const struct fault *f)
{
    char *user = parameter(r, "username");
    user = user != NULL ? user : parameter(r, "user");
    char *password = parameter(r, "password");
    password = password != NULL ? password : parameter(r, "pass");
    char *to = parameter(r, "to");
    if (user == NULL || password == NULL) {
        provider_refuse(r, PROVIDER_KANNEL, 401, "");
    } else if (to == NULL || *to == '\0') {
        provider_refuse(r, PROVIDER_KANNEL, 400, "");
    } else {
        kannel_accept(r, to, f);
        answer_text(r, 202, "text/plain", "0: Accepted for delivery");
    }
    free(user);
    free(password);
    free(to);
}

void
kannel_serve(struct request *r)
{
    provider_serve(r, PROVIDER_KANNEL, kannel_take);
}
