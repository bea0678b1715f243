/*
 * fuzz_sms_text - any text: what goes out is valid, GSM-7 stays GSM-7, sizes are possible ones, and
 * a cut text fits.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "core/keyword.h"
#include "core/sms_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
check_size(const char *text)
{
    struct sms_size size = sms_text_size(text);
    int single = size.encoding == SMS_GSM7 ? 160 : 70;
    int part = size.encoding == SMS_GSM7 ? 153 : 67;
    int chars = (int)utf8_count(text);
    must(size.units >= chars && size.units <= 2 * chars && (size.segments == 0) == (chars == 0));
    must((size.units <= single) == (size.segments <= 1));
    /* A part wastes at most one unit. */
    must(size.segments <= 1 ||
         (size.units > (size.segments - 1) * (part - 1) && size.units <= size.segments * part));
}

static void
check_fit(struct arena *a, const char *text, int max)
{
    const char *fit = sms_text_fit(a, text, max);
    size_t n = strlen(fit);
    must(utf8_valid(fit, n) && sms_text_size(fit).segments <= max);
    if (sms_text_size(text).segments <= max)
        must(str_eq(fit, text));
    else
        must(str_ends(fit, "...") && strncmp(fit, text, n - 3) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *a = arena_new();
    const char *raw = arena_strndup(a, (const char *)bytes, n);
    const char *text = utf8_clean(a, raw, strlen(raw), 4096);
    const char *plain = sms_text_plain(a, text);
    must(utf8_valid(plain, strlen(plain)) && strstr(plain, "  ") == NULL);
    must(sms_text_size(text).encoding == SMS_UCS2 || sms_text_size(plain).encoding == SMS_GSM7);
    must(utf8_valid(sms_text_plain(a, raw), strlen(sms_text_plain(a, raw))));
    check_size(text);
    check_size(plain);
    for (int max = 1; max <= 3; max++) {
        check_fit(a, text, max);
        check_fit(a, plain, max);
    }
    (void)keyword_find(raw, CHANNEL_SMS, &(const char *){ "" });
    arena_free(&a);
    return 0;
}
