/* Entries: one for each name that a pod or a record bears, and the index of what they hold. */
#ifndef CONTROLLER_ENT_H
#define CONTROLLER_ENT_H

#include "controller/app.h"

struct ent *ent_get(struct app *app, const char *key);
/** ent_find - NULL if there is none. */
struct ent *ent_find(const struct app *app, const char *key);
/** ent_free_idle - free it when nothing is left to remember. True = it is gone. */
bool ent_free_idle(struct ent *ent);
void ent_free(struct ent *ent);

/** ent_mark - have it looked at soon. */
void ent_mark(struct ent *ent);
/** ent_wake - have it looked at in delay_ms, or earlier if that was asked for. */
void ent_wake(struct ent *ent, int64_t delay_ms);

/** ent_record - the newest state of its record, NULL when there is none. Lent. */
const struct api_ip *ent_record(const struct ent *ent);
/** ent_set_own - a state from the answer to a write of ours; taken. NULL = gone. */
void ent_set_own(struct ent *ent, struct api_ip *own);
/** ent_catch_up - the store has changed: is what we knew still newer? */
void ent_catch_up(struct ent *ent);

/** ent_claim - enter into the index what the entry holds now: by record, commit or loss. */
void ent_claim(struct ent *ent);
/** ent_addr_taken, ent_mac_taken - an entry other than the one with this record UID holds it. */
bool ent_addr_taken(const struct app *app, const struct sub *sub, const struct ip_addr *a,
		    const char *uid);
bool ent_mac_taken(const struct app *app, const struct mac_addr *mac, const char *uid);

/** ent_hold - count it as reserved in that subnet, or (NULL) no longer. */
void ent_hold(struct ent *ent, const char *subnet);

/** ent_spec_copy - a record with the spec, name and UID of another, and what is known of its card's end. */
struct api_ip *ent_spec_copy(const struct api_ip *ip);
/** ent_spec_eq - same spec. */
bool ent_spec_eq(const struct api_ip *a, const struct api_ip *b);

#endif
