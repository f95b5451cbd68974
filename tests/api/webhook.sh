#!/usr/bin/env bash
# The controller at a real API server: the admission webhook.
exec "$(dirname "$0")/controller.sh" webhook
