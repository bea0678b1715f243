/* Calls as the voice webhooks learn of them: see calls.h. */
#include "calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "burst.h"
#include "media.h"
#include "people.h"
#include "webhooks.h"

#define BUSINESS_NUMBER "250788000000"
#define CALL_SECONDS    60

static const char sdp_offer[] =
    "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "a=group:BUNDLE audio\r\nm=audio 3480 UDP/TLS/RTP/SAVPF 111\r\n"
    "c=IN IP4 127.0.0.1\r\na=rtpmap:111 opus/48000/2\r\na=setup:actpass\r\n";

static void
own_or_new(struct json_object *o, const char *key, const char *prefix, char out[128])
{
    char fresh[64];
    (void)snprintf(fresh, sizeof fresh, "%s%llu", prefix, (unsigned long long)id_next());
    (void)snprintf(out, 128, "%s", json_str(o, key, fresh));
}

static void
add_seconds(struct json_object *o, const char *key, int64_t seconds)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)seconds);
    json_add_str(o, key, text);
}

static void
add_session(struct json_object *call, struct json_object *o)
{
    struct json_object *session = json_object_new_object();
    json_add_str(session, "sdp_type", "offer");
    json_add_str(session, "sdp", json_str(o, "sdp", sdp_offer));
    json_add(call, "session", session);
}

/* COMPLETED says nothing: only a call that was answered has a start and a duration. */
static void
add_end(struct json_object *call, struct json_object *o, int64_t now)
{
    int64_t duration = json_int(o, "duration", CALL_SECONDS);
    json_add_str(call, "status", json_str(o, "status", "COMPLETED"));
    if (json_flag(o, "answered", true)) {
        add_seconds(call, "start_time", now - duration);
        add_seconds(call, "end_time", now);
        json_add_int(call, "duration", duration);
    }
}

static struct json_object *
call_json(struct json_object *o, const char *phone, const char *id, struct json_object *transcript)
{
    const char *event = json_str(o, "event", "connect");
    int64_t now = clock_wall_ms() / 1000;
    char user_id[48];
    (void)snprintf(user_id, sizeof user_id, "RW.%s", phone + 1);
    struct json_object *call = json_object_new_object();
    json_add_str(call, "id", id);
    json_add_str(call, "from", phone + 1);
    json_add_str(call, "from_user_id", user_id);
    json_add_str(call, "to", BUSINESS_NUMBER);
    json_add_str(call, "event", event);
    add_seconds(call, "timestamp", now);
    if (transcript != NULL) {
        json_add(call, "call_transcript", json_object_get(transcript));
        return call;
    }
    json_add_str(call, "direction", json_str(o, "direction", "USER_INITIATED"));
    if (strcmp(event, "connect") == 0) {
        add_session(call, o);
    } else if (strcmp(event, "terminate") == 0) {
        add_end(call, o, now);
    }
    return call;
}

static struct post *
whatsapp_call(struct json_object *o, const char *phone, const char *id,
              struct json_object *transcript)
{
    struct json_object *profile = json_object_new_object();
    json_add_str(profile, "name", json_str(o, "name", "Lab"));
    struct json_object *contact = json_object_new_object();
    json_add(contact, "profile", profile);
    json_add_str(contact, "wa_id", phone + 1);
    struct json_object *contacts = json_object_new_array();
    (void)json_object_array_add(contacts, contact);
    struct json_object *calls = json_object_new_array();
    (void)json_object_array_add(calls, call_json(o, phone, id, transcript));
    struct json_object *value = webhook_meta_value();
    json_add(value, "contacts", contacts);
    json_add(value, "calls", calls);
    if (json_has(o, "errors")) {
        json_add(value, "errors", json_object_get(json_get(o, "errors")));
    }
    return webhook_meta("/wa-webhook-voice-calls", "calls", value);
}

/* The event has been seen under two names. */
static struct json_object *
transcript_of(struct json_object *o)
{
    const char *event = json_str(o, "event", "");
    if (strcmp(event, "call_transcription_available") != 0 &&
        strcmp(event, "call_transcript_available") != 0) {
        return NULL;
    }
    struct json_object *transcript = json_object_new_object();
    json_add(transcript, "document",
             media_keep(json_get(o, "transcript"), json_str(o, "language", "en")));
    return transcript;
}

void
calls_serve_whatsapp(struct request *r)
{
    char phone[32];
    struct json_object *o = people_begin(r, phone);
    if (o == NULL) {
        return;
    }
    char id[128];
    own_or_new(o, "call_id", "wacid.lab", id);
    struct json_object *transcript = transcript_of(o);
    struct burst *burst = burst_new(r, o, "call_id", id);
    while (burst_wants_more(burst)) {
        burst_add(burst, whatsapp_call(o, phone, id, transcript));
    }
    burst_start(burst);
    (void)json_object_put(transcript);
    (void)json_object_put(o);
}

static void
add_header(struct json_object *headers, const char *name, const char *value)
{
    struct json_object *header = json_object_new_object();
    json_add_str(header, "name", name);
    json_add_str(header, "value", value);
    (void)json_object_array_add(headers, header);
}

/* The headers of the INVITE, or those the body gives instead. */
static struct json_object *
sip_headers(struct json_object *o, const char *phone, const char *call_id)
{
    if (json_object_is_type(json_get(o, "headers"), json_type_array)) {
        return json_object_get(json_get(o, "headers"));
    }
    struct json_object *headers = json_object_new_array();
    char *sip_call_id = str_printf("%s@lab.invalid", call_id);
    char *from = str_printf("\"%s\" <sip:%s@trunk.invalid;user=phone>;tag=lab1",
                            json_str(o, "name", "Lab"), phone);
    add_header(headers, "Via", "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKlab");
    add_header(headers, "From", from);
    add_header(headers, "To", "<sip:+" BUSINESS_NUMBER "@sip.api.openai.com>");
    add_header(headers, "Call-ID", json_str(o, "sip_call_id", sip_call_id));
    add_header(headers, "CSeq", "1 INVITE");
    free(from);
    free(sip_call_id);
    return headers;
}

static struct json_object *
sip_event(struct json_object *o, const char *phone, const char *id, const char *event_id)
{
    const char *type = json_str(o, "type", "realtime.call.incoming");
    struct json_object *data = json_object_new_object();
    json_add_str(data, str_has_prefix(type, "live.") ? "session_id" : "call_id", id);
    if (str_has_prefix(type, "live.")) {
        json_add_str(data, "type", "sip");
    }
    json_add(data, "sip_headers", sip_headers(o, phone, id));
    json_add_str(data, "sip_media_security", "srtp");
    struct json_object *event = json_object_new_object();
    json_add_str(event, "object", "event");
    json_add_str(event, "id", event_id);
    json_add_str(event, "type", type);
    json_add_int(event, "created_at", clock_wall_ms() / 1000);
    json_add(event, "data", data);
    return event;
}

void
calls_serve_sip(struct request *r)
{
    char phone[32];
    struct json_object *o = people_begin(r, phone);
    if (o == NULL) {
        return;
    }
    char id[128];
    char webhook_id[128];
    char now[24];
    own_or_new(o, "call_id", "rtc_lab", id);
    own_or_new(o, "webhook_id", "wh_lab", webhook_id);
    (void)snprintf(now, sizeof now, "%lld",
                   (long long)json_int(o, "timestamp", clock_wall_ms() / 1000));
    char *event_id = str_printf("evt_%s", webhook_id);
    struct burst *burst = burst_new(r, o, "call_id", id);
    while (burst_wants_more(burst)) {
        struct json_object *event = sip_event(o, phone, id, event_id);
        burst_add(burst, webhook_openai("/openai-sip-webhook", webhook_id,
                                        json_str(o, "timestamp", now), event));
    }
    burst_start(burst);
    free(event_id);
    (void)json_object_put(o);
}
