/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reports.h"

#include <stdio.h>

#include "api/ip.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"
#include "node/files.h"

enum evidence {
	EVIDENCE_NONE = 0,
	EVIDENCE_OPEN, /* something of that pod is there, or on its way */
	EVIDENCE_CARD,
};

static bool is_card_of(const struct node_file *file, const struct api_ip *rec)
{
	const struct mac_addr none = {{0}};

	if (!file->complete || !file->this_boot || !*file->card || !str_eq(file->uid, rec->pod_id))
		return false;
	/* The card of an earlier record of the pod is not this one's. */
	return !nl_link_type_get(rec->network.link_type)->own_mac || mac_eq(&file->mac, &none) ||
	       mac_eq(&file->mac, &rec->mac);
}

/* The file of the card that the record is of; NULL: there is none. */
static const struct node_file *attached_of(const struct api_ip *rec, const struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		if (files_is_pod(files->v[i], rec->meta.ns, rec->meta.name, rec->pod_id) &&
		    is_card_of(files->v[i], rec))
			return files->v[i];
	}
	return NULL;
}

static enum evidence evidence_of(const struct api_ip *rec, const struct files *files)
{
	enum evidence best = EVIDENCE_NONE;

	if (attached_of(rec, files))
		return EVIDENCE_CARD;

	for (size_t i = 0; i < files->n; i++) {
		const struct node_file *file = files->v[i];

		if (!files_is_pod(file, rec->meta.ns, rec->meta.name, rec->pod_id))
			continue;
		/* That ADD waits for another record: it has taken back what it had made of this one. */
		if (!file->complete && str_eq(file->given_up, rec->meta.uid))
			continue;
		best = EVIDENCE_OPEN;
	}
	return best;
}

/* The file that tells the whole card of that very pod: what an old runtime does not name is nobody's. */
static const struct node_file *card_of(const struct api_ip *rec, const struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct node_file *file = files->v[i];

		if (file->complete && file->this_boot && *file->card && *file->uid &&
		    str_eq(file->uid, rec->pod_id) && ip_is_set(&file->ips[0]))
			return file;
	}
	return NULL;
}

/* Its record was lost, and the controller asks which card the pod has. */
static enum report answer_of(const struct api_ip *rec, const struct files *files, bool settled)
{
	if (api_ip_is_told(rec))
		return REPORT_NOTHING;
	if (card_of(rec, files))
		return REPORT_CARD;
	for (size_t i = 0; i < files->n; i++) {
		const struct node_file *file = files->v[i];

		/* A file without a card is a pod's that was set up without one. */
		if (files_is_pod(file, rec->meta.ns, rec->meta.name, rec->pod_id) &&
		    (!file->complete || *file->card))
			return REPORT_NOTHING;
	}
	return settled ? REPORT_NO_CARD : REPORT_WAIT;
}

enum report report_of(const struct api_ip *rec, const char *node, const struct files *files,
		      bool settled)
{
	/* What has no address has no card, and what stands at another node is that one's to tell. */
	if (api_ip_is_asked(rec) && str_eq(rec->node, node))
		return answer_of(rec, files, settled);
	if (api_ip_is_vacant(rec) || !api_ip_is_allocated(rec) || !str_eq(rec->node, node))
		return REPORT_NOTHING;
	switch (evidence_of(rec, files)) {
	case EVIDENCE_CARD:
		return rec->phase == API_IP_ATTACHED && !api_ip_card_is_down(rec) &&
				       str_eq(rec->nic, attached_of(rec, files)->nic)
			       ? REPORT_NOTHING
			       : REPORT_ATTACHED;
	case EVIDENCE_OPEN:
		return REPORT_NOTHING;
	case EVIDENCE_NONE:
		break;
	}
	if (api_ip_is_ending(rec))
		return api_ip_card_is_down(rec) ? REPORT_NOTHING : REPORT_DOWN;
	if (rec->phase != API_IP_ATTACHED)
		return REPORT_NOTHING;
	return settled ? REPORT_MISSING : REPORT_WAIT;
}

/* Whole, so that nothing of an earlier answer stays. */
static void write_card(struct jw *w, const struct api_ip *rec, const struct node_file *card)
{
	char text[IP_ADDR_LEN], mac[MAC_ADDR_LEN];

	jw_kv_obj(w, "card");
	jw_kv_str(w, "podId", rec->pod_id);
	jw_kv_arr(w, "ips");
	for (size_t i = 0; card && i < ARRAY_SIZE(card->ips) && ip_is_set(&card->ips[i]); i++)
		jw_str(w, ip_format(&card->ips[i], text));
	jw_end(w);
	/* No null: some API servers take one in a new object for a value. */
	if (card)
		jw_kv_str(w, "mac", mac_format(&card->mac, mac));
	jw_end(w);
}

/* For people alone: nothing is decided by it. */
static void write_nic(struct jw *w, const struct api_ip *rec, const struct files *files)
{
	const struct node_file *file = attached_of(rec, files);
	const char *nic = file ? file->nic : "";

	if (*nic || *rec->nic)
		jw_kv_str(w, "master", *nic ? nic : NULL);
}

static void write_status(struct jw *w, enum report report, const struct api_ip *rec,
			 const char *node)
{
	char text[400];

	switch (report) {
	case REPORT_ATTACHED:
		jw_kv_str(w, "phase", "Attached");
		jw_kv_str(w, "message", NULL);
		jw_kv_str(w, "cardDown", NULL);
		break;
	case REPORT_DOWN:
		/* Why the card is down stays told: whoever leads frees the address for that. */
		if (rec->phase != API_IP_CONFLICT) {
			jw_kv_str(w, "phase", NULL);
			jw_kv_str(w, "message", NULL);
		}
		jw_kv_str(w, "cardDown", rec->pod_id);
		break;
	default:
		snprintf(text, sizeof(text), "node %s has no card of this pod any more", node);
		jw_kv_str(w, "phase", "Missing");
		jw_kv_str(w, "message", text);
		break;
	}
}

void report_write(enum report report, const struct api_ip *rec, const char *node,
		  const struct files *files, struct sb *out)
{
	struct jw w = jw_init(out);

	api_meta_begin_patch(&w, rec->meta.uid, rec->meta.resource_version);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	if (report == REPORT_CARD || report == REPORT_NO_CARD)
		write_card(&w, rec, report == REPORT_CARD ? card_of(rec, files) : NULL);
	else
		write_status(&w, report, rec, node);
	if (report == REPORT_ATTACHED)
		write_nic(&w, rec, files);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

const char *report_name(enum report report)
{
	switch (report) {
	case REPORT_ATTACHED:
		return "attached";
	case REPORT_DOWN:
		return "down";
	case REPORT_MISSING:
		return "missing";
	case REPORT_CARD:
		return "card";
	case REPORT_NO_CARD:
		return "no card";
	default:
		return "nothing";
	}
}
