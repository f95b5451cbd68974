#include "node/reports.h"

#include <stdio.h>

#include "api/ip.h"
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

static enum evidence evidence_of(const struct api_ip *rec, const struct files *files)
{
	enum evidence best = EVIDENCE_NONE;

	for (size_t i = 0; i < files->n; i++) {
		const struct node_file *file = files->v[i];

		if (!files_is_pod(file, rec->meta.ns, rec->meta.name, rec->pod_id))
			continue;
		if (is_card_of(file, rec))
			return EVIDENCE_CARD;
		best = EVIDENCE_OPEN;
	}
	return best;
}

enum report report_of(const struct api_ip *rec, const char *node, const struct files *files,
		      bool settled)
{
	/* What has no address has no card, and what stands at another node is that one's to tell. */
	if (api_ip_is_vacant(rec) || !api_ip_is_allocated(rec) || !str_eq(rec->node, node))
		return REPORT_NOTHING;
	switch (evidence_of(rec, files)) {
	case EVIDENCE_CARD:
		return rec->phase == API_IP_ATTACHED && !api_ip_card_is_down(rec) ? REPORT_NOTHING
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
		jw_kv_str(w, "phase", NULL);
		jw_kv_str(w, "message", NULL);
		jw_kv_str(w, "cardDown", rec->pod_id);
		break;
	default:
		snprintf(text, sizeof(text), "node %s has no card of this pod any more", node);
		jw_kv_str(w, "phase", "Missing");
		jw_kv_str(w, "message", text);
		break;
	}
}

void report_write(enum report report, const struct api_ip *rec, const char *node, struct sb *out)
{
	struct jw w = jw_init(out);

	api_meta_begin_patch(&w, rec->meta.uid, rec->meta.resource_version);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	write_status(&w, report, rec, node);
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
	default:
		return "nothing";
	}
}
