/* From the caches to the questions of decide.h. */
#ifndef CONTROLLER_ASK_H
#define CONTROLLER_ASK_H

#include "controller/app.h"

/** ask_request - its pod's request into ent->request and its workload into ent->owner. False = malformed, e says how. */
bool ask_request(struct ent *ent, struct err *e);

/** ask_new - may its pod have a record? The subnet that it names goes to *out, NULL where it is not known. */
enum decide_reason ask_new(struct ent *ent, struct sub **out, char *msg, size_t size);

/** ask_survivor - may its pod, which runs with a card and has lost its record, have one again? */
bool ask_survivor(struct ent *ent);

/** ask_changed - its pod's annotations ask for something else by now than this record of it has. */
bool ask_changed(const struct ent *ent, const struct api_ip *rec);

/** ask_record - what is to be done about its record; see decide_record(). */
enum decide_record_verdict ask_record(struct ent *ent, const struct api_ip *rec, int64_t *wake_ms);

#endif
