/*
 * person - reading person_reach's columns.
 */
#include "model/person.h"

struct person
person_read(const struct db_rows *rows, int row)
{
    return (struct person){
        .profile_id = db_text(rows, row, "profile_id"),
        .phone = db_text(rows, row, "phone_number"),
        .wa_id = db_text(rows, row, "wa_id"),
        .bsuid = db_text(rows, row, "bsuid"),
        .name = db_text(rows, row, "display_name"),
        .language = db_text(rows, row, "language"),
        .has_whatsapp = db_bool(rows, row, "has_whatsapp"),
        .window_open = db_bool(rows, row, "window_open"),
        .allows_sms = db_bool(rows, row, "allows_sms"),
        .allows_whatsapp = db_bool(rows, row, "allows_whatsapp"),
        .mode = db_text(rows, row, "mode"),
    };
}
