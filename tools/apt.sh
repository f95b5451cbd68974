# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# To be sourced: an apt configuration in a folder of one's own, so that /etc/apt stays as it is.
#
#	debian_repositories		prints "URI SUITE COMPONENT" of what this machine installs from, a line each
#	own_apt FOLDER <sources		makes FOLDER/apt.conf with these sources ("deb URI SUITE COMPONENT") and fetches
#					their lists; optional further arguments are lines of the configuration
#
# apt holds the lists against Debian's keys, and what it downloads against the lists.

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Of the machine's Debian sources alone: what others have is not Debian's. Without lists yet, they are fetched.
debian_repositories() {
	local found

	found=$(debian_targets)
	if [ -z "$found" ]; then
		apt-get -o DPkg::Lock::Timeout=300 update -qq >&2 || true
		found=$(debian_targets)
	fi
	[ -n "$found" ] || { echo "apt: no Debian archive among this machine's apt sources" >&2 && return 1; }
	printf '%s\n' "$found"
}

debian_targets() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
		awk -F'|' '$1 == "Debian" { print $2, $3, $4 }' | sort -u
}

# What apt prints goes to FOLDER/log, and to standard error when it fails.
own_apt() {
	local dir=$1 signed=""
	shift

	[ ! -r "$DEBIAN_KEYRING" ] || signed="[signed-by=$DEBIAN_KEYRING] "
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	sed "s|^\(deb[a-z-]*\) |\1 $signed|" >"$dir/sources.list"
	{
		cat <<-CONF
			Dir::Etc::SourceList "$dir/sources.list";
			Dir::Etc::SourceParts "-";
			Dir::State::Lists "$dir/lists";
			Dir::Cache "$dir";
			APT::Sandbox::User "root";
			Acquire::Languages "none";
		CONF
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$dir/apt.conf"
	apt-get -c "$dir/apt.conf" update -qq >"$dir/log" 2>&1 </dev/null || { tail -n 15 "$dir/log" >&2 && return 1; }
}
