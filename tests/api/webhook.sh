#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The controller at a real API server: the admission webhook.
exec "$(dirname "$0")/controller.sh" status webhook
