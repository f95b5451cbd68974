/* SPDX-License-Identifier: Apache-2.0 */
/* tandem, the CNI plugin: one conf in front of the cluster's own, a second card for pods that ask. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "lib/cni/print.h"
#include "lib/daemon/daemon.h"
#include "lib/kube/client.h"
#include "meta/plugin/app.h"
#include "meta/attachment/state.h"
#include "meta/plugin/stop.h"
#include "meta/plugin/step.h"

/* Of the environment we read what the specification names, and from the runtime's own. */
static const char *const nothing[] = {NULL};

#define LOG_MAX_BYTES (10L * 1024 * 1024)

static const char help[] =
	"tandem is a CNI plugin: a container runtime calls it with CNI_COMMAND and a conf on stdin.\n"
	"It runs the conf's \"delegate\" (or \"delegateFile\") for the pod's first card and adds a\n"
	"macvlan card for pods with the annotation tandem-cni.io/subnet. See tandem(8).\n"
	"\n"
	"  --version  print the version of tandem and of the libraries in it\n"
	"  --help     print this\n";

static int by_hand(int argc, char **argv)
{
	if (argc == 2 && str_eq(argv[1], "--version"))
		return daemon_say_version("tandem", TANDEM_VERSION);
	if (argc == 2 && str_eq(argv[1], "--help"))
		return daemon_say(help);
	log_error("unknown arguments; try --help");
	return 2;
}

/* People who call a plugin without CNI_COMMAND want to know what it is. */
static int about(void)
{
	AUTO(free) char *versions = cni_version_list();
	AUTO(free)
	char *text = xasprintf("CNI plugin tandem " TANDEM_VERSION "\n"
			       "CNI protocol versions supported: %s\n",
			       versions);

	return write(STDERR_FILENO, text, strlen(text)) < 0;
}

static void start_log(const struct cni_conf *conf)
{
	enum log_level level = LOG_LEVEL_INFO;

	if (log_level_parse(conf->log_level, &level) == 0)
		log_level_set(level);
	if (*conf->log_file)
		log_to_file(conf->log_file, LOG_MAX_BYTES);
	if (conf->log_note)
		log_warn(conf->log_note);
}

static int run_verb(struct app *app, struct err *e)
{
	switch (app->args->command) {
	case CNI_ADD:
		return plugin_add(app, e);
	case CNI_DEL:
		return plugin_del(app, e);
	case CNI_CHECK:
		return plugin_check(app, e);
	case CNI_STATUS:
		return plugin_status(app, e);
	case CNI_GC:
		return plugin_gc(app, e);
	case CNI_VERSION:
		break;
	}
	return err_set(e, ERR_INTERNAL, 0, "VERSION reads no conf");
}

static enum call_verb verb_of(enum cni_command command)
{
	switch (command) {
	case CNI_DEL:
		return CALL_DEL;
	case CNI_CHECK:
		return CALL_CHECK;
	case CNI_GC:
		return CALL_GC;
	default:
		return CALL_ADD;
	}
}

static int run(struct app *app, int64_t start_us, struct err *e)
{
	const struct cni_conf *conf = app->conf;
	AUTO(state_dir_free) struct state_dir *dir = NULL;
	AUTO(kube_client_free) struct kube_client *client = NULL;
	AUTO(fd) int stop = -1;
	int r;

	call_begin(&app->call, verb_of(app->args->command));
	step_done(app, CALL_CONF, start_us);
	if (cni_version_allows(conf->version, app->args->command, e) < 0 || stop_open(&stop, e) < 0)
		return -1;
	app->stop_fd = stop;
	/* To STATUS a directory that cannot be opened is an answer of its own. */
	if (app->args->command != CNI_STATUS && state_dir_open(conf->state_dir, &app->dir, e) < 0)
		return -1;
	if (app->dir)
		state_dir_set_stop_fd(app->dir, stop);
	r = run_verb(app, e);
	/* A runtime asks for the status every few seconds, and learns it. */
	if (app->args->command != CNI_STATUS)
		step_tell(app, start_us, r < 0);
	dir = app->dir;
	client = app->client;
	if (r < 0)
		stop_explain(stop, e);
	return r;
}

/* known: it has been said before, and nothing has changed since. */
static int fail(const char *version, const struct cni_args *args, const struct err *why, bool known)
{
	struct err e = {0};

	log_line(known ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, why->msg, "command",
		 args->container_id ? cni_command_name(args->command) : NULL, "container",
		 args->container_id, "args", args->cni_args, "kind", err_kind_name(why->kind),
		 (char *)0);
	if (cni_error_print(version, why, &e) < 0)
		log_error(e.msg);
	return 1;
}

int main(int argc, char **argv)
{
	char **inherited = process_begin(nothing);
	AUTO(cni_args_done) struct cni_args args = CNI_ARGS_INIT;
	AUTO(cni_conf_free) struct cni_conf *conf = NULL;
	AUTO(free) char *text = NULL;
	int64_t start_us = clock_now_us();
	struct app app;
	struct err e = {0};
	size_t len;
	int r;

	log_init("tandem", LOG_LEVEL_INFO);
	/* A runtime that hangs up must not keep us from rolling back. */
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1)
		return by_hand(argc, argv);
	r = cni_args_from_env(inherited, &args, &e);
	if (r == 0)
		return about();
	if (r < 0)
		return fail(NULL, &args, &e, false);
	if (args.command == CNI_VERSION)
		return cni_version_print(&e) < 0;
	if (io_read_all(STDIN_FILENO, "stdin", CNI_CONF_MAX, &text, &len, &e) < 0 ||
	    cni_conf_parse("stdin", text, len, &conf, &e) < 0)
		return fail(NULL, &args, &e, false);
	start_log(conf);
	app = (struct app){.args = &args,
			   .conf = conf,
			   .environ = inherited,
			   .deadline_ms = clock_now_ms() + conf->deadline_s * 1000L};
	if (run(&app, start_us, &e) < 0)
		return fail(cni_version_name(conf->version), &args, &e, app.was_said);
	return 0;
}
