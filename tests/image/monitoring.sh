#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# manifests/monitoring: it renders, each alert fires when it should, and none does where all is well. That a real
# Prometheus finds every metric that they name is shown where controller and tandem-node run: tests/api/witness.sh.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/image/lib.sh
. "$TESTS_ROOT/tests/image/lib.sh"

scratch DIR
cd "$TESTS_ROOT" || exit 1
check "kubectl 1.20 renders it" kubectl_old kustomize manifests/monitoring
kubectl_old kustomize manifests/monitoring >"$DIR/all.yaml"
same "what there is in it" "ConfigMap PodMonitor PodMonitor PrometheusRule" \
	"$(sed -n 's/^kind: //p' "$DIR/all.yaml" | sort | xargs)"
same "all in the system namespace" 4 "$(grep -c '^  namespace: kube-system$' "$DIR/all.yaml")"
sed -n '/^spec:/,$ s/^  //p' manifests/monitoring/rules.yaml >"$DIR/rules.yml"
check "promtool reads the rules" promtool check rules "$DIR/rules.yml"
cp tests/image/alerts.yml "$DIR/"
check "each alert, fired and silent" promtool test rules "$DIR/alerts.yml"
alerts() { sed -n "s/^ *- alert: //p" manifests/monitoring/rules.yaml | sort; }
same "each is tested" "$(alerts)" "$(sed -n 's/^ *alertname: //p' tests/image/alerts.yml | sort -u)"
# shellcheck disable=SC2016 # not for the shell
same "each is described for the operator" "$(alerts)" "$(sed -n 's/^| `\(Tandem[A-Za-z]*\)` .*/\1/p' docs/operations.md | sort)"
