/* One subnet: our term in it, the writes to its allocation record, its status. */
#ifndef CONTROLLER_SUB_H
#define CONTROLLER_SUB_H

#include "controller/app.h"

struct jval;

struct sub *sub_find(const struct app *app, const char *name);
struct sub *sub_get(struct app *app, const char *name);
void sub_free(struct sub *sub);

/** sub_hard, sub_soft - there is something to write: as soon as possible, within a second. */
void sub_hard(struct sub *sub);
void sub_soft(struct sub *sub);

/** sub_enqueue - ent waits for an address (ent->request is set, ent_record() has none). */
void sub_enqueue(struct sub *sub, struct ent *ent);
/** sub_dequeue - it no longer waits. */
void sub_dequeue(struct ent *ent);
/** sub_release - the record with this UID is gone: its address is free. Of unset nothing is done. */
void sub_release(struct sub *sub, const struct ip_addr *addr, const char *uid);
/** sub_quarantine - likewise, but another machine on the LAN has it: not to be given until then. */
void sub_quarantine(struct sub *sub, const struct ip_addr *addr, const char *uid, int64_t until_s);
/** sub_conflict - one more to be counted with the next write; copied. */
void sub_conflict(struct sub *sub, const struct ipam_conflict *c);
/** sub_conflicts_cut - the first n of them have been written. */
void sub_conflicts_cut(struct sub *sub, size_t n);
/** sub_doubt - of one that is released: nobody saw its card go, so that the next one has to ask the LAN. */
void sub_doubt(struct sub *sub, const struct ip_addr *addr, const char *uid);
/** sub_drop - the address stands in the record with this UID. */
void sub_drop(struct sub *sub, const struct ip_addr *addr, const char *uid);

/** sub_adopt - it stands in the record with this UID; if it is not used, it shall be. */
void sub_adopt(struct sub *sub, const struct ip_addr *addr, const char *uid);
/** sub_give - what stands committed for ent's record is its own; to be written into the record. */
void sub_give(struct sub *sub, struct ent *ent, const struct plan_want *want);
/** sub_range6 - the range of spec.ipv6; NULL where the subnet is not dual stack. */
const struct ipam_set *sub_range6(const struct sub *sub);

/** sub_changed - the store has another state of the object, or (obj NULL) none. */
void sub_changed(struct sub *sub, const struct subnet_obj *obj);
/** sub_run - send what is due. Returns the monotonic time of the next thing to do, 0 = none. */
int64_t sub_run(struct sub *sub);
/** sub_refresh_ranges - work out anew what every subnet may give. */
void sub_refresh_ranges(struct app *app);

/** sub_requeue - a waiter whose write did not succeed waits again, in its old place. */
void sub_requeue(struct sub *sub, struct ent *ent);
/** sub_check_range - the rules that need the ranges worked out. ERR_CONFIG. */
int sub_check_range(const struct api_subnet *s, struct err *e) FN_MUST;

/** sub_obj_decode - JSON to what the store keeps; subnet_obj_free() frees it. */
int sub_obj_decode(const struct jval *obj, struct subnet_obj **out, struct err *e) FN_MUST;
void sub_obj_free(struct subnet_obj *o);
DEFINE_AUTO(struct subnet_obj, sub_obj_free)

#endif
