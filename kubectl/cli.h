/* SPDX-License-Identifier: Apache-2.0 */
/* What a command works with, and the commands. */
#ifndef KUBECTL_CLI_H
#define KUBECTL_CLI_H

#include "kubectl/facts/facts.h"
#include "kubectl/args.h"
#include "kubectl/print/table.h"
#include "lib/base/sb.h"

struct jw;
struct kube_client;

struct cli {
	struct args opt;
	struct kube_client *client;
	struct facts facts;
	char *ns;     /* of what is named without one */
	char *server; /* the API server's URL */
	bool colour;
	bool quiet; /* no warnings: they would come again with each question of the page */
	char *default_subnet; /* the controller's --default-subnet, NULL = none */
	bool legacy;          /* the controller reads the older product's annotations */
	int64_t hold_s;       /* its --hold-unwitnessed */
	struct sb out;        /* for standard output, printed at the end */
};

/** cli_connect - kubeconfig and client. @env: the user's environment */
int cli_connect(struct cli *cli, char *const *env, struct err *e) FN_MUST;
void cli_done(struct cli *cli);

/** cli_read - a list, of ns (NULL = all), with selectors or NULL. */
int cli_read(struct cli *cli, enum facts_kind kind, const char *ns, const char *selectors,
	     struct err *e) FN_MUST;
/** cli_read_addresses - subnets and records of all namespaces, and how the controller is set. */
int cli_read_addresses(struct cli *cli, struct err *e) FN_MUST;
/** cli_read_controller - tandem's own pods into the facts, and legacy and hold_s from their arguments. */
int cli_read_controller(struct cli *cli, struct err *e) FN_MUST;

/** cli_note - a line for people, on standard error. */
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** cli_look - how tables look. */
struct table_look cli_look(const struct cli *cli);
/** cli_print_json - JSON text to the output, as JSON or YAML as was asked for. */
void cli_print_json(struct cli *cli, const char *json);
/** cli_is_document - JSON or YAML is asked for. */
bool cli_is_document(const struct cli *cli);

/** cli_deadline - of the next request. */
int64_t cli_deadline(const struct cli *cli);

/* An exit_status, or -1: EXIT_FAILED. */
int command_subnets(struct cli *cli, struct err *e);
int command_ips(struct cli *cli, struct err *e);
int command_who(struct cli *cli, struct err *e);
int command_status(struct cli *cli, struct err *e);
int command_why(struct cli *cli, struct err *e);
int command_history(struct cli *cli, struct err *e);
int command_check(struct cli *cli, struct err *e);
int command_release(struct cli *cli, struct err *e);
int command_ui(struct cli *cli, struct err *e);
/** complete - of a command line of n words the candidates for the last one, one a line, to the output. */
void complete(struct cli *cli, char *const *words, size_t n);

#endif
