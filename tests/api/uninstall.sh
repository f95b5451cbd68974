#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tandem-controller uninstall at a real API server.
exec "$(dirname "$0")/controller.sh" uninstall
