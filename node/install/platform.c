/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/platform.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "node/install/hostpath.h"

#define K3S      "/var/lib/rancher/k3s"
#define RKE2     "/var/lib/rancher/rke2"
#define MICROK8S "/var/snap/microk8s/current"
#define CRIO     "/etc/crio/crio.conf"

#define RUNTIME_FILE_MAX (1024 * 1024)

/* What tells a platform, and where it keeps CNI. The first whose marks are all there is it. */
struct row {
	const char *name;
	const char *marks[2];
	const char *conf_dir, *bin_dir;
	const char *runtime_file;
};

static const struct row rows[] = {
	[PLATFORM_AUTO] = {.name = "auto"},
	[PLATFORM_MICROK8S] = {"microk8s",
			       {MICROK8S "/args/cni-network"},
			       MICROK8S "/args/cni-network",
			       MICROK8S "/opt/cni/bin",
			       MICROK8S "/args/containerd.toml"},
	[PLATFORM_RKE2] = {"rke2",
			   {RKE2 "/agent"},
			   "/etc/cni/net.d",
			   "/opt/cni/bin",
			   RKE2 "/agent/etc/containerd/config.toml"},
	[PLATFORM_K3S] = {"k3s",
			  {K3S "/agent/etc/cni/net.d", K3S "/data/cni"},
			  K3S "/agent/etc/cni/net.d",
			  K3S "/data/cni",
			  K3S "/agent/etc/containerd/config.toml"},
	[PLATFORM_K3S_OLD] = {"k3s-old",
			      {K3S "/agent/etc/cni/net.d", K3S "/data/current/bin"},
			      K3S "/agent/etc/cni/net.d",
			      K3S "/data/current/bin",
			      K3S "/agent/etc/containerd/config.toml"},
	[PLATFORM_CRIO] = {"crio", {"/run/crio/crio.sock"}, "/etc/cni/net.d", "/opt/cni/bin", CRIO},
	[PLATFORM_KUBEADM] = {"kubeadm",
			      {NULL},
			      "/etc/cni/net.d",
			      "/opt/cni/bin",
			      "/etc/containerd/config.toml"},
	[PLATFORM_GIVEN] = {.name = "given"},
};

int platform_parse(const char *name, enum platform_kind *out)
{
	for (size_t i = 0; i < PLATFORM_GIVEN; i++) {
		if (str_eq(name, rows[i].name)) {
			*out = (enum platform_kind)i;
			return 0;
		}
	}
	return -1;
}

const char *platform_name(enum platform_kind kind)
{
	return rows[kind].name;
}

void platform_done(struct platform *p)
{
	free(p->conf_dir);
	free(p->bin_dir);
	free(p->bin_dirs);
	free(p->runtime_file);
	free(p->default_network);
	*p = (struct platform){.max_confs = -1};
}

static bool has_marks(const char *root, const struct row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(row->marks); i++) {
		if (row->marks[i] && !hostpath_exists(root, row->marks[i]))
			return false;
	}
	return true;
}

static enum platform_kind guess(const char *root)
{
	enum platform_kind kind = PLATFORM_MICROK8S;

	while (!has_marks(root, &rows[kind]))
		kind++;
	return kind;
}

/* ------------------------------------------------------------------------------- the runtime's word */

/* Half a file, or none, says nothing: the usual folders hold, and it is read again in a minute. */
static char *read_host(const char *root, const char *path)
{
	AUTO(free) char *at = NULL;
	struct err e = {0};
	char *text = NULL;
	size_t len;

	if (hostpath_resolve(root, path, &at, &e) < 0 ||
	    io_read_file(at, RUNTIME_FILE_MAX, &text, &len, &e) < 0)
		return NULL;
	return text;
}

static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

static bool is_folder_of(const char *root, const char *path)
{
	return path && *path == '/' && hostpath_exists(root, path);
}

static void set(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
}

/* The folder of the key's first word. */
static bool take_folder(const char *root, const char *text, const char *key, char **to)
{
	char **words = platform_toml(text, key);
	bool usable = words && is_folder_of(root, words[0]);

	if (usable)
		set(to, words[0]);
	free_words(words);
	return usable;
}

static bool take_folders(const char *root, const char *text, const char *key, struct platform *p)
{
	char **words = platform_toml(text, key);
	AUTO(sb_done) struct sb all = SB_INIT;
	char *first = NULL;

	for (size_t i = 0; words && words[i]; i++) {
		if (!is_folder_of(root, words[i]))
			continue;
		first = first ? first : words[i];
		sb_printf(&all, "%s%s", all.len ? ":" : "", words[i]);
	}
	if (first) {
		set(&p->bin_dir, first);
		free(p->bin_dirs);
		p->bin_dirs = sb_take(&all);
	}
	free_words(words);
	return first;
}

static void take_containerd(const char *root, const char *file, struct platform *p)
{
	AUTO(free) char *text = read_host(root, file);
	char **words;
	uint32_t n;
	bool said;

	if (!text)
		return;
	said = take_folder(root, text, "conf_dir", &p->conf_dir);
	said |= take_folders(root, text, "bin_dir", p);
	said |= take_folders(root, text, "bin_dirs", p);
	words = platform_toml(text, "max_conf_num");
	if (words && words[0] && parse_u32(words[0], UINT32_MAX, &n) == 0) {
		p->max_confs = n;
		said = true;
	}
	free_words(words);
	if (said)
		set(&p->runtime_file, file);
}

static void take_crio_file(const char *root, const char *file, struct platform *p)
{
	AUTO(free) char *text = read_host(root, file);
	char **words;
	bool said;

	if (!text)
		return;
	said = take_folder(root, text, "network_dir", &p->conf_dir);
	said |= take_folders(root, text, "plugin_dirs", p);
	words = platform_toml(text, "cni_default_network");
	if (words && words[0]) {
		set(&p->default_network, *words[0] ? words[0] : NULL);
		said = true;
	}
	free_words(words);
	if (said)
		set(&p->runtime_file, file);
}

/* Its file, then its folder's in order: what comes later holds. */
static void take_crio(const char *root, struct platform *p)
{
	AUTO(free) char *dir = NULL;
	struct dirent **list = NULL;
	struct err e = {0};
	int n;

	take_crio_file(root, CRIO, p);
	if (hostpath_resolve(root, CRIO ".d", &dir, &e) < 0)
		return;
	n = scandir(dir, &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		AUTO(free) char *file = xasprintf(CRIO ".d/%s", list[i]->d_name);

		if (*list[i]->d_name != '.')
			take_crio_file(root, file, p);
		free(list[i]);
	}
	free(list);
}

int platform_find(const char *root, enum platform_kind wanted, struct platform *out, struct err *e)
{
	AUTO(platform_done) struct platform p = {.max_confs = -1};
	const struct row *row;

	p.kind = wanted == PLATFORM_AUTO ? guess(root) : wanted;
	row = &rows[p.kind];
	set(&p.conf_dir, row->conf_dir);
	set(&p.bin_dir, row->bin_dir);
	set(&p.bin_dirs, row->bin_dir);
	if (p.kind == PLATFORM_CRIO)
		take_crio(root, &p);
	else
		take_containerd(root, row->runtime_file, &p);
	if (!hostpath_exists(root, p.conf_dir) || !hostpath_exists(root, p.bin_dir))
		return err_set(e, ERR_NOT_FOUND, 0, "%s: the folder %s is not there", row->name,
			       hostpath_exists(root, p.conf_dir) ? p.bin_dir : p.conf_dir);
	*out = p;
	p = (struct platform){.max_confs = -1};
	return 0;
}
