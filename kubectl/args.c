/* SPDX-License-Identifier: Apache-2.0 */
#include "kubectl/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/network.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/kube/libraries.h"

#ifndef TANDEM_VERSION
#define TANDEM_VERSION "dev"
#endif

#define PROGRAM  "kubectl macvlan"
#define GROUPS   64
#define WAIT_MAX 86400

/* Long options without a letter of their own. */
enum key {
	KEY_KUBECONFIG = 256,
	KEY_CONTEXT,
	KEY_AS,
	KEY_AS_GROUP,
	KEY_SYSTEM_NS,
	KEY_COLOUR,
	KEY_NO_HEADERS,
	KEY_TIMEOUT,
	/* of single commands, by the letters in struct command's keys */
	KEY_SUBNET = 's' + 512,
	KEY_NODE = 'n' + 512,
	KEY_POD = 'p' + 512,
	KEY_MAC = 'm' + 512,
	KEY_REPORT = 'r' + 512,
	KEY_OFF = 'x' + 512,
	KEY_YES = 'y' + 512,
	KEY_WAIT = 'w' + 512,
	KEY_WAIT_FOR = 't' + 512,
	KEY_FILE = 'f' + 512,
	KEY_PORT = 'P' + 512,
	KEY_AT = 'a' + 512,
};

static const struct argp_option common[] = {
	{"kubeconfig", KEY_KUBECONFIG, "FILE", 0,
	 "this file alone; else KUBECONFIG, else ~/.kube/config", 1},
	{"context", KEY_CONTEXT, "NAME", 0, "of the kubeconfig, instead of its current one", 1},
	{"namespace", 'n', "NAME", 0, "of pods that are named without one", 1},
	{"as", KEY_AS, "USER", 0, "act as this user", 1},
	{"as-group", KEY_AS_GROUP, "GROUP", 0,
	 "and as a member of this group, more than once if need be", 1},
	{"system-namespace", KEY_SYSTEM_NS, "NAME", 0, "where the MacvlanSubnets are (kube-system)",
	 1},
	{"output", 'o', "FORMAT", 0, "wide, json, yaml or name", 2},
	{"no-headers", KEY_NO_HEADERS, NULL, 0, "tables without their first line", 2},
	{"color", KEY_COLOUR, "WHEN", 0,
	 "auto, always or never (auto: on a terminal, without NO_COLOR)", 2},
	{"request-timeout", KEY_TIMEOUT, "S", 0, "seconds for each request (30)", 2},
	{0},
};

static const struct argp_option single[] = {
	{"all-namespaces", 'A', NULL, 0, "of all namespaces, which is the default without -n", 3},
	{"subnet", KEY_SUBNET, "NAME", 0, "only of this MacvlanSubnet", 3},
	{"node", KEY_NODE, "NAME", 0, "only of this node", 3},
	{"pod", KEY_POD, "NAME", 0, "only of this pod", 3},
	{"mac", KEY_MAC, "MAC", 0, "only with this MAC", 3},
	{"from-report", KEY_REPORT, "FILE", 0, "what a report of the command check names", 3},
	{"file", KEY_FILE, "FILE", 0, "where it is written", 3},
	{"at", KEY_AT, "TIME", 0, "only who had it then: 2026-11-30T12:00:00Z", 3},
	{"node-is-off", KEY_OFF, NULL, 0,
	 "the address's node is powered off, and stays so until this is done", 3},
	{"yes", KEY_YES, NULL, 0, "do not ask", 3},
	{"wait", KEY_WAIT, NULL, 0, "until everything is as it should be", 3},
	{"port", KEY_PORT, "N", 0, "of 127.0.0.1, instead of any that is free", 3},
	{"timeout", KEY_WAIT_FOR, "S", 0, "and no longer than so many seconds (300)", 3},
	{0},
};

const char *argp_program_bug_address;

static error_t bad_value(struct argp_state *state, const char *option, const char *value)
{
	argp_error(state, "--%s: \"%s\" cannot be used", option, value);
	return EINVAL;
}

static error_t take_output(struct args *o, const char *value, struct argp_state *state)
{
	static const char *const names[] = {[OUTPUT_WIDE] = "wide",
					    [OUTPUT_JSON] = "json",
					    [OUTPUT_YAML] = "yaml",
					    [OUTPUT_NAME] = "name"};

	for (size_t i = OUTPUT_WIDE; i < ARRAY_SIZE(names); i++) {
		if (str_eq(value, names[i])) {
			o->output = (enum output)i;
			return 0;
		}
	}
	return bad_value(state, "output", value);
}

static error_t take_seconds(uint32_t *field, const char *name, const char *value,
			    struct argp_state *state)
{
	size_t n = strlen(value);
	AUTO(free) char *digits = xstrndup(value, n && value[n - 1] == 's' ? n - 1 : n);

	return parse_u32(digits, WAIT_MAX, field) ? bad_value(state, name, value) : 0;
}

static error_t take_port(struct args *o, const char *value, struct argp_state *state)
{
	uint32_t n = 0;

	if (parse_u32(value, UINT16_MAX, &n) || !n)
		return bad_value(state, "port", value);
	o->port = (uint16_t)n;
	return 0;
}

static error_t take_common(int key, char *value, struct argp_state *state)
{
	struct args *o = state->input;

	switch (key) {
	case KEY_KUBECONFIG:
		o->kubeconfig = value;
		return 0;
	case KEY_CONTEXT:
		o->context = value;
		return 0;
	case 'n':
		o->namespace = value;
		return 0;
	case KEY_AS:
		o->as = value;
		return 0;
	case KEY_AS_GROUP:
		if (o->n_as_groups == GROUPS)
			return bad_value(state, "as-group", value);
		o->as_groups[o->n_as_groups++] = value;
		return 0;
	case KEY_SYSTEM_NS:
		o->system_ns = value;
		return 0;
	case 'o':
		return take_output(o, value, state);
	case KEY_NO_HEADERS:
		o->no_headers = true;
		return 0;
	case KEY_COLOUR:
		if (!str_eq(value, "auto") && !str_eq(value, "always") && !str_eq(value, "never"))
			return bad_value(state, "color", value);
		o->colour = value;
		return 0;
	case KEY_TIMEOUT:
		return take_seconds(&o->timeout_s, "request-timeout", value, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What "IP" and friends may be is the commands' matter; a MAC is one or it is not. */
static error_t take_single(int key, char *value, struct argp_state *state)
{
	struct args *o = state->input;
	struct mac_addr mac;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o;
		return 0;
	case 'A':
		o->all_namespaces = true;
		return 0;
	case KEY_SUBNET:
		o->subnet = value;
		return 0;
	case KEY_NODE:
		o->node = value;
		return 0;
	case KEY_POD:
		o->pod = value;
		return 0;
	case KEY_MAC:
		o->mac = value;
		return mac_parse(value, &mac) ? bad_value(state, "mac", value) : 0;
	case KEY_REPORT:
	case KEY_FILE:
		o->file = value;
		return 0;
	case KEY_AT:
		o->at = value;
		return 0;
	case KEY_OFF:
		o->node_is_off = true;
		return 0;
	case KEY_YES:
		o->yes = true;
		return 0;
	case KEY_WAIT:
		o->wait = true;
		return 0;
	case KEY_PORT:
		return take_port(o, value, state);
	case KEY_WAIT_FOR:
		return take_seconds(&o->wait_s, "timeout", value, state);
	case ARGP_KEY_ARG:
		if (o->n_args == ARRAY_SIZE(o->args))
			argp_error(state, "too many arguments: \"%s\"", value);
		o->args[o->n_args++] = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ------------------------------------------------------------------ the commands */

static const struct argp common_argp = {common, take_common, NULL, NULL, NULL, NULL, NULL};

/* The options of one command: those of single[] that its keys name. */
static struct argp_option *args_of(const struct command *c)
{
	struct argp_option *some = xcalloc(ARRAY_SIZE(single), sizeof(*some));
	size_t n = 0;

	for (size_t i = 0; single[i].name; i++) {
		if (c->keys && strchr(c->keys, single[i].key & 0xff))
			some[n++] = single[i];
	}
	return some;
}

static int read_command(const struct command *c, int argc, char **argv, struct args *o)
{
	AUTO(free) struct argp_option *some = args_of(c);
	const struct argp_child children[] = {{&common_argp, 0, "Options of all commands:", 1},
					      {0}};
	AUTO(free) char *doc = xasprintf("%s.", c->doc), *name = xasprintf(PROGRAM " %s", c->name);
	const struct argp argp = {some, take_single, c->args, doc, children, NULL, NULL};

	argv[0] = name;
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, o))
		return EXIT_USAGE;
	if (o->n_args < c->min_args || o->n_args > c->max_args) {
		fprintf(stderr, "%s: %s %s; see " PROGRAM " %s --help\n", name,
			o->n_args < c->min_args ? "it needs" : "it takes no more than",
			c->args ? c->args : "no argument", c->name);
		return EXIT_USAGE;
	}
	return 0;
}

/* The command line up to the command's name, and which that is. */
struct top {
	struct args *o;
	const struct command *command;
	int at; /* where its name stands */
};

const struct command *args_find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (str_eq(c->name, name))
			return c;
	}
	return NULL;
}

static error_t take_top(int key, char *value, struct argp_state *state)
{
	struct top *top = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = top->o;
		return 0;
	case ARGP_KEY_ARG:
		top->command = args_find_command(value);
		if (!top->command)
			argp_error(state, "there is no command \"%s\"", value);
		/* What comes behind it is the command's. */
		top->at = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_state_help(state, stderr, ARGP_HELP_STD_USAGE);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_version(FILE *to, struct argp_state *state)
{
	(void)state;
	fprintf(to, "kubectl-macvlan %s (%s)\n", TANDEM_VERSION, kube_libraries());
}

static char *list_commands(void)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	sb_puts(&sb, "See and run tandem's addresses on the LAN.\vCommands:\n\n");
	for (const struct command *c = commands; c->name; c++)
		sb_printf(&sb, "  %s%s%s\n      %s\n", c->name, c->args ? " " : "",
			  c->args ? c->args : "", c->doc);
	sb_puts(&sb,
		"\nEach has its own --help. Exit status: 0, 1 something is wrong or not there, "
		"2 the command line, 3 the API server could not be asked or refused, 4 refused "
		"because it would not be safe, or answered with no.");
	return sb_take(&sb);
}

int args_read(int argc, char **argv, struct args *o, const struct command **out_command)
{
	AUTO(free) char *doc = list_commands();
	const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
	const struct argp argp = {NULL, take_top, "COMMAND [ARGUMENT...]", doc, children,
				  NULL, NULL};
	struct top top = {.o = o};

	o->as_groups = xcalloc(GROUPS, sizeof(*o->as_groups));
	argp_program_version_hook = print_version;
	argp_err_exit_status = EXIT_USAGE;
	argv[0] = (char *)PROGRAM;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &top) || !top.command)
		return EXIT_USAGE;
	*out_command = top.command;
	return read_command(top.command, argc - top.at, argv + top.at, o);
}

const char *args_option(const struct command *c, size_t i)
{
	size_t n = 0;

	for (size_t k = 0; common[k].name; k++) {
		if (n++ == i)
			return common[k].name;
	}
	for (size_t k = 0; c && c->keys && single[k].name; k++) {
		if (strchr(c->keys, single[k].key & 0xff) && n++ == i)
			return single[k].name;
	}
	return NULL;
}

static const struct argp_option *find_option(const struct argp_option *o, const char *name)
{
	for (; o->name; o++) {
		if (str_eq(o->name, name))
			return o;
	}
	return NULL;
}

bool args_takes_value(const char *word)
{
	const struct argp_option *o;

	if (!str_starts(word, "--"))
		return false;
	o = find_option(common, word + 2);
	if (!o)
		o = find_option(single, word + 2);
	return o && o->arg;
}
