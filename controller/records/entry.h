/* SPDX-License-Identifier: Apache-2.0 */
/* What is known under one name: the pod and the record that bear it. Lent; valid until records_run(). */
#ifndef CONTROLLER_RECORDS_ENTRY_H
#define CONTROLLER_RECORDS_ENTRY_H

#include "api/ip.h"
#include "api/pod.h"
#include "controller/addresses/holders.h"

struct entry;

/** entry_key - "namespace/name". */
const char *entry_key(const struct entry *entry);
/** entry_pod - NULL = not there, or not of interest. */
const struct api_pod *entry_pod(const struct entry *entry);
/** entry_record - the newest state of its record, ours included; NULL = there is none. */
const struct api_ip *entry_record(const struct entry *entry);
/** entry_holder - the addresses and the MAC that it has, by record, commit or loss. */
const struct holder *entry_holder(const struct entry *entry);
/** entry_home - the record that tells where its address is, be it lost; NULL = none that can be read. */
const struct api_ip *entry_home(const struct entry *entry);

/** entry_address - the record of its pod, with an address in it, that may be published; NULL = none. */
const struct api_ip *entry_address(const struct entry *entry);
/** entry_card - likewise, while the card is attached; else NULL. */
const struct api_ip *entry_card(const struct entry *entry);

#endif
