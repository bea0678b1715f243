/*
 * fuzz_phone - whatever a stranger sends as a number: a clean E.164 comes out, or a refusal without
 * the number.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/phone.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
check_number(const struct phone *p)
{
    struct phone again;
    struct err e = { 0 };
    char mask[20];
    size_t n = strlen(p->e164);
    must(n >= 8 && n <= 16 && p->e164[0] == '+' && p->e164[1] != '0');
    must(strspn(p->e164 + 1, "0123456789") == n - 1);
    must(phone_parse(p->e164, "from", &again, &e) && str_eq(again.e164, p->e164));
    /* As WhatsApp writes it, it is the same person or refused, never somebody else. */
    must(!phone_parse(phone_digits(p), "from", &again, &e) || str_eq(again.e164, p->e164));
    must(!str_starts(p->e164, "+250") || phone_parse(phone_digits(p), "from", &again, &e));
    must(!phone_is_service_sender(p->e164));
    must(!phone_is_rw_mobile(p) || phone_sms_allowed(p, "+250"));
    phone_mask(p, mask);
    must(strlen(mask) == n && strstr(mask, "****") != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *a = arena_new();
    const char *text = arena_strndup(a, (const char *)bytes, n);
    struct phone p;
    struct err e = { 0 };
    if (phone_parse(text, "from", &p, &e)) {
        check_number(&p);
    } else {
        must(e.kind == ERR_INVALID && p.e164[0] == '\0');
        must(str_starts(e.text, "from: ") && strpbrk(e.text, "12345689") == NULL);
    }
    (void)phone_is_service_sender(text);
    (void)phone_sms_allowed(&p, text);
    arena_free(&a);
    return 0;
}
