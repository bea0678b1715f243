/*
 * phone - telephone numbers: any spelling in, E.164 or a clear refusal out (ITU-T E.164; Rwanda's
 * plan as in libphonenumber's metadata for territory RW).
 */
#ifndef OMNI_CORE_PHONE_H
#define OMNI_CORE_PHONE_H

#include "base/err.h"

struct phone {
    char e164[17]; /* "+" and 7 to 15 digits; "" means none */
};

/*
 * Reads a number as people, gateways, SIP headers and WhatsApp write it: +250…, +250 (0)…, 00250…,
 * 250… (12 digits), 0… (10 digits), bare 7… (9 digits), 06… (8 digits; its 0 belongs to the
 * number), with blanks - . ( ) between; tel: and sip: URIs with display name, host and parameters;
 * WhatsApp's digits without '+', also foreign ones (8 to 15 digits that are no Rwandan form).
 * Rwandan numbers must fit Rwanda's plan; foreign ones ^\+[1-9]\d{6,14}$. Fails with ERR_INVALID
 * "FIELD: ..." for short codes, alphanumeric senders, empty or anonymous callers, and leaves *out
 * empty.
 *
 * Bare digits can be a foreign WhatsApp number or a local form. In order: digits starting with 250,
 * a leading 0 and nine digits starting with 7 are Rwandan and must fit the plan, never foreign as a
 * second choice; nine digits that fit the plan but not a mobile are refused, since nobody can tell;
 * other digits are foreign, but only when written without separators (WhatsApp writes none; a
 * person's "415 555 0100" is some country's local form, and 192.168.1.20 is no number at all).
 * Numbers of zone 7 must have their 11 digits, so that a Rwandan mobile with a digit too few, too
 * many or without its 250 does not become a Russian one.
 */
bool phone_parse(const char *text, const char *field, struct phone *out, struct err *e) MUST_CHECK;

/* An SMS sender that must never be answered: a 3 to 6 digit short code or a name with letters. */
bool phone_is_service_sender(const char *text);

/* A Rwandan mobile number, ^\+2507[23789]\d{7}$. */
bool phone_is_rw_mobile(const struct phone *p);

/* May SMS to this number be billed? 'prefixes' is SMS_ALLOWED_PREFIXES ("+250,+256"); Rwandan
 * numbers must besides be mobile ones: a fixed line gets no SMS. */
bool phone_sms_allowed(const struct phone *p, const char *prefixes);

/* The digits without '+', as WhatsApp names people (wa_id). "" when there is no number. */
const char *phone_digits(const struct phone *p);

/* "+2507******56": the first four digits, stars, the last two; for logs. At least four digits are
 * hidden, also of short numbers. out needs 20 bytes. */
void phone_mask(const struct phone *p, char out[20]);

#endif
