/* SPDX-License-Identifier: Apache-2.0 */
/* What tandem-node says about itself at its Node: an annotation whose value is a JSON object. */
#ifndef API_NODE_H
#define API_NODE_H

#define API_ANNOTATION_NODE "tandem-cni.io/node"

/* Its member "state". */
#define API_NODE_WAITING   "waiting" /* nothing is in place yet; "message" says for what it waits */
#define API_NODE_INSTALLED "installed" /* the conf is in front of the primary's */
#define API_NODE_IMPAIRED \
	"impaired" /* the conf is in place, and "message" says what keeps it from its work */
#define API_NODE_REMOVING "removing" /* "left": sandboxes whose cards are still there */
#define API_NODE_REMOVED  "removed" /* nothing of tandem's is on the node any more but this daemon */

#endif
