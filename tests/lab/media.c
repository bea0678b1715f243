/* Documents in two steps: see media.h. */
#include "media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider.h"
#include "server.h"
#include "sign.h"
#include "strmap.h"

#define BAD_TOKEN     190
#define NO_SUCH_THING 100

static struct strmap documents;

/* {metadata, transcript{text, language, confidence, segments}}, nobody's words being an empty text.
 */
static char *
document_text(struct json_object *given, const char *language)
{
    if (json_object_is_type(given, json_type_object)) {
        return json_text(given);
    }
    struct json_object *metadata = json_object_new_object();
    json_add_str(metadata, "version", "1.0");
    struct json_object *transcript = json_object_new_object();
    json_add_str(transcript, "text", given == NULL ? "" : json_object_get_string(given));
    json_add_str(transcript, "language", language);
    json_add(transcript, "confidence", json_object_new_double(0.83));
    json_add(transcript, "segments", json_object_new_array());
    struct json_object *o = json_object_new_object();
    json_add(o, "metadata", metadata);
    json_add(o, "transcript", transcript);
    char *text = json_text(o);
    (void)json_object_put(o);
    return text;
}

static struct json_object *
describe(const char *id, const char *text)
{
    char sha[SIGN_BASE64_SIZE];
    sign_sha256(text, strlen(text), sha);
    char *url = str_printf("http://127.0.0.1:%u/media/%s", (unsigned)server_port(), id);
    struct json_object *o = json_object_new_object();
    json_add_str(o, "id", id);
    json_add_str(o, "sha256", sha);
    json_add_str(o, "mime_type", "application/json");
    json_add_str(o, "url", url);
    free(url);
    return o;
}

struct json_object *
media_keep(struct json_object *transcript, const char *language)
{
    char id[32];
    (void)snprintf(id, sizeof id, "%llu", (unsigned long long)id_next());
    char *text = document_text(transcript, language);
    *strmap_slot(&documents, id) = text;
    return describe(id, text);
}

void
media_reset(void)
{
    for (size_t i = 0; i < documents.capacity; i++) {
        free(documents.entries[i].value);
    }
    strmap_clear(&documents);
}

/* The text of the id, or NULL when refused already. */
static const char *
find(struct request *r, const char *id)
{
    const char *bearer = request_header(r, "Authorization");
    if (bearer == NULL || !str_has_prefix(bearer, "Bearer ") || bearer[strlen("Bearer ")] == '\0') {
        meta_refuse(r, 401, BAD_TOKEN, "Invalid OAuth access token.");
        return NULL;
    }
    const char *text = strmap_find(&documents, id);
    if (text == NULL) {
        meta_refuse(r, 400, NO_SUCH_THING,
                    "Unsupported get request. Object with this ID does not exist.");
    }
    return text;
}

static void
take_lookup(struct request *r, const struct fault *f)
{
    (void)f;
    const char *text = find(r, r->segment[1]);
    if (text != NULL) {
        struct json_object *o = describe(r->segment[1], text);
        json_add_int(o, "file_size", (int64_t)strlen(text));
        json_add_str(o, "messaging_product", "whatsapp");
        answer_json(r, 200, o);
    }
}

static void
take_document(struct request *r, const struct fault *f)
{
    (void)f;
    const char *text = find(r, r->segment[0]);
    if (text != NULL) {
        answer_text(r, 200, "application/json", text);
    }
}

void
media_serve_lookup(struct request *r)
{
    r->is_secondary = true;
    provider_serve(r, PROVIDER_META, take_lookup);
}

void
media_serve_document(struct request *r)
{
    r->is_secondary = true;
    provider_serve(r, PROVIDER_META, take_document);
}
