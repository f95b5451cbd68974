#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No stricter than libcni with what is the primary's: each conf of a table goes through Debian's libcni and, as a
# delegateFile, through us. What libcni runs we run: the same plugins, in the same order, with the same confs.
# TABLE=1 prints what each of the two did.

. "$(dirname "$0")/lib.sh"
GO=$(command -v go || echo /usr/lib/go-1.19/bin/go)
if ! [ -x "$GO" ] || ! [ -d /usr/share/gocode/src/github.com/containernetworking/cni/libcni ]; then
	skip "libcni" "golang-1.19-go and golang-github-appc-cni-dev are not installed"
	exit 0
fi
contract_node
if ! GOPATH=/usr/share/gocode GO111MODULE=off GOCACHE=$DIR/gocache "$GO" build -o "$DIR/libcni" "$(dirname "$0")/libcni.go"; then
	fail "libcni.go is built"
	exit 1
fi

# Plugins that keep what they are given and print an odd result.
RESULT='{"cniVersion":"@","ips":[{"address":"10.42.0.9/24","interface":0}]}'
for name in one two; do
	plugin $name <<-EOF_PLUGIN
		#!/bin/sh
		echo "$name \$CNI_COMMAND" >>"$DIR/verbs"
		[ "\$CNI_COMMAND" = ADD ] || exit 0
		n=\$(ls "$DIR/seen" | wc -l)
		cat >"$DIR/seen/\$n.$name"
		v=\$(sed -nE 's/.*"cniVersion": *"([0-9.]+)".*/\1/p' "$DIR/seen/\$n.$name" | head -n 1)
		case \$v in
			''|0.1.0|0.2.0) echo '{"ip4":{"ip":"10.42.0.9/24"}}' ;;
			0.3*|0.4*) sed 's/"address"/"version":"4",&/' "$DIR/result" | sed "s/@/\$v/" ;;
			*) sed "s/@/\$v/" "$DIR/result" ;;
		esac
	EOF_PLUGIN
done
printf '%s' "$RESULT" >"$DIR/result"

# seen: what the plugins were given, in order
seen() {
	local file
	for file in "$DIR"/seen/*; do
		[ -e "$file" ] || continue
		printf '%s %s\n' "${file##*.}" "$("$DIR/libcni" norm "$file")"
	done
}
by_file() { conf x | tr -d '\n' | sed "s,\"delegate\":x,\"delegateFile\":\"$1\","; }

# both NAME FILE
both() {
	local name=$1 file=$2 theirs ours said
	rm -rf "$DIR/seen" "$DIR/cache"
	mkdir "$DIR/seen"
	if said=$("$DIR/libcni" run "$file" "$DIR/bin" "$DIR/cache" 2>&1); then
		theirs=$(seen)
	else
		theirs="refused"
	fi
	rm -rf "$DIR/seen" "$DIR/state"
	mkdir "$DIR/seen"
	new_pod
	cni ADD "$(by_file "$file")"
	ours=$([ "$RC" -eq 0 ] && seen || echo refused)
	cni DEL "$(by_file "$file")"
	drop_pod
	[ -z "${TABLE:-}" ] || printf '# %s | %s | %s\n' "$name" \
		"$([ "$theirs" = refused ] && echo "refused: $said" || cut -d' ' -f1 <<<"$theirs" | tr '\n' ' ')" \
		"$([ "$ours" = refused ] && jq -r '"refused: " + .msg' <<<"$OUT$(cat "$DIR/out")" 2>/dev/null | head -n 1 || cut -d' ' -f1 <<<"$ours" | tr '\n' ' ')"
	if [ "$theirs" = refused ]; then
		pass "$name: libcni refuses it; we may"
	else
		same "$name" "$theirs" "$ours"
	fi
}

# nested N: so many levels
nested() { printf "%0$1d" 0 | tr 0 '['; printf "%0$1d" 0 | tr 0 ']'; }

P1='{"type":"one","a":1}'
P2='{"type":"two","capabilities":{"portMappings":true}}'
LIST='"cniVersion":"0.4.0","name":"cbr0"'
# Each line: a name, an ending, the text; \xNN is a byte.
while IFS='|' read -r name ending text; do
	# shellcheck disable=SC2059 # for its escapes
	printf "${text//%/%%}" >"$DIR/primary.$ending"
	both "$name" "$DIR/primary.$ending"
done <<-LINES
	a list|conflist|{$LIST,"plugins":[$P1,$P2]}
	a single conf|conf|{$LIST,"type":"one"}
	a second cniVersion|conflist|{"cniVersion":"0.3.1",$LIST,"plugins":[$P1]}
	a second name|conflist|{"name":"other",$LIST,"plugins":[$P1]}
	a second plugins|conflist|{$LIST,"plugins":[{"type":"two"}],"plugins":[$P1]}
	a second type in a plugin|conflist|{$LIST,"plugins":[{"type":"two","type":"one"}]}
	a second key deep inside|conflist|{$LIST,"plugins":[{"type":"one","ipam":{"type":"x","a":1,"a":2}}]}
	a second type in a single conf|conf|{$LIST,"type":"two","type":"one"}
	type beside plugins|conflist|{$LIST,"type":"two","plugins":[$P1]}
	type beside plugins in a conf|conf|{$LIST,"type":"two","plugins":[$P1]}
	type beside plugins in a json|json|{$LIST,"type":"two","a":1,"plugins":[$P1,$P1]}
	such a list in another version|conf|{"cniVersion":"1.0.0","name":"cbr0","plugins":[$P1],"type":"two"}
	type in capitals beside plugins|conf|{$LIST,"TYPE":"two","plugins":[$P1]}
	type null beside plugins|conflist|{$LIST,"type":null,"plugins":[$P1]}
	odd plugins beside type in a conf|conf|{$LIST,"type":"two","plugins":7}
	our own type in plugins that are not run|conf|{$LIST,"type":"two","plugins":[{"type":"tandem"}]}
	type and no plugins in a conflist|conflist|{$LIST,"type":"one"}
	plugins and no type in a conf|conf|{$LIST,"plugins":[$P1]}
	Type in capitals|conflist|{$LIST,"plugins":[{"Type":"one"}]}
	name and version in capitals in a conf|conf|{"CNIVersion":"0.3.1","NAME":"cbr0","Type":"one"}
	version in capitals in a list|conflist|{"CNIVersion":"1.0.0","name":"cbr0","plugins":[$P1]}
	both spellings in a plugin|conflist|{$LIST,"plugins":[{"Type":"two","type":"one","Name":"x"}]}
	capabilities in capitals|conflist|{$LIST,"plugins":[{"type":"one","Capabilities":{"x":true}}]}
	TYPE in a single conf|conf|{$LIST,"TYPE":"one"}
	a byte that is not UTF-8|conflist|{$LIST,"plugins":[{"type":"one","note":"caf\xe9"}]}
	such a byte in a key|conflist|{$LIST,"plugins":[{"type":"one","n\xe9":1}]}
	half a surrogate pair|conflist|{$LIST,"plugins":[{"type":"one","note":"\\\\ud800"}]}
	an escaped NUL|conflist|{$LIST,"plugins":[{"type":"one","note":"a\\\\u0000b"}]}
	a byte order mark|conflist|\xef\xbb\xbf{$LIST,"plugins":[$P1]}
	something behind it|conflist|{$LIST,"plugins":[$P1]} x
	a comma too many|conflist|{$LIST,"plugins":[$P1,]}
	half a file|conflist|{$LIST,"plugins":[$P1
	nothing|conflist|
	white space around it|conflist|\r\n\t {$LIST,"plugins":[$P1]}\r\n
	no cniVersion|conflist|{"name":"cbr0","plugins":[$P1]}
	an empty cniVersion|conf|{"cniVersion":"","name":"cbr0","type":"one"}
	cniVersion a number|conflist|{"cniVersion":1,"name":"cbr0","plugins":[$P1]}
	cniVersion 0.2.0|conflist|{"cniVersion":"0.2.0","name":"cbr0","plugins":[$P1]}
	cniVersion 0.3.0|conflist|{"cniVersion":"0.3.0","name":"cbr0","plugins":[$P1,$P2]}
	cniVersion 1.0.0|conflist|{"cniVersion":"1.0.0","name":"cbr0","plugins":[$P1,$P2]}
	cniVersion 7.0.0|conflist|{"cniVersion":"7.0.0","name":"cbr0","plugins":[$P1]}
	no name|conflist|{"cniVersion":"0.4.0","plugins":[$P1]}
	an odd name|conflist|{"cniVersion":"0.4.0","name":"a b","plugins":[$P1]}
	plugins is an object|conflist|{$LIST,"plugins":{"type":"one"}}
	plugins is empty|conflist|{$LIST,"plugins":[]}
	plugins is null|conflist|{$LIST,"plugins":null}
	a plugin that is null|conflist|{$LIST,"plugins":[null]}
	a plugin without a type|conflist|{$LIST,"plugins":[{"a":1}]}
	a type with a slash|conflist|{$LIST,"plugins":[{"type":"../bin/one"}]}
	disableCheck a string|conflist|{$LIST,"disableCheck":"true","plugins":[$P1]}
	disableCheck a word|conflist|{$LIST,"disableCheck":"yes","plugins":[$P1]}
	disableCheck in capitals|conflist|{$LIST,"disableCheck":"TRUE","plugins":[$P1]}
	disableGC a word|conflist|{$LIST,"disableGC":"yes","plugins":[$P1]}
	disableGC an object|conflist|{$LIST,"disableGC":{},"plugins":[$P1]}
	cniVersions no list|conflist|{$LIST,"cniVersions":"0.4.0","plugins":[$P1]}
	cniVersions of numbers|conflist|{$LIST,"cniVersions":[1,null],"plugins":[$P1]}
	disableCheck a number|conflist|{$LIST,"disableCheck":1,"plugins":[$P1]}
	large numbers|conflist|{$LIST,"plugins":[{"type":"one","n":12345678901234567890,"f":1e300}]}
	capabilities that are no booleans|conflist|{$LIST,"plugins":[{"type":"one","capabilities":{"x":"y"}}]}
	capabilities null|conflist|{$LIST,"plugins":[{"type":"one","capabilities":null}]}
	a runtimeConfig of its own|conflist|{$LIST,"plugins":[{"type":"one","runtimeConfig":{"a":1}}]}
	a prevResult of its own|conflist|{$LIST,"plugins":[{"type":"one","prevResult":{}}]}
	name and version in a plugin|conflist|{$LIST,"plugins":[{"type":"one","name":"x","cniVersion":"0.1.0"}]}
	a dns that is null|conflist|{$LIST,"plugins":[{"type":"one","dns":null}]}
	an ipam of another type|conflist|{$LIST,"plugins":[{"type":"one","ipam":"x"}]}
	a comment|conflist|{$LIST,/* x */"plugins":[$P1]}
	unknown keys|conflist|{$LIST,"x":{"y":[1,null,true]},"plugins":[{"type":"one","_comment":"x"}]}
	an array around it|conflist|[{$LIST,"plugins":[$P1]}]
	65 levels|conflist|{$LIST,"plugins":[{"type":"one","x":$(nested 62)}]}
	1000 levels|conflist|{$LIST,"plugins":[{"type":"one","x":$(nested 997)}]}
	20000 levels|conflist|{$LIST,"plugins":[{"type":"one","x":$(nested 20000)}]}
	a number of 100 digits|conflist|{$LIST,"plugins":[{"type":"one","x":1.$(printf '%0100d' 1)}]}
	empty keys|conflist|{$LIST,"":1,"plugins":[{"type":"one","":2}]}
LINES

# What a plugin prints. Without any address libcni is content, and the runtimes are not: we refuse it (malformed.sh).
while IFS='|' read -r name text; do
	# shellcheck disable=SC2059 # for its escapes
	printf "${text//%/%%}" >"$DIR/result"
	printf '{%s,"plugins":[%s,%s]}' "$LIST" "$P1" "$P2" >"$DIR/primary.conflist"
	both "result: $name" "$DIR/primary.conflist"
done <<-LINES
	no interfaces, and interface 0|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24","interface":0}]}
	an interface that is not there|{"cniVersion":"@","interfaces":[{"name":"eth0"}],"ips":[{"address":"10.42.0.9/24","interface":7}]}
	a second key|{"cniVersion":"@","x":1,"ips":[],"ips":[{"address":"10.42.0.9/24"}]}
	bytes that are not UTF-8|{"cniVersion":"@","interfaces":[{"name":"caf\xe9"}],"ips":[{"address":"10.42.0.9/24"}]}
	unknown keys|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"x":{"y":1}}
	dns null|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"dns":null}
	routes null|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"routes":null}
	an empty gateway|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24","gateway":""}]}
	interface -1|{"cniVersion":"@","interfaces":[{"name":"eth0"}],"ips":[{"address":"10.42.0.9/24","interface":-1}]}
	a large interface|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24","interface":9007199254740993}]}
	keys in capitals|{"cniVersion":"@","Interfaces":[{"Name":"eth0","MAC":"0a:00:00:00:00:01"}],"IPs":[{"Address":"10.42.0.9/24","Interface":0}],"Routes":[{"Dst":"0.0.0.0/0","GW":"10.42.0.1"}],"DNS":{"Nameservers":["10.0.0.1"]}}
	a version in capitals|{"CNIVersion":"7.0.0","ips":[{"address":"10.42.0.9/24"}]}
	a version that is a number|{"cniVersion":7,"ips":[{"address":"10.42.0.9/24"}]}
	null in ips|{"cniVersion":"@","ips":[null,{"address":"10.42.0.9/24"}]}
	null in interfaces|{"cniVersion":"@","interfaces":[null,{"name":"eth0"}],"ips":[{"address":"10.42.0.9/24","interface":1}]}
	null in routes|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"routes":[null]}
	null in dns|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"dns":{"nameservers":[null],"search":null}}
	odd values of what is newer|{"cniVersion":"@","interfaces":[{"name":"eth0","mtu":"x","pciID":1,"socketPath":[]}],"ips":[{"address":"10.42.0.9/24"}],"routes":[{"dst":"0.0.0.0/0","mtu":-1,"table":"x"}]}
	65 levels|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"x":$(nested 64)}
	1000 levels|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"x":$(nested 999)}
	a number of 100 digits|{"cniVersion":"@","ips":[{"address":"10.42.0.9/24"}],"x":1.$(printf '%0100d' 1)}
	no JSON|hello
LINES

# What was one plugin's conf by its file's name is so for DEL, which may not have that file any more.
printf '%s' "$RESULT" >"$DIR/result"
echo "{$LIST,\"type\":\"two\",\"plugins\":[$P1]}" >"$DIR/primary.conf"
rm -f "$DIR/verbs"
new_pod
cni ADD "$(by_file "$DIR/primary.conf")"
mv "$DIR/primary.conf" "$DIR/primary.conflist"
cni DEL "$(by_file "$DIR/primary.conflist")"
same "type beside plugins: DEL ends what ADD began" "two ADD
two DEL" "$(cat "$DIR/verbs")"
drop_pod
