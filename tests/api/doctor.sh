#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The controller at a real API server: what nodes have found of the LANs.
exec "$(dirname "$0")/controller.sh" doctor
