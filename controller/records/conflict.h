/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card's address that another machine on the LAN answers for: the plugin has reported it in the record's
 * status. While the pod has no network yet, the address goes into quarantine and the pod gets another.
 */
#ifndef CONTROLLER_RECORDS_CONFLICT_H
#define CONTROLLER_RECORDS_CONFLICT_H

struct api_ip;
struct entry;
struct ip_addr;
struct subnet;

/**
 * conflict_run - look at the record of a living pod, and do what is due.
 *
 * By the order of every release: the record is ended first, on the state of it that this was decided on. Once it
 * is gone its address goes into quarantine (conflict_release), and the pod is served again. A controller that
 * is killed in between leaves an address without a record to its successor, where it cools down.
 */
void conflict_run(struct entry *entry, const struct api_ip *rec);
/**
 * conflict_release - the record with this UID is gone for good: its address goes back to its subnet,
 * into quarantine where that was decided.
 */
void conflict_release(struct entry *entry, struct subnet *subnet, const struct ip_addr *addr,
		      const char *uid);
void conflict_free(struct entry *entry);

#endif
